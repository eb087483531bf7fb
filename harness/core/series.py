"""Per-second series for the reports: what was scheduled, sent, good, shed, and how slow."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from harness.core.arrivals import Arrivals, arrivals_of
from harness.core.evidence import Evidence
from harness.core.operation import Workload
from harness.core.operations import type_i64
from harness.core.plan import Plan
from harness.core.record import Series
from harness.core.timeline import MarkName
from harness.core.windows import AT_ONCE, BIN_NS


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
    if arrivals is None:
        limits = limits_ns(plan)
        arrivals = Arrivals.concatenate(
            arrivals_of(portion.chains, limits) for portion in evidence.portions()
        )
    length_ns = evidence.load_stopped_ns - evidence.load_begun_ns
    count = max(0, -(-length_ns // BIN_NS))
    nothing = np.zeros(0, dtype=np.int64)
    return tuple(
        _of_workload(
            target.workload,
            arrivals,
            evidence.arrivals_ns.get(target.workload, nothing),
            evidence,
            count,
        )
        for target in plan.targets.workloads
    )


def _of_workload(
    workload: Workload, seen: Arrivals, due_ns: type_i64, evidence: Evidence, count: int
) -> Series:
    scheduled, offered, good, shed = (np.zeros(count, dtype=np.int64) for _ in range(4))
    for part in _parts(len(due_ns)):
        at = due_ns[part] // BIN_NS
        scheduled += np.bincount(at[(at >= 0) & (at < count)], minlength=count)
    answered_at = np.empty(len(seen), dtype=np.int32)  # the bin, or `count` where none counts
    for part in _parts(len(seen)):
        at = (seen.intended_ns[part] - evidence.load_begun_ns) // BIN_NS
        mine = (seen.workload[part] == workload.code) & ~seen.canary[part]
        mine &= (at >= 0) & (at < count)
        offered += np.bincount(at[mine], minlength=count)
        good += np.bincount(at[mine & seen.good[part]], minlength=count)
        shed += np.bincount(at[mine & seen.shed[part]], minlength=count)
        answered_at[part] = np.where(mine & seen.answered[part], at, count)
    p50, p99 = _percentiles(seen, answered_at, count)
    return Series(
        workload=workload,
        begin_s=(evidence.load_begun_ns - origin_ns(evidence)) / 1e9,
        scheduled=scheduled,
        offered=offered,
        good=good,
        shed=shed,
        latency_p50_ms=p50,
        latency_p99_ms=p99,
    )


def _parts(length: int) -> Iterator[slice]:
    return (slice(first, first + AT_ONCE) for first in range(0, length, AT_ONCE))


def _percentiles(
    seen: Arrivals, at: npt.NDArray[np.int32], count: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """The nearest-rank 50th and 99th percentile of each bin in ms, NaN where a bin is empty.

    `at`: the bin of every arrival, `count` where it has none. Some whole bins are sorted at a time.
    """
    rows = np.flatnonzero(at < count)
    at = at[rows]
    if (at[1:] < at[:-1]).any():
        order = np.argsort(at, kind="stable")
        rows, at = rows[order], at[order]
    ends = np.searchsorted(at, np.arange(count, dtype=at.dtype), side="right")
    sizes = np.diff(ends, prepend=0)
    p50, p99 = np.full(count, np.nan), np.full(count, np.nan)
    first = begin = 0
    while first < count:
        last = max(first + 1, int(np.searchsorted(ends, begin + AT_ONCE, side="right")))
        end = int(ends[last - 1])
        took_ns = seen.done_ns[rows[begin:end]] - seen.intended_ns[rows[begin:end]]
        took_ns = took_ns[np.lexsort((took_ns, at[begin:end]))]
        of = sizes[first:last]
        full = of > 0
        begins = ends[first:last] - of - begin
        for percent, found in ((50, p50), (99, p99)):
            rank = np.maximum(-(-of * percent // 100) - 1, 0)
            found[first:last][full] = took_ns[(begins + rank)[full]] / 1e6
        first, begin = last, end
    return p50, p99
