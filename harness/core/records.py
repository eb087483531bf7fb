"""Records: what the ledger knows of each record, put together from the calls about it.

A record is what one CREATE made (or may have made). Later calls move it on: its state is judged
by each of them, its existence by the outcome of the CREATE and of a till's RESYNCs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from harness.core.operation import Flag, Kind, Outcome
from harness.core.operations import (
    Operations,
    of_kind,
    type_bool,
    type_i64,
    type_u8,
    type_u32,
    type_u64,
)

T = TypeVar("T", bound=np.generic)
type_rows = npt.NDArray[np.intp] | None

NEVER = np.iinfo(np.int64).max
_OF_RECORDS = (Kind.CREATE, Kind.ADVANCE, Kind.ATTACH, Kind.CANCEL, Kind.RESYNC)


@dataclass(frozen=True, slots=True)
class Keys:
    """From (worker, seq) to the number of the record with that key, -1 where there is none.

    Of each worker only the stretch from its first record to its last has places.
    """

    bases: type_i64  # by worker: the place of its key 0, inside or not
    begins: type_i64  # by worker: its first place
    ends: type_i64
    numbers: npt.NDArray[np.intp]

    @classmethod
    def of(cls, creates: Operations) -> Keys:
        workers = int(creates.worker.max(initial=0)) + 1
        bases, begins, ends = (np.zeros(workers, dtype=np.int64) for _ in range(3))
        only = one_worker(creates.worker)
        place = 0
        for worker in [only] if only is not None else np.unique(creates.worker).tolist():
            seq = creates.seq if only is not None else creates.seq[creates.worker == worker]
            first, length = int(seq.min()), int(seq.max()) - int(seq.min()) + 1
            begins[worker], ends[worker] = place, place + length
            bases[worker] = place - first
            place += length
        numbers = np.full(place + 1, -1, dtype=np.intp)
        base = bases[creates.worker] if only is None else bases[only]
        numbers[creates.seq + base] = np.arange(len(creates))
        return cls(bases, begins, ends, numbers)

    def find(self, worker: npt.NDArray[np.uint16], seq: type_u32) -> npt.NDArray[np.intp]:
        """The record of each key."""
        only = one_worker(worker)
        if only is not None and only < len(self.bases):
            base, begin, end = self.bases[only], self.begins[only], self.ends[only]
            place = seq + base  # as nearly always: one worker's keys
            if seq.min() + base >= begin and seq.max() + base < end:
                found: npt.NDArray[np.intp] = self.numbers[place]
                return found
            return self._of((place >= begin) & (place < end), place)
        known = worker < len(self.bases)
        at = np.where(known, worker, 0).astype(np.intp)
        place = seq + self.bases[at]
        return self._of(known & (place >= self.begins[at]) & (place < self.ends[at]), place)

    def _of(self, known: type_bool, place: type_i64) -> npt.NDArray[np.intp]:
        found: npt.NDArray[np.intp] = self.numbers[np.where(known, place, -1)]
        return found


@dataclass(frozen=True, slots=True)
class Records:
    """Columns of equal length, one row a record; `calls` and `call_record` are its calls.

    A stage is 0 where no call with that outcome concerns it. Times in ns; `NEVER` where none.
    """

    keys: Keys
    worker: npt.NDArray[np.uint16]
    seq: type_u32
    workload: type_u8
    canary: type_bool
    value_cents: type_u32
    digest: type_u64
    acked: type_bool  # at least one call about it was ACKED, so it exists
    unknown: type_bool  # nothing ACKED, and a create whose end nobody knows
    refused: type_bool  # every create was provably without effect
    resent: type_bool  # sent more than once by a call that is not idempotent
    acked_stage: type_u8
    open_stage: type_u8  # the greatest stage that a call of unknown outcome may have reached
    refused_stage: type_u8
    cancel: type_u8  # graveness-ordered outcome of its CANCEL: see `Outcome`; 0 none was sent
    document: type_u64  # digest of the document that was sent, 0 none
    attach: type_u8  # outcome of its ATTACH; 0 none was sent
    sent_ns: type_i64  # of the first create that was ACKED
    acked_ns: type_i64  # the first acknowledgement
    calls: Operations
    call_record: npt.NDArray[np.intp]
    alone: bool = False  # each has one call, its CREATE, and they are in one order

    def __len__(self) -> int:
        return len(self.seq)

    def of_calls(self, column: npt.NDArray[T]) -> npt.NDArray[T]:
        """Of each call: what the column has of its record."""
        return column if self.alone else column[self.call_record]


def records_of(operations: Operations) -> Records:
    """Every record that any worker tried to make, with the calls about it."""
    creates = operations.where(operations.kind == Kind.CREATE)
    keys, count = Keys.of(creates), len(creates)
    alone = creates is operations and _are_alone(creates)
    calls = operations if alone else operations.where(of_kind(operations, *_OF_RECORDS))
    record = np.arange(count) if alone else keys.find(calls.worker, calls.record)
    if not alone and (record < 0).any():
        known = record >= 0
        calls, record = calls.where(known), record[known]
    outcome = calls.outcome
    if not outcome.all():
        outcome = np.where(outcome == Outcome.NONE, np.uint8(Outcome.UNKNOWN), outcome)
    is_acked = outcome == Outcome.ACKED
    is_create = (calls.kind == Kind.CREATE) | (calls.kind == Kind.RESYNC)
    moves = is_create | (calls.kind == Kind.ADVANCE)
    of = None if alone else record

    acked = any_of(count, of, is_acked)
    is_open = is_create & (outcome == Outcome.UNKNOWN)
    unknown = any_of(count, of, is_open) & ~acked
    return Records(
        keys=keys,
        worker=creates.worker,
        seq=creates.seq,
        workload=creates.workload,
        canary=(creates.flags & np.uint8(Flag.CANARY)) != 0,
        value_cents=creates.value_cents,
        digest=creates.digest,
        acked=acked,
        unknown=unknown,
        refused=~acked & ~unknown,
        resent=(creates.sends > 1) & ((creates.flags & np.uint8(Flag.IDEMPOTENT)) == 0),
        acked_stage=_greatest(count, of, calls.stage, moves & is_acked),
        open_stage=_greatest(count, of, calls.stage, moves & (outcome == Outcome.UNKNOWN)),
        refused_stage=_greatest(count, of, calls.stage, moves & (outcome == Outcome.REFUSED)),
        cancel=_outcome_of(count, record, outcome, calls.kind == Kind.CANCEL),
        document=_document(count, record, calls),
        attach=_outcome_of(count, record, outcome, calls.kind == Kind.ATTACH),
        sent_ns=_earliest(count, of, calls.sent_ns, is_create & is_acked),
        acked_ns=_earliest(count, of, calls.done_ns, is_acked),
        calls=calls,
        call_record=record,
        alone=alone,
    )


def _are_alone(creates: Operations) -> bool:
    """Whether each of these calls is the only one of its record, in the order of one worker."""
    in_order = (creates.seq[1:] > creates.seq[:-1]).all()
    ours = one_worker(creates.worker) is not None
    return bool(ours and in_order and (creates.record == creates.seq).all())


def one_worker(worker: npt.NDArray[np.uint16]) -> int | None:
    """The worker of all rows, as nearly always; None where there are more, or no row."""
    only = int(worker[0]) if len(worker) else None
    return only if only is not None and bool((worker == only).all()) else None


def any_of(count: int, record: type_rows, mask: type_bool) -> type_bool:
    """Of each record: whether one of its rows is marked; without a record a row is its own."""
    if record is None:
        return mask
    seen = np.zeros(count, dtype=np.uint8)
    if mask.any():
        np.maximum.at(seen, record, mask.view(np.uint8))
    return seen.view(np.bool_)


def _greatest(count: int, record: type_rows, values: type_u8, mask: type_bool) -> type_u8:
    if record is None:
        return values if mask.all() else values * mask
    greatest = np.zeros(count, dtype=np.uint8)
    if mask.any():
        np.maximum.at(greatest, record, values * mask)
    return greatest


def _earliest(count: int, record: type_rows, values: type_i64, mask: type_bool) -> type_i64:
    if record is None:
        return values if mask.all() else np.where(mask, values, NEVER)
    earliest = np.full(count, NEVER, dtype=np.int64)
    np.minimum.at(earliest, record, np.where(mask, values, NEVER))
    return earliest


def _outcome_of(
    count: int, record: npt.NDArray[np.intp], outcome: type_u8, mask: type_bool
) -> type_u8:
    """The surest outcome of the marked calls: ACKED before UNKNOWN before REFUSED, 0 none."""
    surest = np.zeros(count, dtype=np.uint8)
    if not mask.any():
        return surest
    for value in (Outcome.REFUSED, Outcome.UNKNOWN, Outcome.ACKED):
        surest[record[mask & (outcome == value)]] = value
    return surest


def _document(count: int, record: npt.NDArray[np.intp], calls: Operations) -> type_u64:
    document = np.zeros(count, dtype=np.uint64)
    attached = np.flatnonzero(calls.kind == Kind.ATTACH)
    document[record[attached]] = calls.digest[attached]
    return document
