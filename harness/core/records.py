"""Records: what the ledger knows of each record, put together from the calls about it.

A record is what one CREATE made (or may have made). Later calls move it on: its state is judged
by each of them, its existence by the outcome of the CREATE and of a till's RESYNCs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.core.operation import Flag, Kind, Outcome
from harness.core.operations import (
    Operations,
    type_bool,
    type_i64,
    type_u8,
    type_u32,
    type_u64,
)

NEVER = np.iinfo(np.int64).max
_OF_RECORDS = (Kind.CREATE, Kind.ADVANCE, Kind.ATTACH, Kind.CANCEL, Kind.RESYNC)


@dataclass(frozen=True, slots=True)
class Keys:
    """From (worker, seq) to the number of the record with that key, -1 where there is none."""

    offsets: type_i64  # first place of each worker, and the end
    numbers: npt.NDArray[np.int32]

    @classmethod
    def of(cls, creates: Operations) -> Keys:
        workers = int(creates.worker.max(initial=0)) + 1
        ends = np.zeros(workers, dtype=np.int64)
        for worker in np.unique(creates.worker):
            ends[worker] = int(creates.seq[creates.worker == worker].max()) + 1
        offsets = np.concatenate([[0], np.cumsum(ends)])
        numbers = np.full(int(offsets[-1]) + 1, -1, dtype=np.int32)
        numbers[offsets[creates.worker] + creates.seq] = np.arange(len(creates))
        return cls(offsets, numbers)

    def find(self, worker: npt.NDArray[np.uint16], seq: type_u32) -> npt.NDArray[np.int32]:
        """The record of each key."""
        known = worker < len(self.offsets) - 1
        at = np.where(known, worker, 0).astype(np.int64)
        place = self.offsets[at] + seq
        known &= place < self.offsets[at + 1]
        return self.numbers[np.where(known, place, -1)]


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
    call_record: npt.NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.seq)


def records_of(operations: Operations) -> Records:
    """Every record that any worker tried to make, with the calls about it."""
    creates = operations.where(operations.kind == Kind.CREATE)
    keys = Keys.of(creates)
    of_records = np.isin(operations.kind, np.array(_OF_RECORDS, dtype=np.uint8))
    calls = operations.where(of_records)
    record = keys.find(calls.worker, calls.record)
    calls, record = calls.where(record >= 0), record[record >= 0]
    outcome = np.where(calls.outcome == Outcome.NONE, Outcome.UNKNOWN, calls.outcome)
    is_acked = outcome == Outcome.ACKED
    is_create = (calls.kind == Kind.CREATE) | (calls.kind == Kind.RESYNC)
    moves = is_create | (calls.kind == Kind.ADVANCE)
    count = len(creates)

    acked = _any(count, record[is_acked])
    is_open = is_create & (outcome == Outcome.UNKNOWN)
    unknown = _any(count, record[is_open]) & ~acked
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
        acked_stage=_greatest(count, record, calls.stage, moves & is_acked),
        open_stage=_greatest(count, record, calls.stage, moves & (outcome == Outcome.UNKNOWN)),
        refused_stage=_greatest(count, record, calls.stage, moves & (outcome == Outcome.REFUSED)),
        cancel=_outcome_of(count, record, outcome, calls.kind == Kind.CANCEL),
        document=_document(count, record, calls),
        attach=_outcome_of(count, record, outcome, calls.kind == Kind.ATTACH),
        sent_ns=_earliest(count, record, calls.sent_ns, is_create & is_acked),
        acked_ns=_earliest(count, record, calls.done_ns, is_acked),
        calls=calls,
        call_record=record,
    )


def _any(count: int, records: npt.NDArray[np.int32]) -> type_bool:
    seen = np.zeros(count, dtype=np.bool_)
    seen[records] = True
    return seen


def _greatest(
    count: int, record: npt.NDArray[np.int32], values: type_u8, mask: type_bool
) -> type_u8:
    greatest = np.zeros(count, dtype=np.uint8)
    np.maximum.at(greatest, record[mask], values[mask])
    return greatest


def _earliest(
    count: int, record: npt.NDArray[np.int32], values: type_i64, mask: type_bool
) -> type_i64:
    earliest = np.full(count, NEVER, dtype=np.int64)
    np.minimum.at(earliest, record[mask], values[mask])
    return earliest


def _outcome_of(
    count: int, record: npt.NDArray[np.int32], outcome: type_u8, mask: type_bool
) -> type_u8:
    """The surest outcome of the marked calls: ACKED before UNKNOWN before REFUSED, 0 none."""
    surest = np.zeros(count, dtype=np.uint8)
    for value in (Outcome.REFUSED, Outcome.UNKNOWN, Outcome.ACKED):
        surest[record[mask & (outcome == value)]] = value
    return surest


def _document(count: int, record: npt.NDArray[np.int32], calls: Operations) -> type_u64:
    document = np.zeros(count, dtype=np.uint64)
    attached = calls.kind == Kind.ATTACH
    document[record[attached]] = calls.digest[attached]
    return document
