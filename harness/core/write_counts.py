"""From classes to counts: one workload's writes at one look, with seconds and money."""

from __future__ import annotations

import numpy as np

from harness.core.operation import Kind, Workload, key_of
from harness.core.operations import Operations, type_bool
from harness.core.records import NEVER, Records
from harness.core.recovery_point import Classes, Strangers
from harness.core.timeline import Mark
from harness.core.verdict import WriteCounts

EXAMPLES_MAX = 20
_NAMED = ("lost", "ghost", "duplicate", "altered", "partial", "resurrected", "waiting")


def write_counts(
    workload: Workload,
    records: Records,
    classes: Classes,
    *,
    replayed: type_bool,
    strangers: Strangers,
    stale: Operations,
    fault: Mark | None,
    clock_error_ns: int = 0,
) -> WriteCounts:
    """Every class of one workload. Canaries count, but stand for no money.

    Both ends of RPO_time that are acknowledgements are off by the clock's error; t_F is not.
    """
    mine = records.workload == workload.code

    def count(mask: type_bool) -> int:
        return int(np.count_nonzero(mask & mine))

    lost = classes.lost & mine
    point_ns, achieved_ns, ends = _recovery_point(records, classes, mine, fault)
    unexpected = (strangers.workload == workload.code) & ~strangers.beyond_ledger
    return WriteCounts(
        acked=count(classes.acked),
        unknown=count(classes.unknown),
        refused=count(classes.refused),
        lost=count(classes.lost),
        replayed=count(replayed),
        absent=count(classes.absent),
        recovered=count(classes.recovered),
        ghost=count(classes.ghost),
        unexpected=int(np.count_nonzero(unexpected)),
        duplicate=count(classes.duplicate),
        altered=count(classes.altered),
        partial=count(classes.partial),
        resurrected=count(classes.resurrected),
        stale=_stale_count(stale, workload),
        duplicate_by_retry=count(classes.duplicate_by_retry),
        lost_value_cents=int(records.value_cents[lost & ~records.canary].sum(dtype=np.int64)),
        achieved_ns=achieved_ns,
        recovery_point_ns=point_ns,
        lost_is_suffix=_is_suffix(records, classes.acked & mine, lost, fault),
        waiting=count(classes.waiting),
        widened_by_ns=ends * clock_error_ns,
    )


_HARMS = (
    "lost", "ghost", "unexpected", "duplicate", "altered", "partial", "resurrected", "stale",
)  # fmt: skip


def is_worse(after: WriteCounts, before: WriteCounts) -> bool:
    """Whether a later look shows more of any harm than the one before."""
    return any(getattr(after, harm) > getattr(before, harm) for harm in _HARMS)


def _recovery_point(
    records: Records, classes: Classes, mine: type_bool, fault: Mark | None
) -> tuple[int | None, int, int]:
    """The instant before the earliest acknowledgement among LOST, after t_F, and RPO in ns.

    The last is how many of RPO's two ends a worker's clock has told: t_F is told by the run's own.
    """
    lost = classes.call_lost & mine[records.call_record]
    if not lost.any():
        return None, 0, 0
    acked_ns = records.calls.done_ns[lost]
    point_ns, last_ns = int(acked_ns.min()) - 1, int(acked_ns.max())
    if fault is None:
        return None, last_ns - point_ns, 2
    told = 2 if last_ns > fault.latest_ns else 1
    return point_ns - fault.latest_ns, max(fault.latest_ns, last_ns) - point_ns, told


def _is_suffix(records: Records, acked: type_bool, lost: type_bool, fault: Mark | None) -> bool:
    """Whether nothing that came after the first loss survived.

    A survivor speaks against it only when the order is beyond doubt: it was sent after the first
    loss was acknowledged, and it was acknowledged before the fault or before a later loss was sent.
    """
    if not lost.any():
        return True
    first_ns = int(records.acked_ns[lost].min())
    sent_ns = records.sent_ns[lost]
    last_ns = int(sent_ns[sent_ns < NEVER].max(initial=fault.earliest_ns if fault else 0))
    between = (records.sent_ns > first_ns) & (records.acked_ns < last_ns)
    return not bool((acked & ~lost & between).any())


def _stale_count(stale: Operations, workload: Workload) -> int:
    """Records that were read stale, and reports that were too old."""
    mine = stale.workload == workload.code
    reads = mine & (stale.kind == Kind.READ)
    key = stale.worker[reads].astype(np.int64) << 32 | stale.record[reads].astype(np.int64)
    return len(np.unique(key)) + int(np.count_nonzero(mine & ~reads))


def examples_of(
    workload: Workload,
    records: Records,
    classes: Classes,
    *,
    strangers: Strangers,
    stale: Operations,
    run_id: str,
) -> tuple[str, ...]:
    """Keys to look at, such as "lost pd-r1-0-17": at most 20, the gravest classes first."""
    mine = records.workload == workload.code
    named: list[str] = []
    for name in _NAMED:
        hits = np.flatnonzero(getattr(classes, name) & mine)[:EXAMPLES_MAX]
        named += [
            f"{name} {key_of(run_id, int(records.worker[i]), int(records.seq[i]))}" for i in hits
        ]
    unexpected = (strangers.workload == workload.code) & ~strangers.beyond_ledger
    named += [
        f"unexpected {key_of(run_id, int(strangers.worker[i]), int(strangers.seq[i]))}"
        for i in np.flatnonzero(unexpected)[:EXAMPLES_MAX]
    ]
    named += [
        f"stale {key_of(run_id, int(stale.worker[i]), int(stale.record[i]))}"
        for i in np.flatnonzero(stale.workload == workload.code)[:EXAMPLES_MAX]
    ]
    return tuple(named[:EXAMPLES_MAX])
