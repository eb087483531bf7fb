"""What a restore cost, what replay brought back, and what is lost for good.

    acknowledged ... | recovery point    lost by the restore | ingress closed   restored   replayed
                     |<----------------- span -------------->|                   a look    last look

Only what was acknowledged before the ingress was closed counts (before the look where it was not
closed): what came later the restore cannot have taken. Reported, not gated: RPO gates what is lost
at the end.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from harness.core.evidence import Evidence, ReadBack
from harness.core.operation import Kind, Outcome, Stage, Workload, key_of
from harness.core.operations import Operations, type_bool, type_i64
from harness.core.records import Records, records_of
from harness.core.recovery_point import Classes, Held, classify, held_by, replayed
from harness.core.timeline import Mark, MarkName
from harness.core.verdict import RestorationCounts, UnprotectedWindow
from harness.core.write_counts import EXAMPLES_MAX


@dataclass(frozen=True, slots=True)
class End:
    """All records, and what became of them at the last look."""

    records: Records
    classes: Classes
    held: Held


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


def restored_at(
    operations: Operations, look: ReadBack, cut_ns: int, told_ns: int | None = None
) -> Restored:
    """What was acknowledged by the cut, held against the restored data.

    `told_ns`: the recovery point as the restore itself told it.
    """
    records = records_of(known_at(operations, cut_ns))
    held = held_by(records, look.survivors)
    classes = classify(records, held)
    since_ns = _recovery_point(records, classes, told_ns)
    if since_ns is not None:
        classes = taken_back(records, classes, held, held, since_ns=since_ns, cut_ns=cut_ns)
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


def as_restored(evidence: Evidence, records: Records, classes: Classes, held: Held) -> Classes:
    """The classes of a look at the end, with what the restore took back counted as LOST."""
    look = evidence.restored
    if look is None or not look.complete:
        return classes
    cut_ns = cut_of(evidence, look)
    known = records_of(known_at(evidence.operations, cut_ns))
    classes_then = classify(known, held_by(known, look.survivors))
    since_ns = _recovery_point(known, classes_then, _told(evidence))
    if since_ns is None:
        return classes
    then = held_by(records, look.survivors)
    return taken_back(records, classes, held, then, since_ns=since_ns, cut_ns=cut_ns)


def _recovery_point(records: Records, classes: Classes, told_ns: int | None) -> int | None:
    """The earliest acknowledgement that the restored data do not hold; None where all are there.

    A commit comes before its acknowledgement, so what the restore itself told is never later; it
    is what tells that the first write of after it was a document or a cancellation.
    """
    acks_ns = records.calls.done_ns[classes.call_lost]
    instants = [int(acks_ns.min())] if len(acks_ns) else []
    return min([*instants, *([] if told_ns is None else [told_ns])], default=None)


def _told(evidence: Evidence) -> int | None:
    """The last restored commit, by the restore's own word."""
    mark = evidence.timeline.last(MarkName.RECOVERY_POINT)
    return mark.earliest_ns if mark else None


def restoration(
    evidence: Evidence, end: End | None, workloads: tuple[Workload, ...], run_id: str
) -> tuple[RestorationCounts, ...]:
    """Per workload; nothing where no look was taken after a restore, or not a whole one."""
    look = evidence.restored
    if look is None or not look.complete:
        return ()
    seen = restored_at(evidence.operations, look, cut_of(evidence, look), _told(evidence))
    fault = evidence.timeline.first(MarkName.FAULT_ACTIVE)
    return tuple(_counts(workload, seen, end, fault, run_id) for workload in workloads)


def _counts(
    workload: Workload, seen: Restored, end: End | None, fault: Mark | None, run_id: str
) -> RestorationCounts:
    mine = seen.records.workload == workload.code
    lost = seen.classes.lost & mine
    back, gone = _fates(seen, end)
    point_ns, last_ns, span_ns = _reach(seen, lost, fault)
    known = end is not None
    waiting = lost & _waiting(seen, end)
    spoiled = lost & ~back & ~gone & ~waiting
    fates = {"gone": lost & gone, "spoiled": spoiled, "back": lost & back} if known else {}
    return RestorationCounts(
        workload=workload,
        acked=_count(seen.acked & mine),
        lost=_count(lost),
        back=_count(lost & back) if known else None,
        gone=_count(lost & gone) if known else None,
        spoiled=_count(spoiled) if known else None,
        lost_value_cents=_value(seen.records, lost),
        back_value_cents=_value(seen.records, lost & back) if known else None,
        gone_value_cents=_value(seen.records, lost & gone) if known else None,
        recovery_point_ns=point_ns,
        last_lost_ns=last_ns,
        span_ns=span_ns,
        waiting=_count(waiting),
        examples=tuple(
            f"{fate} {key_of(run_id, int(seen.records.worker[i]), int(seen.records.seq[i]))}"
            for fate, mask in fates.items()
            for i in np.flatnonzero(mask)[:EXAMPLES_MAX]
        ),
    )


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


def _reach(
    seen: Restored, lost: type_bool, fault: Mark | None
) -> tuple[int | None, int | None, int]:
    """The recovery point and the last lost acknowledgement after t_F, and what lies between."""
    acks_ns = seen.lost_acks_ns[lost[seen.lost_ack_record]]
    if not len(acks_ns):
        return None, None, 0
    point_ns, last_ns = int(acks_ns.min()) - 1, int(acks_ns.max())
    if fault is None:
        return None, None, last_ns - point_ns
    return point_ns - fault.latest_ns, last_ns - fault.latest_ns, last_ns - point_ns


def _count(mask: type_bool) -> int:
    return int(np.count_nonzero(mask))


def _value(records: Records, mask: type_bool) -> int:
    """What stands behind them; nothing behind a canary."""
    return int(records.value_cents[mask & ~records.canary].sum(dtype=np.int64))


def unprotected(evidence: Evidence, end: End | None) -> UnprotectedWindow | None:
    """From the mark to the next one that says protected again, else to the end of the load."""
    mark = evidence.timeline.first(MarkName.UNPROTECTED)
    if mark is None:
        return None
    again = [m for m in evidence.timeline.all(MarkName.PROTECTED) if m.earliest_ns > mark.latest_ns]
    since_ns = mark.earliest_ns
    until_ns = again[0].latest_ns if again else max(evidence.load_stopped_ns, since_ns)
    records = end.records if end is not None else records_of(evidence.operations)
    inside = records.acked & (records.acked_ns >= since_ns) & (records.acked_ns <= until_ns)
    fault = evidence.timeline.first(MarkName.FAULT_ACTIVE)
    origin_ns = fault.latest_ns if fault else evidence.load_begun_ns
    return UnprotectedWindow(
        since_ns=since_ns - origin_ns,
        until_ns=until_ns - origin_ns if again else None,
        length_ns=until_ns - since_ns,
        acked=_count(inside),
        value_cents=_value(records, inside),
        lost=_count(inside & end.classes.lost) if end is not None else None,
        told=mark.note,
    )
