"""RPO: what was acknowledged, and what the stores hold of it.

The outcome of a record's CREATE says whether it must, may or must not exist; each later call that
was ACKED says how far it must have come. A record counts once in LOST. The classes are those of
measurement.md, section 4:

                      in the store                       not in the store
    ACKED             fine, or ALTERED, PARTIAL ...      LOST (REPLAYED: back at the second look)
                                                         waiting: perhaps still in a queue
    UNKNOWN           RECOVERED                          ABSENT
    REFUSED           GHOST                              fine
    never sent        UNEXPECTED
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

import numpy as np
import numpy.typing as npt

from harness.core.evidence import LedgerHealth, Part, Survivors
from harness.core.operation import Detail, Kind, Outcome, Stage, Workload
from harness.core.operations import Operations, of_kind, type_bool, type_i64, type_u8
from harness.core.records import Records, any_of

_BY_QUEUE = (Workload.MARKETPLACE,)  # acknowledged once its queue has it, and stored later
_BY_ITSELF = Stage.RESERVED  # a platform reserves on confirmation: no call is needed for it


@dataclass(frozen=True, slots=True)
class Held:
    """What the stores hold of each record. Columns as long as `Records`."""

    rows: type_i64
    present: type_bool  # by one row or more
    least_stage: type_u8
    stage: type_u8  # the greatest
    content_agrees: type_bool  # at least one row has the digest that was sent
    lines: type_bool  # at least one row has its lines
    whole: type_bool  # at least one row has every part that its state asks for
    document: type_bool  # a document is there
    document_agrees: type_bool


def held_by(records: Records, survivors: Survivors) -> Held:
    """Survivors by record; rows whose key belongs to no record are left out."""
    record, count = records.keys.find(survivors.worker, survivors.seq), len(records)
    mine = record >= 0
    if not mine.all():
        rows = np.flatnonzero(mine)
        record, survivors = record[rows], survivors.at(rows)
    digest, document = survivors.digest, survivors.document
    parts, expected = survivors.parts, survivors.expected_parts
    counted = np.bincount(record, minlength=count).astype(np.int64, copy=False)
    present = counted > 0

    def some(of_rows: type_bool) -> type_bool:
        if of_rows.all():
            return present
        return any_of(count, record, of_rows)

    least = np.full(count, np.iinfo(np.uint8).max, dtype=np.uint8)
    np.minimum.at(least, record, survivors.stage)
    greatest = np.zeros(count, dtype=np.uint8)
    np.maximum.at(greatest, record, survivors.stage)
    sent = records.digest[record]
    return Held(
        rows=counted,
        present=present,
        least_stage=least,
        stage=greatest,
        content_agrees=some((digest == sent) | (sent == 0)),
        lines=some(((parts & Part.LINES) != 0) | ((expected & Part.LINES) == 0)),
        whole=some((expected & ~parts) == 0),
        document=some(document != 0),
        document_agrees=some(document == records.document[record]),
    )


@dataclass(frozen=True, slots=True)
class Classes:
    """One mask a class, as long as `Records`. A record can be in several but LOST once."""

    acked: type_bool
    unknown: type_bool
    refused: type_bool
    lost: type_bool
    absent: type_bool
    recovered: type_bool
    ghost: type_bool
    duplicate: type_bool
    altered: type_bool
    partial: type_bool
    resurrected: type_bool
    duplicate_by_retry: type_bool
    waiting: type_bool  # ACKED by a queue that nobody saw drained: may be in it still
    call_lost: type_bool  # of `Records.calls`: ACKED, and its effect is gone

    def names(self) -> tuple[str, ...]:
        return tuple(f.name for f in fields(self) if f.name != "call_lost")


def classify(records: Records, held: Held) -> Classes:
    """Every record's classes at one look."""
    present = held.present
    may_exist = present & ~records.refused
    call_lost = _calls_lost(records, held)
    lost = call_lost
    if not records.alone:
        lost = np.zeros(len(records), dtype=np.bool_)
        lost[records.call_record[call_lost]] = True
    attached = records.attach == Outcome.ACKED
    sent_document = attached | (records.attach == Outcome.UNKNOWN)
    other_document = sent_document & held.document & ~held.document_agrees
    altered = may_exist & ((~held.content_agrees & held.lines) | other_document)
    missing = ~held.whole | (attached & ~held.document)
    twice = may_exist & (held.rows > 1)
    return Classes(
        acked=records.acked,
        unknown=records.unknown,
        refused=records.refused,
        lost=lost,
        absent=records.unknown & ~present,
        recovered=records.unknown & present,
        ghost=_ghosts(records, held),
        duplicate=twice & ~records.resent,
        altered=altered,
        partial=may_exist & ~altered & missing,
        resurrected=present
        & (records.cancel == Outcome.ACKED)
        & (held.least_stage != Stage.CANCELLED),
        duplicate_by_retry=twice & records.resent,
        waiting=np.zeros(len(records), dtype=np.bool_),
        call_lost=call_lost,
    )


