"""What each read-back found over the whole run, counted up over its pieces.

What is kept grows with what went wrong, not with the run: counts, the keys of strangers, reads that
were stale, and twenty examples of a class.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from harness.core.evidence import Evidence
from harness.core.looks import Look, pieces
from harness.core.operations import Operations
from harness.core.plan import Plan
from harness.core.records import Records
from harness.core.recovery_point import PostedBefore, Strangers
from harness.core.restoration import Restore
from harness.core.timeline import Mark
from harness.core.write_counts import WriteTally


@dataclass(frozen=True, slots=True)
class LookOfRun:
    """One read-back that was taken whole."""

    name: str
    tally: WriteTally
    strangers: Strangers
    stale: Operations


class _Growing:
    """One read-back, while pieces are added."""

    def __init__(self, plan: Plan, evidence: Evidence) -> None:
        self.tally = WriteTally(t.workload for t in plan.targets.workloads)
        self._strangers: list[Strangers] = []
        self._stale: list[Operations] = []
        self._posted = PostedBefore(evidence.reports, plan.targets.staleness_ns())

    def add(self, number: int, records: Records, look: Look) -> None:
        self.tally.add(number, records, look)
        self._posted.add(records, look.classes.lost)
        if len(look.strangers.seq):
            self._strangers.append(look.strangers)
        if len(look.stale):
            self._stale.append(look.stale)

    def whole(self, name: str) -> LookOfRun:
        reads = Operations.concatenate(self._stale)
        reads = reads.at(np.lexsort((reads.seq, reads.worker)))
        stale = Operations.concatenate([reads, self._posted.short()])
        return LookOfRun(name, self.tally, _joined(self._strangers), stale)


@dataclass(frozen=True, slots=True)
class Looks:
    """The first and the second, as far as they were taken whole."""

    by_name: dict[str, LookOfRun]

    @classmethod
    def of(
        cls, plan: Plan, evidence: Evidence, restore: Restore | None, fault: Mark | None
    ) -> Looks:
        """Every piece once; and those once more in which a loss may not be a suffix."""
        growing = {
            name: _Growing(plan, evidence)
            for name, taken in evidence.looks.items()
            if taken.complete and name != "restored"
        }
        if growing:
            for piece in pieces(plan, evidence, restore):
                for name, look in piece.looks.items():
                    growing[name].add(piece.number, piece.records, look)
        unsure = {name: found.tally.undecided(fault) for name, found in growing.items()}
        again = sorted({number for numbers in unsure.values() for number in numbers})
        for piece in pieces(plan, evidence, restore, again):
            for name, look in piece.looks.items():
                growing[name].tally.look_again(piece.records, look, fault)
        looks = evidence.looks
        return cls({name: found.whole(looks[name].name) for name, found in growing.items()})


def _joined(parts: list[Strangers]) -> Strangers:
    """All of them, in the order of their keys."""
    none = Strangers(
        np.zeros(0, np.uint16), np.zeros(0, np.uint32), np.zeros(0, np.uint8), np.zeros(0, np.bool_)
    )
    every = [none, *parts]
    return Strangers(
        **{f.name: np.concatenate([getattr(p, f.name) for p in every]) for f in fields(Strangers)}
    )
