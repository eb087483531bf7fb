"""Per-second series for the reports: what was scheduled, sent, good, shed, and how slow."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from harness.core.arrivals import Arrivals
from harness.core.evidence import Evidence
from harness.core.operation import Workload
from harness.core.plan import Plan
from harness.core.record import Series
from harness.core.run_times import RunTimes
from harness.core.timeline import MarkName
from harness.core.windows import BIN_NS, count_up

type_f64 = npt.NDArray[np.float64]


def origin_ns(evidence: Evidence) -> int:
    """The zero of every picture: the latest t_F, or the load's begin where nothing took effect."""
    active = evidence.timeline.first(MarkName.FAULT_ACTIVE)
    return active.latest_ns if active else evidence.load_begun_ns


def series(plan: Plan, evidence: Evidence, times: RunTimes | None = None) -> tuple[Series, ...]:
    """One series a workload, canaries left out, by intended time since the load began.

    `times`: of the same plan and evidence, where they are made.
    """
    times = RunTimes.read(plan, evidence) if times is None else times
    return tuple(_of_workload(t.workload, times, evidence) for t in plan.targets.workloads)


def _of_workload(workload: Workload, times: RunTimes, evidence: Evidence) -> Series:
    begun_ns, length_ns = evidence.load_begun_ns, evidence.load_stopped_ns - evidence.load_begun_ns
    count = max(0, -(-length_ns // BIN_NS))
    scheduled, offered, good, shed = (np.zeros(count, dtype=np.int64) for _ in range(4))
    p50, p99 = np.full(count, np.nan), np.full(count, np.nan)
    end_ns = begun_ns + count * BIN_NS
    for part_ns in times.due(workload, canaries=False).parts(begun_ns, end_ns):
        count_up(scheduled, begun_ns, part_ns)
    for part in times.arrivals(workload).parts(begun_ns, end_ns):
        at_ns, mine = part.intended_ns, ~part.canary
        count_up(offered, begun_ns, at_ns[mine])
        count_up(good, begun_ns, at_ns[mine & part.good])
        count_up(shed, begun_ns, at_ns[mine & part.shed])
        _percentiles(part.where(mine & part.answered), begun_ns, p50, p99)
    return Series(
        workload=workload,
        begin_s=(begun_ns - origin_ns(evidence)) / 1e9,
        scheduled=scheduled,
        offered=offered,
        good=good,
        shed=shed,
        latency_p50_ms=p50,
        latency_p99_ms=p99,
    )


def _percentiles(seen: Arrivals, begun_ns: int, p50: type_f64, p99: type_f64) -> None:
    """Set the nearest-rank 50th and 99th percentile in ms of each bin that has an arrival here.

    A bin has all of its arrivals in one part, since parts begin and end with a bin.
    """
    if not len(seen):
        return
    took_ns, at = seen.done_ns - seen.intended_ns, (seen.intended_ns - begun_ns) // BIN_NS
    took_ns = took_ns[np.lexsort((took_ns, at))]
    begins = np.flatnonzero(np.concatenate([[True], at[1:] != at[:-1]]))
    of = np.diff(begins, append=len(at))
    for percent, found in ((50, p50), (99, p99)):
        rank = -(-of * percent // 100) - 1
        found[at[begins]] = took_ns[begins + rank] / 1e6
