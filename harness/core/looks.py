"""Every portion of a run put together: its records, and what each look at the stores found of them.

    for piece in pieces(plan, evidence, restore):
        ...  # piece.records, piece.first, piece.second: columns of one stretch of keys

What is told of the whole run is counted up over the pieces: `write_counts`, `restoration`, `money`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from harness.core.evidence import Evidence, Portion, ReadBack
from harness.core.operations import Operations, type_bool
from harness.core.plan import Plan
from harness.core.records import Records, records_of
from harness.core.recovery_point import (
    Classes,
    Held,
    Strangers,
    classify,
    held_by,
    not_settled,
    replayed,
    stale_reads,
    strangers_of,
)
from harness.core.restoration import End, Restore, as_restored


@dataclass(frozen=True, slots=True)
class Look:
    """One read-back of one portion, classified."""

    classes: Classes
    held: Held
    strangers: Strangers
    stale: Operations  # reads; reports are held against the whole run
    replayed: type_bool


@dataclass(frozen=True, slots=True)
class Piece:
    """One portion. A look that was not taken, or not whole, is None."""

    number: int
    portion: Portion
    records: Records
    first: Look | None
    second: Look | None
    end: End | None  # what became of every record, by the last look

    @property
    def looks(self) -> dict[str, Look]:
        found = {"first": self.first, "second": self.second}
        return {name: look for name, look in found.items() if look is not None}


def pieces(
    plan: Plan, evidence: Evidence, restore: Restore | None, numbers: Iterable[int] | None = None
) -> Iterator[Piece]:
    """All portions in their order, or those with these numbers."""
    for number in range(evidence.count) if numbers is None else numbers:
        portion = evidence.portion(number)
        records = records_of(portion.calls)
        given = _Given(plan, evidence, restore, portion, records)
        first = _look("first", None, given)
        second = _look("second", first, given)
        last = first if evidence.second is None else second
        end = None if last is None else End(records, last.classes, last.held)
        yield Piece(number, portion, records, first, second, end)


def settled(evidence: Evidence) -> bool:
    """Whether queues and replay were seen to end before the last look."""
    return evidence.second is not None and evidence.observation.replay_ended_ns is not None


@dataclass(frozen=True, slots=True)
class _Given:
    plan: Plan
    evidence: Evidence
    restore: Restore | None
    portion: Portion
    records: Records


def _look(name: str, before: Look | None, given: _Given) -> Look | None:
    evidence, records = given.evidence, given.records
    taken = evidence.looks.get(name)
    if taken is None or not taken.complete:
        return None
    found = given.portion.found[name]
    held = held_by(records, found)
    classes = as_restored(given.restore, given.portion, records, classify(records, held), held)
    if not settled(evidence):
        stored = _stored_before(evidence, given.portion, records, taken)
        classes = not_settled(records, classes, held, stored)
    back = np.zeros(len(records), dtype=np.bool_)
    if before is not None:
        back = replayed(records, before.classes, classes, held)
    staleness_ns = given.plan.targets.staleness_ns()
    return Look(
        classes=classes,
        held=held,
        strangers=strangers_of(records, found, evidence.ledgers, given.plan.workers),
        stale=stale_reads(given.portion.calls, records, classes.lost, staleness_ns),
        replayed=back,
    )


def _stored_before(
    evidence: Evidence, portion: Portion, records: Records, taken: ReadBack
) -> type_bool:
    """Which records an earlier look has found in the stores."""
    stored = np.zeros(len(records), dtype=np.bool_)
    for name in ("restored", "first"):
        look = evidence.looks.get(name)
        if look is not None and look.complete and look.taken_ns < taken.taken_ns:
            stored |= held_by(records, portion.found[name]).present
    return stored
