"""Per-second series for the reports: what was scheduled, sent, good, shed, and how slow."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from harness.core.arrivals import Arrivals, arrivals_of
from harness.core.evidence import Evidence
from harness.core.operation import Workload
from harness.core.operations import type_i64
from harness.core.plan import Plan
from harness.core.record import Series
from harness.core.timeline import MarkName
from harness.core.windows import BIN_NS


def limits_ns(plan: Plan) -> dict[int, int]:
    """Each workload's latency limit by its code."""
    return {t.workload.code: round(t.latency_limit_s * 1e9) for t in plan.targets.workloads}


def origin_ns(evidence: Evidence) -> int:
    """The zero of every picture: the latest t_F, or the load's begin where nothing took effect."""
    active = evidence.timeline.first(MarkName.FAULT_ACTIVE)
    return active.latest_ns if active else evidence.load_begun_ns


def series(plan: Plan, evidence: Evidence, arrivals: Arrivals | None = None) -> tuple[Series, ...]:
    """One series a workload, canaries left out, by intended time since the load began.

    `arrivals`: all of the run, where they are made.
    """
    limits = limits_ns(plan)
    seen = arrivals
    if seen is None:
        parts = [arrivals_of(portion.chains, limits) for portion in evidence.portions()]
        seen = Arrivals.concatenate(parts)
    length_ns = evidence.load_stopped_ns - evidence.load_begun_ns
    count = max(0, -(-length_ns // BIN_NS))
    nothing = np.zeros(0, dtype=np.int64)
    return tuple(
        _of_workload(
            target.workload,
            seen.where((seen.workload == target.workload.code) & ~seen.canary),
            evidence.arrivals_ns.get(target.workload, nothing),
            evidence,
            count,
        )
        for target in plan.targets.workloads
    )


def _of_workload(
    workload: Workload, seen: Arrivals, due_ns: type_i64, evidence: Evidence, count: int
) -> Series:
    at = (seen.intended_ns - evidence.load_begun_ns) // BIN_NS
    inside = (at >= 0) & (at < count)
    seen, at = seen.where(inside), at[inside]
    due = due_ns[(due_ns >= 0) & (due_ns < count * BIN_NS)] // BIN_NS

    def per_bin(bins: type_i64) -> type_i64:
        return np.bincount(bins, minlength=count).astype(np.int64)

    took_ns = (seen.done_ns - seen.intended_ns)[seen.answered]
    p50, p99 = _percentiles(at[seen.answered], took_ns, count)
    return Series(
        workload=workload,
        begin_s=(evidence.load_begun_ns - origin_ns(evidence)) / 1e9,
        scheduled=per_bin(due),
        offered=per_bin(at),
        good=per_bin(at[seen.good]),
        shed=per_bin(at[seen.shed]),
        latency_p50_ms=p50,
        latency_p99_ms=p99,
    )


def _percentiles(
    at: type_i64, took_ns: type_i64, count: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """The nearest-rank 50th and 99th percentile of each bin in ms, NaN where a bin is empty."""
    order = np.lexsort((took_ns, at))
    sorted_ns = took_ns[order]
    sizes = np.bincount(at, minlength=count)
    begins = np.concatenate([[0], np.cumsum(sizes)[:-1]]) if count else sizes
    found = []
    for percent in (50, 99):
        rank = np.maximum(-(-sizes * percent // 100) - 1, 0)
        value = np.full(count, np.nan)
        full = sizes > 0
        value[full] = sorted_ns[(begins + rank)[full]] / 1e6
        found.append(value)
    return found[0], found[1]
