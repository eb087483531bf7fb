"""What the drill itself sees of the platform's and the instrument's health while it runs."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass, field

from harness.core.evidence import Observation
from harness.core.plan import Plan
from harness.core.timeline import Mark, MarkName
from harness.errors import Interrupted, PeakdrillError
from harness.evidence import events, layout
from harness.evidence.rundir import RunDirectory
from harness.faults.deeds import all_deeds
from harness.faults.injection import Injection
from harness.faults.state import State
from harness.platforms.capabilities import Wholeness
from harness.recovery.registry import AUTOMATIC

_UNSEEN = Wholeness(whole=False, missing=("never looked at",))


@dataclass
class Sightings:
    """Filled in by the drill, step by step; what was never seen counts against the run."""

    before: Wholeness = _UNSEEN
    after: Wholeness = _UNSEEN
    effect_observed: bool = False
    recovered: bool = False  # every step of the runbook seen, and the service well again
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


def must_last(plan: Plan) -> bool:
    """Whether the fault has to be in effect until its release: neither a runbook nor a declared
    time is meant to end it.
    """
    known = all_deeds().get(plan.scenario.fault.experiment)
    if known is not None and known.timed:
        return False  # before its time: the rollback itself looks, and spoils it
    held = known is None or known.held
    return held or plan.scenario.recovery.runbook == AUTOMATIC


def note_early_end(fault: Injection, seen: Sightings, plan: Plan) -> None:
    """A fault that did not last until its release measures somebody's repair: nothing passes."""
    if seen.effect_observed and must_last(plan) and fault.state is not State.ACTIVE:
        why = f": {fault.why}" if fault.why else ""
        seen.interrupted = f"the fault was {fault.state} before the drill released it{why}"


def note_spoiled(fault: Injection, seen: Sightings, plan: Plan) -> None:
    """The experiment's own rollback found that the fault had ended by itself."""
    if seen.effect_observed and must_last(plan) and fault.state is State.SPOILED:
        seen.interrupted = seen.interrupted or f"the fault was spoiled: {fault.why}"


def note_interruption(run: RunDirectory, error: Interrupted) -> None:
    """Who stopped the run, why, and when it was asked for; once. A full disk delays no undoing."""
    file = run / layout.EVENTS
    with suppress(PeakdrillError):
        if events.read(file).timeline.first(MarkName.INTERRUPTED) is None:
            at_ns = error.at_ns or time.monotonic_ns()
            events.append(file, Mark(MarkName.INTERRUPTED, at_ns, at_ns, error.what))


def note_healed(run: RunDirectory, seen: Sightings) -> None:
    """A fault that was undone on the way out was seen to heal by its experiment, not by us."""
    with suppress(PeakdrillError):
        healed = events.read(run / layout.EVENTS).timeline.first(MarkName.FAULT_HEALED)
        seen.heal_observed = seen.heal_observed or healed is not None