def not_settled(
    records: Records, classes: Classes, held: Held, stored_before: type_bool
) -> Classes:
    """The classes of a look where queues were not seen to drain: what may wait is not LOST.

    Only what a queue acknowledges can wait in one; and what was stored once does not any more.
    """
    queued = np.isin(records.workload, np.array([w.code for w in _BY_QUEUE], dtype=np.uint8))
    waiting = classes.lost & queued & ~held.present & ~stored_before
    return replace(
        classes,
        lost=classes.lost & ~waiting,
        waiting=waiting,
        call_lost=classes.call_lost & ~records.of_calls(waiting),
    )


def _calls_lost(records: Records, held: Held) -> type_bool:
    """ACKED calls whose effect is not in the store.

    Of a record that is gone: all of them. Of one that is there: those of a later stage than it
    has. A cancelled one has had every stage, if somebody may have cancelled it; one that nobody
    cancelled has lost them all. Once a cancellation was ACKED, it alone counts (RESURRECTED).
    """
    calls, stage = records.calls, held.stage
    cancelled = stage == Stage.CANCELLED
    if cancelled.any():
        stage = np.where(cancelled & (records.cancel == Outcome.NONE), np.uint8(0), stage)
    if records.cancel.any():
        stage = np.where(records.cancel == Outcome.ACKED, np.uint8(Stage.CANCELLED), stage)
    behind = calls.stage > records.of_calls(stage)
    if behind.any():
        behind &= of_kind(calls, Kind.CREATE, Kind.ADVANCE, Kind.RESYNC)
    lost: type_bool = (calls.outcome == Outcome.ACKED) & ~(records.of_calls(held.present) & ~behind)
    return lost


def _ghosts(records: Records, held: Held) -> type_bool:
    """REFUSED, yet there: the record, a stage of it, its cancellation or its document."""
    asked_of = records.refused, records.refused_stage, records.cancel, records.attach
    if not any(column.any() for column in asked_of):
        return np.zeros(len(records), dtype=np.bool_)
    reached = (held.stage != Stage.CANCELLED) & (held.stage >= records.refused_stage)
    by_itself = (records.refused_stage == _BY_ITSELF) | (records.refused_stage == 0)
    asked = np.maximum(records.acked_stage, records.open_stage)
    stage = reached & ~by_itself & (asked < records.refused_stage)
    cancel = (records.cancel == Outcome.REFUSED) & (held.stage == Stage.CANCELLED)
    document = (records.attach == Outcome.REFUSED) & held.document
    ghost: type_bool = held.present & (records.refused | stage | cancel | document)
    return ghost


def replayed(records: Records, before: Classes, after: Classes, held_after: Held) -> type_bool:
    """LOST at the first look, and at the second there exactly once, whole and unchanged."""
    sound = ~after.lost & ~after.altered & ~after.partial & ~records.refused
    back: type_bool = (before.lost | before.waiting) & sound & (held_after.rows == 1)
    return back


