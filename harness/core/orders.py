"""Orders: the arrivals that carry a record, and how each of them was answered.

An order is the arrival that began with a CREATE, so its number is its record's. Reads and reports
are arrivals too, but nobody pays for them. RESYNC stands outside the schedule, here as there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from harness.core.operation import Detail, Flag, Kind, Outcome, Workload
from harness.core.operations import Operations, of_kind, type_bool, type_i64
from harness.core.records import Records, records_of

_CHAIN = (Kind.CREATE, Kind.ADVANCE, Kind.ATTACH, Kind.CANCEL, Kind.TOUCH)
_LATEST = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class Orders:
    """Columns as long as `Records`, in its order. Times in ns on the run's clock."""

    intended_ns: type_i64
    done_ns: type_i64  # of the last call that has an outcome, 0 when none has
    in_flight: type_bool  # a call of it never got an outcome
    answered: type_bool  # every call ACKED, the FINAL one among them
    good: type_bool
    uncertain: type_bool  # a call of unknown outcome, or a chain that just stops
    handed_over: type_bool  # its till sent it again, and that was ACKED
    ours: type_bool  # never sent: the generator dropped it, which says nothing of the platform


def orders_of(operations: Operations, records: Records, limits_ns: Mapping[int, int]) -> Orders:
    """Every order of the ledger. A workload without a limit has none that is GOOD."""
    count = len(records)
    canary = (operations.flags & np.uint8(Flag.CANARY)) != 0
    o = operations.where(~canary & of_kind(operations, *_CHAIN))
    record = records.keys.find(o.worker, o.record)
    o, record = o.where(record >= 0), record[record >= 0]

    def any_of(mask: type_bool) -> type_bool:
        seen = np.zeros(count, dtype=np.bool_)
        seen[record[mask]] = True
        return seen

    intended_ns = np.full(count, _LATEST, dtype=np.int64)
    np.minimum.at(intended_ns, record, o.intended_ns)
    done_ns = np.zeros(count, dtype=np.int64)
    np.maximum.at(done_ns, record, o.done_ns)
    limit_ns = np.full(256, -1, dtype=np.int64)
    for code, limit in limits_ns.items():
        limit_ns[code] = limit

    failed = any_of(o.outcome != Outcome.ACKED)
    answered = any_of((o.flags & np.uint8(Flag.FINAL)) != 0) & ~failed
    again, doubted = _resyncs(operations, records)
    open_call = any_of((o.outcome == Outcome.UNKNOWN) | (o.outcome == Outcome.NONE))
    return Orders(
        intended_ns=intended_ns,
        done_ns=done_ns,
        in_flight=any_of(o.outcome == Outcome.NONE),
        answered=answered,
        good=answered & (done_ns - intended_ns <= limit_ns[records.workload]),
        uncertain=open_call | doubted | (~answered & ~failed),
        handed_over=again,
        ours=any_of(o.detail == Detail.SHED_BY_CLIENT),
    )


def _resyncs(operations: Operations, records: Records) -> tuple[type_bool, type_bool]:
    """Of each record: whether a till's later sync of it was ACKED, and whether one is in doubt."""
    r = operations.where(of_kind(operations, Kind.RESYNC))
    record = records.keys.find(r.worker, r.record)
    acked, doubted = (np.zeros(len(records), dtype=np.bool_) for _ in range(2))
    acked[record[(record >= 0) & (r.outcome == Outcome.ACKED)]] = True
    doubt = (r.outcome == Outcome.UNKNOWN) | (r.outcome == Outcome.NONE)
    doubted[record[(record >= 0) & doubt]] = True
    return acked, doubted


class Backlog:
    """What was sent again (RESYNC) and when all of it was acknowledged, counted up by portions."""

    def __init__(self) -> None:
        self._done_ns: dict[int, int] = {}
        self._waiting: set[int] = set()

    def add(self, calls: Operations) -> None:
        """All calls about the records of one portion."""
        again = calls.where(calls.kind == Kind.RESYNC)
        if not len(again):
            return
        records = records_of(calls)
        record = records.keys.find(again.worker, again.record)
        known, acked = record >= 0, again.outcome == Outcome.ACKED
        for code in np.unique(again.workload).tolist():
            mine = again.workload == code
            if not records.acked[record[known & mine]].all():
                self._waiting.add(code)
            done_ns = int(again.done_ns[mine & acked].max(initial=0))
            self._done_ns[code] = max(done_ns, self._done_ns.get(code, 0))

    def drained_ns(self, workload: Workload) -> int | None:
        """When the last order that was sent again was acknowledged; None while one waits."""
        waits = workload.code in self._waiting
        return None if waits else self._done_ns.get(workload.code, 0) or None
