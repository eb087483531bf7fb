"""Arrivals: the calls of one user, put together again, and whether the user was served.

An arrival is a chain of calls under one (worker, record). It is GOOD when every call of it was
ACKED, its FINAL call among them, and the last one was done within the latency limit, counted from
the *intended* time. A canary is one call with its limit for a time-out, so ACKED is enough. A
read of somebody else's record is an arrival of its own. RESYNC stands outside the schedule.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from harness.core.operation import Detail, Flag, Kind, Outcome
from harness.core.operations import Operations, type_bool, type_i64, type_u8, type_u32

AT_ONCE_NS = 5_000_000
"""A call that failed within this time failed at once; a slower one hung.

A refusal on a local network takes less than 1 ms. Whatever took longer is dated by its sending,
which can only lower the low end of an interval, never lift it above the truth.
"""
_LATEST = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Columns of equal length, one row an arrival, in no order. Times in ns on the run's clock.

    `bad_at_ns` dates the proof that the platform was bad: when the failing call was sent if it
    hung, when it was done if it failed at once; 0 where the arrival is GOOD.
    """

    workload: type_u8
    canary: type_bool
    intended_ns: type_i64
    done_ns: type_i64  # of the last call that has an outcome, 0 when none has
    answered: type_bool  # every call ACKED, the FINAL one among them
    good: type_bool
    bad_at_ns: type_i64
    shed: type_bool  # an explicit 503

    def __len__(self) -> int:
        return len(self.intended_ns)

    def where(self, mask: type_bool) -> Arrivals:
        """The rows of `mask`."""
        rows = np.flatnonzero(mask)
        if len(rows) == len(self):
            return self
        return self.at(rows)

    def at(self, rows: npt.NDArray[np.intp]) -> Arrivals:
        """These rows, in this order."""
        return Arrivals(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})

    def between(self, first: int, end: int) -> Arrivals:
        """The rows from `first` to before `end`, without a copy."""
        if first == 0 and end == len(self):
            return self
        return Arrivals(**{f.name: getattr(self, f.name)[first:end] for f in fields(self)})

    @classmethod
    def nothing(cls) -> Arrivals:
        """No arrivals."""
        none, no = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.bool_)
        return cls(np.zeros(0, dtype=np.uint8), no, none, none, no, no, none, no)

    @classmethod
    def concatenate(cls, parts: Iterable[Arrivals]) -> Arrivals:
        """All rows of `parts`, of which there is one at least; no two copies of it are held."""
        columns: dict[str, list[npt.NDArray[np.generic]]] = {f.name: [] for f in fields(cls)}
        for part in parts:
            for name, column in columns.items():
                column.append(getattr(part, name))
        whole = {name: np.concatenate(columns.pop(name)) for name in tuple(columns)}
        return cls(**whole)


def arrivals_of(operations: Operations, limits_ns: Mapping[int, int]) -> Arrivals:
    """Every arrival of the ledger. `limits_ns`: latency limit by workload code.

    A workload without a limit has no arrival that is GOOD.
    """
    o = _scheduled(operations)
    if not len(o.seq):
        return Arrivals.nothing()
    key, size = _chain_keys(o)
    bad = np.flatnonzero(o.outcome != Outcome.ACKED)
    bad_key = key[bad]

    workload = np.zeros(size, dtype=np.uint8)
    workload[key] = o.workload
    canary = np.zeros(size, dtype=np.bool_)
    canary[key] = _has(o.flags, Flag.CANARY)
    final = np.zeros(size, dtype=np.bool_)
    last = _has(o.flags, Flag.FINAL)
    final[key if last.all() else key[last]] = True
    failed = np.zeros(size, dtype=np.bool_)
    failed[bad_key] = True
    shed = np.zeros(size, dtype=np.bool_)
    shed[bad_key[o.detail[bad] == Detail.HTTP_503_SHED]] = True
    intended_ns = np.full(size, _LATEST, dtype=np.int64)
    np.minimum.at(intended_ns, key, o.intended_ns)
    sent_ns = np.full(size, _LATEST, dtype=np.int64)
    np.minimum.at(sent_ns, key, o.sent_ns)
    done_ns = np.zeros(size, dtype=np.int64)
    np.maximum.at(done_ns, key, o.done_ns)
    bad_at_ns = np.zeros(size, dtype=np.int64)
    np.maximum.at(bad_at_ns, bad_key, _proof_ns(o, bad))

    limit_ns = np.full(256, -1, dtype=np.int64)
    for code, limit in limits_ns.items():
        limit_ns[code] = limit
    answered = final & ~failed
    good = answered & (canary | (done_ns - intended_ns <= limit_ns.take(workload)))
    bad_at_ns = np.where(good, 0, np.where(failed, bad_at_ns, sent_ns))
    found = Arrivals(workload, canary, intended_ns, done_ns, answered, good, bad_at_ns, shed)
    return found.where(intended_ns < _LATEST)


def _scheduled(o: Operations) -> Operations:
    """The calls of the schedule: no RESYNC, and no read that is only a step on the way."""
    stray = (o.kind == Kind.RESYNC) | ((o.kind == Kind.READ) & ~_has(o.flags, Flag.FINAL))
    return o.where(~stray) if stray.any() else o


def chain_seq(o: Operations) -> type_u32:
    """The seq of the first call of each call's chain: with its worker, the key of its arrival."""
    alone = _has(o.flags, Flag.CANARY) | (o.kind == Kind.READ)
    return np.where(alone, o.seq, o.record)


def _chain_keys(o: Operations) -> tuple[type_i64, int]:
    """A dense number per chain: of each worker from its first chain to its last."""
    first = chain_seq(o).astype(np.int64)
    if bool((o.worker == o.worker[0]).all()):
        least = int(first.min())
        return first - least, int(first.max()) - least + 1
    workers = int(o.worker.max()) + 1
    begins = np.full(workers, _LATEST, dtype=np.int64)
    np.minimum.at(begins, o.worker, first)
    ends = begins.copy()  # a worker without a call has a stretch of nothing
    begun = begins < _LATEST
    ends[begun] = 0
    np.maximum.at(ends, o.worker, first + 1)
    offsets = np.concatenate([[0], np.cumsum(ends - begins)])
    return first + (offsets[:-1] - begins)[o.worker], int(offsets[-1])


def _proof_ns(o: Operations, bad: type_i64) -> type_i64:
    """When each call that was not ACKED proved that the platform was bad."""
    detail, sent_ns, done_ns = o.detail[bad], o.sent_ns[bad], o.done_ns[bad]
    hung = (
        (o.outcome[bad] == Outcome.NONE)
        | (detail == Detail.TIMEOUT)
        | (detail == Detail.CONNECT_TIMEOUT)
        | (done_ns - sent_ns > AT_ONCE_NS)
    )
    return np.where(hung, sent_ns, done_ns)


def _has(flags: type_u8, flag: Flag) -> type_bool:
    has: type_bool = (flags & np.uint8(flag)) != 0
    return has
