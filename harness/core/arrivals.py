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
        return self if mask.all() else self.at(np.flatnonzero(mask))

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
    first = chain_seq(o)
    chains = _in_order(o, first) or _in_any_order(o, first)

    limit_ns = np.full(256, -1, dtype=np.int64)
    for code, limit in limits_ns.items():
        limit_ns[code] = limit
    code = int(chains.workload[0])
    alike = (chains.workload == code).all()  # as often: one limit, and no look-up of each
    within_ns = limit_ns[code] if alike else limit_ns.take(chains.workload)
    answered = chains.final & ~chains.failed
    good = answered & (chains.canary | (chains.done_ns - chains.intended_ns <= within_ns))
    bad_at_ns, bad = chains.proven_ns, np.flatnonzero(~good)
    bad_at_ns[bad] = np.where(chains.failed[bad], bad_at_ns[bad], chains.sent_ns[bad])
    found = Arrivals(
        workload=chains.workload,
        canary=chains.canary,
        intended_ns=chains.intended_ns,
        done_ns=chains.done_ns,
        answered=answered,
        good=good,
        bad_at_ns=bad_at_ns,
        shed=chains.shed,
    )
    return found.where(chains.intended_ns < _LATEST)


@dataclass(frozen=True, slots=True)
class _Chains:
    """Columns of equal length, one row a chain, in the order of the first call's seq."""

    workload: type_u8
    canary: type_bool
    final: type_bool
    failed: type_bool  # a call of it was not ACKED
    shed: type_bool
    intended_ns: type_i64  # of the first call; `_LATEST` where there is no chain
    sent_ns: type_i64
    done_ns: type_i64
    proven_ns: type_i64  # the last proof by a call that was not ACKED, 0 where each was

    def add(self, number: npt.NDArray[np.intp], o: Operations) -> None:
        """More calls, in their order, and the row of each."""
        self.workload[number] = o.workload
        self.canary[number] = _has(o.flags, Flag.CANARY)
        self.final[number[_has(o.flags, Flag.FINAL)]] = True
        np.minimum.at(self.intended_ns, number, o.intended_ns)
        np.minimum.at(self.sent_ns, number, o.sent_ns)
        np.maximum.at(self.done_ns, number, o.done_ns)
        self.mark(number, o)

    def mark(self, number: npt.NDArray[np.intp] | None, o: Operations) -> None:
        """Those that were not ACKED; without a number a call's row is its own."""
        bad = np.flatnonzero(o.outcome != Outcome.ACKED)
        row = bad if number is None else number[bad]
        self.failed[row] = True
        self.shed[row[o.detail[bad] == Detail.HTTP_503_SHED]] = True
        np.maximum.at(self.proven_ns, row, _proof_ns(o, bad))


def _in_order(o: Operations, first: type_u32) -> _Chains | None:
    """The chains of one worker whose calls come as they were made, each after its first.

    So they do in a ledger; only what follows on a first call must be put to it then. None where
    it is not so.
    """
    if not ((o.worker == o.worker[0]).all() and (o.seq[1:] > o.seq[:-1]).all()):
        return None
    begins = o.seq == first
    later = np.flatnonzero(~begins)
    heads = o if not len(later) else o.at(np.flatnonzero(begins))
    if not len(heads) or (first[later] > o.seq[later]).any():
        return None
    count = len(heads)
    chains = _Chains(
        workload=heads.workload,
        canary=_has(heads.flags, Flag.CANARY),
        final=_has(heads.flags, Flag.FINAL),
        failed=np.zeros(count, dtype=np.bool_),
        shed=np.zeros(count, dtype=np.bool_),
        intended_ns=heads.intended_ns,
        sent_ns=heads.sent_ns,
        done_ns=np.maximum(heads.done_ns, 0),
        proven_ns=np.zeros(count, dtype=np.int64),
    )
    chains.mark(None, heads)
    if len(later):
        base, last = int(heads.seq[0]), int(heads.seq[-1])
        key = first[later].astype(np.int64) - base
        if (key < 0).any() or (key > last - base).any():
            return None
        numbers = np.full(last - base + 1, -1, dtype=np.intp)
        numbers[heads.seq.astype(np.int64) - base] = np.arange(count)
        number = numbers[key]
        if (number < 0).any():
            return None
        chains.add(number, o.at(later))
    return chains


def _in_any_order(o: Operations, first: type_u32) -> _Chains:
    """The same, of calls that come as they please."""
    key, size = _chain_keys(o, first)
    no, none = np.zeros(size, dtype=np.bool_), np.zeros(size, dtype=np.int64)
    chains = _Chains(
        workload=np.zeros(size, dtype=np.uint8),
        canary=no,
        final=no.copy(),
        failed=no.copy(),
        shed=no.copy(),
        intended_ns=np.full(size, _LATEST, dtype=np.int64),
        sent_ns=np.full(size, _LATEST, dtype=np.int64),
        done_ns=none,
        proven_ns=none.copy(),
    )
    chains.add(key, o)
    return chains


def _scheduled(o: Operations) -> Operations:
    """The calls of the schedule: no RESYNC, and no read that is only a step on the way."""
    stray = (o.kind == Kind.RESYNC) | ((o.kind == Kind.READ) & ~_has(o.flags, Flag.FINAL))
    return o.where(~stray) if stray.any() else o


def chain_seq(o: Operations) -> type_u32:
    """The seq of the first call of each call's chain: with its worker, the key of its arrival."""
    alone = _has(o.flags, Flag.CANARY) | (o.kind == Kind.READ)
    return np.where(alone, o.seq, o.record)


def _chain_keys(o: Operations, first_seq: type_u32) -> tuple[type_i64, int]:
    """A dense number per chain: of each worker from its first chain to its last."""
    first = first_seq.astype(np.int64)
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
