"""What a restore cost, what replay brought back, and what is lost for good.

    acknowledged ... | recovery point    lost by the restore | ingress closed   restored   replayed
                     |<----------------- span -------------->|                   a look    last look

Only what was acknowledged before the ingress was closed counts (before the look where it was not
closed): what came later the restore cannot have taken. Reported, not gated: RPO gates what is lost
at the end.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np

from harness.core.evidence import Evidence, Portion, ReadBack
from harness.core.operation import Kind, Outcome, Stage, Workload, key_of
from harness.core.operations import Operations, type_bool, type_i64
from harness.core.records import Records, records_of
from harness.core.recovery_point import Classes, Held, classify, held_by, replayed
from harness.core.timeline import Mark, MarkName
from harness.core.verdict import EXAMPLES_MAX, RestorationCounts, UnprotectedWindow


@dataclass(frozen=True, slots=True)
class End:
    """All records, and what became of them at the last look."""

    records: Records
    classes: Classes
    held: Held


@dataclass(frozen=True, slots=True)
class Restore:
    """What the look after a restore says of the whole run."""

    cut_ns: int  # the last instant at which an acknowledgement counts against the restore
    since_ns: int | None  # the earliest acknowledgement that went with it; None: none did


@dataclass(frozen=True, slots=True)
class Restored:
    """The records that were sent before the cut, at the look that followed the restore."""

    records: Records
    classes: Classes
    lost_acks_ns: type_i64  # one a lost call
    lost_ack_record: type_i64  # the record of each

    @property
    def acked(self) -> type_bool:
        return self.classes.acked


def cut_of(evidence: Evidence, look: ReadBack) -> int:
    """The last instant at which an acknowledgement counts against the restore."""
    closed = [
        m.latest_ns
        for m in evidence.timeline.all(MarkName.INGRESS_CLOSED)
        if m.latest_ns <= look.taken_ns
    ]
    return max(closed, default=look.taken_ns)


def known_at(operations: Operations, cut_ns: int) -> Operations:
    """The ledger as it stood: what was sent before, and what was answered only later as unknown."""
    known = operations.where(operations.sent_ns < cut_ns)
    late = known.done_ns >= cut_ns
    outcome = np.where(late, np.uint8(Outcome.UNKNOWN), known.outcome).astype(np.uint8)
    return replace(known, outcome=outcome)


def restore_of(evidence: Evidence) -> Restore | None:
    """None where no look was taken after a restore, or not a whole one."""
    look = evidence.restored
    if look is None or not look.complete:
        return None
    cut_ns = cut_of(evidence, look)
    told = evidence.timeline.last(MarkName.RECOVERY_POINT)
    instants = [told.earliest_ns] if told else []
    for portion in evidence.portions():
        records, classes, _ = _then(portion, cut_ns)
        instants += _earliest(records.calls.done_ns[classes.call_lost])
    return Restore(cut_ns, min(instants, default=None))


def _earliest(acks_ns: type_i64) -> list[int]:
    """The earliest acknowledgement of calls that the restored data do not hold.

    A commit comes before its acknowledgement, so what the restore itself told is never later; it
    is what tells that the first write of after it was a document or a cancellation.
    """
    return [int(acks_ns.min())] if len(acks_ns) else []


def _then(portion: Portion, cut_ns: int) -> tuple[Records, Classes, Held]:
    """The records as they were known at the cut, held against the restored data."""
    records = records_of(known_at(portion.calls, cut_ns))
    held = held_by(records, portion.found["restored"])
    return records, classify(records, held), held


def restored_at(restore: Restore, portion: Portion) -> Restored:
    """What was acknowledged by the cut, held against the restored data."""
    records, classes, held = _then(portion, restore.cut_ns)
    if restore.since_ns is not None:
        classes = taken_back(
            records, classes, held, held, since_ns=restore.since_ns, cut_ns=restore.cut_ns
        )
    lost = classes.call_lost
    return Restored(
        records, classes, records.calls.done_ns[lost], records.call_record[lost].astype(np.int64)
    )


def taken_back(
    records: Records, classes: Classes, held: Held, then: Held, *, since_ns: int, cut_ns: int
) -> Classes:
    """Documents and cancellations of after the recovery point went with it: LOST, like any other.

    Without this an order that was there in time, and its document not yet, would be PARTIAL, and
    one that was cancelled a moment too late RESURRECTED: violations that nobody committed. What
    the restored data held, by the look of `then`, and has gone since, was not taken by the restore.
    """
    calls, record = records.calls, records.call_record
    late = (calls.outcome == Outcome.ACKED) & (calls.done_ns >= since_ns) & (calls.done_ns < cut_ns)
    late &= held.present[record]
    document = late & (calls.kind == Kind.ATTACH) & ~held.document[record]
    document &= ~then.document[record]
    cancel = late & (calls.kind == Kind.CANCEL) & classes.resurrected[record]
    cancel &= ~(then.present & (then.least_stage == Stage.CANCELLED))[record]
    undocumented, uncancelled, lost = (np.zeros(len(records), dtype=np.bool_) for _ in range(3))
    undocumented[record[document]] = True
    uncancelled[record[cancel]] = True
    lost[record[document | cancel]] = True
    return replace(
        classes,
        lost=classes.lost | lost,
        call_lost=classes.call_lost | document | cancel,
        partial=classes.partial & ~(undocumented & held.whole),
        resurrected=classes.resurrected & ~uncancelled,
    )


def as_restored(
    restore: Restore | None, portion: Portion, records: Records, classes: Classes, held: Held
) -> Classes:
    """The classes of a look at the end, with what the restore took back counted as LOST."""
    if restore is None or restore.since_ns is None:
        return classes
    then = held_by(records, portion.found["restored"])
    return taken_back(
        records, classes, held, then, since_ns=restore.since_ns, cut_ns=restore.cut_ns
    )


def restoration(
    restore: Restore | None,
    ends: Iterable[tuple[Portion, End | None]],
    workloads: tuple[Workload, ...],
    *,
    fault: Mark | None,
    run_id: str,
) -> tuple[RestorationCounts, ...]:
    """Per workload; nothing where no look was taken after a restore, or not a whole one."""
    if restore is None:
        return ()
    tallies = [_Tally(workload) for workload in workloads]
    for portion, end in ends:
        seen = restored_at(restore, portion)
        back, gone = _fates(seen, end)
        waiting = _waiting(seen, end)
        for tally in tallies:
            tally.add(seen, back, gone, waiting, known=end is not None)
    return tuple(tally.counts(fault, run_id) for tally in tallies)


@dataclass(slots=True)
class _Tally:
    """One workload, counted up portion by portion."""

    workload: Workload
    known: bool = True  # the stores were read whole at the end
    acked: int = 0
    counted: dict[str, int] = field(default_factory=dict)
    cents: dict[str, int] = field(default_factory=dict)
    first_ns: list[int] = field(default_factory=list)  # of lost acknowledgements, and the last
    last_ns: list[int] = field(default_factory=list)
    keys: dict[str, list[tuple[int, int]]] = field(default_factory=dict)

    def add(
        self, seen: Restored, back: type_bool, gone: type_bool, waiting: type_bool, *, known: bool
    ) -> None:
        records = seen.records
        mine = records.workload == self.workload.code
        lost = seen.classes.lost & mine
        self.known &= known
        self.acked += int(np.count_nonzero(seen.acked & mine))
        spoiled = lost & ~back & ~gone & ~waiting
        fates = {"gone": lost & gone, "spoiled": spoiled, "back": lost & back}
        for fate, mask in {**fates, "lost": lost, "waiting": lost & waiting}.items():
            self.counted[fate] = self.counted.get(fate, 0) + int(np.count_nonzero(mask))
            self.cents[fate] = self.cents.get(fate, 0) + value_of(records, mask)
            named = self.keys.setdefault(fate, [])
            hits = np.flatnonzero(mask)[: EXAMPLES_MAX - len(named)]
            named += [(int(records.worker[i]), int(records.seq[i])) for i in hits]
        acks_ns = seen.lost_acks_ns[lost[seen.lost_ack_record]]
        if len(acks_ns):
            self.first_ns.append(int(acks_ns.min()))
            self.last_ns.append(int(acks_ns.max()))

    def counts(self, fault: Mark | None, run_id: str) -> RestorationCounts:
        point_ns, last_ns, span_ns = self._reach(fault)
        count, cents = self.counted.get, self.cents.get
        return RestorationCounts(
            workload=self.workload,
            acked=self.acked,
            lost=count("lost", 0),
            back=count("back", 0) if self.known else None,
            gone=count("gone", 0) if self.known else None,
            spoiled=count("spoiled", 0) if self.known else None,
            lost_value_cents=cents("lost", 0),
            back_value_cents=cents("back", 0) if self.known else None,
            gone_value_cents=cents("gone", 0) if self.known else None,
            recovery_point_ns=point_ns,
            last_lost_ns=last_ns,
            span_ns=span_ns,
            waiting=count("waiting", 0),
            examples=tuple(
                f"{fate} {key_of(run_id, worker, seq)}"
                for fate in (("gone", "spoiled", "back") if self.known else ())
                for worker, seq in self.keys.get(fate, [])
            ),
        )

    def _reach(self, fault: Mark | None) -> tuple[int | None, int | None, int]:
        """The recovery point and the last lost acknowledgement after t_F, and what lies between."""
        if not self.first_ns:
            return None, None, 0
        point_ns, last_ns = min(self.first_ns) - 1, max(self.last_ns)
        if fault is None:
            return None, None, last_ns - point_ns
        return point_ns - fault.latest_ns, last_ns - fault.latest_ns, last_ns - point_ns


def _fates(seen: Restored, end: End | None) -> tuple[type_bool, type_bool]:
    """Of every record: there again, exactly once and unchanged; and still lost at the end."""
    nothing = np.zeros(len(seen.records), dtype=np.bool_)
    if end is None:
        return nothing, nothing
    place = end.records.keys.find(seen.records.worker, seen.records.seq)
    lost = np.zeros(len(end.records), dtype=np.bool_)
    lost[place[seen.classes.lost]] = True
    before = replace(end.classes, lost=lost)
    back = replayed(end.records, before, end.classes, end.held)
    return back[place], end.classes.lost[place]


def _waiting(seen: Restored, end: End | None) -> type_bool:
    """Of every record: at the end perhaps still in a queue that nobody saw drained."""
    if end is None:
        return np.zeros(len(seen.records), dtype=np.bool_)
    waiting: type_bool = end.classes.waiting[
        end.records.keys.find(seen.records.worker, seen.records.seq)
    ]
    return waiting


def value_of(records: Records, mask: type_bool) -> int:
    """What stands behind them; nothing behind a canary."""
    return int(records.value_cents[mask & ~records.canary].sum(dtype=np.int64))


def unprotected(
    evidence: Evidence, ends: Iterable[tuple[Records, End | None]]
) -> UnprotectedWindow | None:
    """From the mark to the next one that says protected again, else to the end of the load."""
    mark = evidence.timeline.first(MarkName.UNPROTECTED)
    if mark is None:
        return None
    again = [m for m in evidence.timeline.all(MarkName.PROTECTED) if m.earliest_ns > mark.latest_ns]
    since_ns = mark.earliest_ns
    until_ns = again[0].latest_ns if again else max(evidence.load_stopped_ns, since_ns)
    acked = cents = lost = 0
    known = True
    for records, end in ends:
        inside = records.acked & (records.acked_ns >= since_ns) & (records.acked_ns <= until_ns)
        acked += int(np.count_nonzero(inside))
        cents += value_of(records, inside)
        known &= end is not None
        lost += int(np.count_nonzero(inside & end.classes.lost)) if end is not None else 0
    fault = evidence.timeline.first(MarkName.FAULT_ACTIVE)
    origin_ns = fault.latest_ns if fault else evidence.load_begun_ns
    return UnprotectedWindow(
        since_ns=since_ns - origin_ns,
        until_ns=until_ns - origin_ns if again else None,
        length_ns=until_ns - since_ns,
        acked=acked,
        value_cents=cents,
        lost=lost if known else None,
        told=mark.note,
    )