@dataclass(frozen=True, slots=True)
class Strangers:
    """Surviving rows whose key belongs to no record, one row a key."""

    worker: npt.NDArray[np.uint16]
    seq: npt.NDArray[np.uint32]
    workload: type_u8
    beyond_ledger: type_bool  # the ledger lost its tail, or the whole worker's file


def strangers_of(
    records: Records, survivors: Survivors, ledgers: tuple[LedgerHealth, ...], workers: int
) -> Strangers:
    """UNEXPECTED, or proof that the ledger is not whole."""
    row = np.flatnonzero(records.keys.find(survivors.worker, survivors.seq) < 0)
    key = survivors.worker[row].astype(np.int64) << 32 | survivors.seq[row].astype(np.int64)
    row = row[np.unique(key, return_index=True)[1]]
    worker, seq = survivors.worker[row], survivors.seq[row]
    end = np.zeros(np.iinfo(np.uint16).max + 1, dtype=np.int64)
    end[workers:] = np.iinfo(np.int64).max  # a worker that the run never had
    for ledger in ledgers:
        end[ledger.worker] = ledger.end_seq
    return Strangers(worker, seq, survivors.workload[row], seq >= end[worker])


def stale_reads(
    operations: Operations, records: Records, lost: type_bool, staleness_ns: Mapping[Workload, int]
) -> Operations:
    """READs sent after an acknowledgement and answered without it.

    A record that is LOST is not STALE as well: the loss explains the answer.
    """
    not_found = (operations.kind == Kind.READ) & (operations.detail == Detail.NOT_FOUND)
    reads = operations.where(not_found & (operations.outcome == Outcome.ACKED))
    record = records.keys.find(reads.worker, reads.record)
    reads, record = reads.where(record >= 0), record[record >= 0]
    old_ns = reads.sent_ns - by_code(staleness_ns)[reads.workload]
    late = records.acked[record] & ~lost[record] & (records.acked_ns[record] < old_ns)
    return reads.where(late)


def by_code(values: Mapping[Workload, int]) -> type_i64:
    """One value a workload's code, 0 where there is none."""
    found = np.zeros(256, dtype=np.int64)
    for workload, value in values.items():
        found[workload.code] = value
    return found


class PostedBefore:
    """REPORTs that counted fewer posted invoices than were acknowledged long enough before.

    Counted up over all records of a run: `add` them piece by piece, then ask for `short`.
    """

    def __init__(self, reports: Operations, staleness_ns: Mapping[Workload, int]) -> None:
        reports = reports.where((reports.outcome == Outcome.ACKED) & (reports.kind == Kind.REPORT))
        self._reports = reports
        self._old_ns = reports.sent_ns - by_code(staleness_ns)[reports.workload]
        self._of = {
            int(code): np.flatnonzero(reports.workload == code)
            for code in np.flatnonzero(np.bincount(reports.workload))
        }
        for code, these in self._of.items():
            self._of[code] = these[np.argsort(self._old_ns[these], kind="stable")]
        # how many were posted between one report's instant and the next one's
        self._between = {code: np.zeros(len(t) + 1, np.int64) for code, t in self._of.items()}

    def add(self, records: Records, lost: type_bool) -> None:
        """Every call of a piece; what is LOST explains a report, and no report speaks of it."""
        calls = records.calls
        for code, these in self._of.items():
            posted = (
                (calls.workload == code)
                & (calls.outcome == Outcome.ACKED)
                & (calls.stage >= Stage.CONFIRMED)
                & (calls.kind != Kind.CANCEL)
            )
            rows = np.flatnonzero(posted)
            rows = rows[~lost[records.call_record[rows]]]
            at = np.searchsorted(self._old_ns[these], calls.done_ns[rows], side="right")
            self._between[code] += np.bincount(at, minlength=len(these) + 1)

    def short(self) -> Operations:
        """In the order of the ledger."""
        short = np.zeros(len(self._reports), dtype=np.bool_)
        for code, these in self._of.items():
            short[these] = self._reports.answer[these] < np.cumsum(self._between[code])[:-1]
        return self._reports.where(short)
