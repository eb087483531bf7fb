"""The series add up to what the ledger holds, second by second."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from harness.core.arrivals import arrivals_of
from harness.core.operation import Workload
from harness.core.series import origin_ns, series
from harness.core.timeline import MarkName
from tests.core import simulate
from tests.core.simulate import S


def test_each_second_is_counted_and_its_percentiles_are_nearest_ranks() -> None:
    plan, evidence = simulate.evidence(outage_s=6.0, after_s=12.0)
    seen = arrivals_of(evidence.operations, plan.targets.limits_ns())
    seen = seen.where(~seen.canary)
    found = series(plan, evidence)
    assert [s.workload for s in found] == list(Workload)
    for one in found:
        mine = seen.where(seen.workload == one.workload.code)
        second = (mine.intended_ns - evidence.load_begun_ns) // S
        for k in range(len(one.offered)):
            here = second == k
            took = np.sort((mine.done_ns - mine.intended_ns)[here & mine.answered])
            assert one.offered[k] == here.sum()
            assert one.good[k] == (here & mine.good).sum()
            if len(took):
                assert one.latency_p50_ms[k] == took[-(-len(took) * 50 // 100) - 1] / 1e6
                assert one.latency_p99_ms[k] == took[-(-len(took) * 99 // 100) - 1] / 1e6
            else:
                assert np.isnan(one.latency_p50_ms[k])
        np.testing.assert_array_equal(one.scheduled, one.offered)  # the load did not sag
        assert one.scheduled.sum() == len(evidence.arrivals_ns[one.workload])


def test_the_origin_is_the_latest_instant_of_the_fault() -> None:
    plan, evidence = simulate.evidence(outage_s=4.0, after_s=12.0)
    active = evidence.timeline.first(MarkName.FAULT_ACTIVE)
    assert active is not None
    assert origin_ns(evidence) == active.latest_ns
    begun_s = (evidence.load_begun_ns - active.latest_ns) / 1e9
    assert series(plan, evidence)[0].begin_s == begun_s
    _, calm = simulate.evidence(null=True, outage_s=4.0, after_s=12.0)
    assert origin_ns(calm) == calm.load_begun_ns


def test_no_load_is_no_series_and_no_crash() -> None:
    plan, evidence = simulate.evidence(outage_s=1.0, after_s=12.0)

    nothing = evidence.operations.where(np.zeros(len(evidence.operations), dtype=bool))
    bare = replace(
        evidence, operations=nothing, load_stopped_ns=evidence.load_begun_ns, arrivals_ns={},
        canaries_ns={},
    )  # fmt: skip
    assert all(len(s.offered) == 0 for s in series(plan, bare))
