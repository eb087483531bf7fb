"""What the drill itself sees of the platform's and the instrument's health while it runs."""

from __future__ import annotations

from dataclasses import dataclass, field

from harness.core.evidence import Observation
from harness.platforms.capabilities import Wholeness

_UNSEEN = Wholeness(whole=False, missing=("never looked at",))


@dataclass
class Sightings:
    """Filled in by the drill, step by step; what was never seen counts against the run."""

    before: Wholeness = _UNSEEN
    after: Wholeness = _UNSEEN
    effect_observed: bool = False
    heal_observed: bool = False
    workers_lost: list[str] = field(default_factory=list)
    clock_error_ns: int = 0  # one host, one clock
    interrupted: str = ""
    skipped: str = ""
    replay_ended_ns: int | None = None
    mistake: Exception | None = None  # ours; no part of the evidence

    def observation(self) -> Observation:
        return Observation(
            whole_before=self.before.whole,
            whole_before_why="; ".join(self.before.missing),
            whole_after=self.after.whole,
            whole_after_why="; ".join(self.after.missing),
            effect_observed=self.effect_observed,
            heal_observed=self.heal_observed,
            workers_lost=tuple(self.workers_lost),
            clock_error_ns=self.clock_error_ns,
            interrupted=self.interrupted,
            skipped=self.skipped,
            replay_ended_ns=self.replay_ended_ns,
        )
