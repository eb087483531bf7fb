"""Where load workers ran, and how a ledger written elsewhere reads on the run's clock."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from harness.core.clock_bounds import RoundTrip, WorkerClock, clock_of
from harness.core.operation import Kind
from harness.core.operations import Operations


class WorkersIn(StrEnum):
    """Where load workers run."""

    HERE = "here"  # processes beside the harness: one clock
    PODS = "pods"  # of the cluster: each with a clock and a disk of its own


@dataclass(frozen=True, slots=True)
class WorkerPlace:
    """One worker, and the schedule's zero on its own clock."""

    worker: int
    name: str  # of its pod
    node: str
    begin_ns: int


@dataclass(frozen=True, slots=True)
class ClockHealth:
    """What is known of one worker's clock over its whole ledger."""

    worker: int
    error_ns: int  # at most: of a translated time, and of the schedule that it followed
    why: str = ""  # it cannot be trusted at all


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """What turns one worker's ledger into the run's times."""

    place: WorkerPlace
    clock: WorkerClock
    begun_ns: int  # the schedule's zero on the run's clock

    def on_run_clock(self, operations: Operations) -> Operations:
        """A scheduled arrival was due when the run's own schedule says; all else was observed.

        What stands beside the schedule (a till's RESYNC) is due when it is sent.
        """
        moved = operations.intended_ns - self.place.begin_ns + self.begun_ns
        beside = operations.kind == Kind.RESYNC
        done_ns = self.clock.to_run_ns(operations.done_ns)
        return replace(
            operations,
            intended_ns=np.where(beside, self.clock.to_run_ns(operations.intended_ns), moved),
            sent_ns=self.clock.to_run_ns(operations.sent_ns),
            done_ns=np.where(operations.done_ns > 0, done_ns, 0),
        )

    def health(self, operations: Operations) -> ClockHealth:
        """Over the times that stand in the ledger, as its worker wrote them."""
        return self.health_until(self.last_ns(operations))

    def last_ns(self, operations: Operations) -> int:
        """The last of those times, or the begin of the schedule."""
        return max(
            int(column.max(initial=self.place.begin_ns))
            for column in (operations.intended_ns, operations.sent_ns, operations.done_ns)
        )

    def health_until(self, last_ns: int) -> ClockHealth:
        """Over times that end then."""
        begin_ns, worker = self.place.begin_ns, self.place.worker
        if (stepped_ns := self.clock.stepped_ns) is not None:
            at_s = (stepped_ns - begin_ns) / 1e9
            return ClockHealth(worker, 0, f"its clock stepped about {at_s:.0f} s after the begin")
        return ClockHealth(
            worker, self.clock.error_ns(begin_ns, last_ns) + self._astray_ns(begin_ns, last_ns)
        )

    def _astray_ns(self, first_ns: int, last_ns: int) -> int:
        """How far the schedule that the worker followed lay beside the run's own."""
        at_ns = np.concatenate([[first_ns, last_ns], self.clock.at_ns.clip(first_ns, last_ns)])
        return int(np.abs(self.clock.to_run_ns(at_ns) - (at_ns - first_ns + self.begun_ns)).max())


def elsewhere_of(
    places: Iterable[WorkerPlace], trips: Iterable[RoundTrip], *, begun_ns: int
) -> dict[int, Elsewhere]:
    """By worker; one whose clock was never asked for has none."""
    asked = tuple(trips)
    clocks = ((place, clock_of(place.worker, asked)) for place in places)
    return {
        place.worker: Elsewhere(place, clock, begun_ns)
        for place, clock in clocks
        if clock is not None
    }
