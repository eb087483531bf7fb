"""A report's series second by second, counted arrival by arrival: on every edge, in any order."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core import run_times
from harness.core.arrivals import Arrivals
from harness.core.evidence import Evidence
from harness.core.operation import Workload
from harness.core.run_times import RunTimes
from harness.core.series import origin_ns, series
from harness.core.timeline import Mark, MarkName, Timeline
from tests.core import simulate
from tests.core.judged_runs import run

S, MS = 10**9, 10**6
BEGUN = 1000 * S
OF = (Workload.ORDER_CAPTURE, Workload.FINANCE)
PLAN = simulate.plan_of(
    targets=replace(
        simulate.TARGETS,
        workloads=tuple(t for t in simulate.TARGETS.workloads if t.workload in OF),
    )
)
_, BARE = run()
type_row = tuple[Workload, bool, int, int, bool, bool, bool]


def a_row(random: Random, length_ns: int) -> type_row:
    """On a second's edge as often as not, some before the load began and some after it stopped."""
    at = BEGUN + random.choice([-S, -1, 0, 1, S - 1, S, S + 1, length_ns - 1, length_ns, length_ns + S,
                                random.randrange(5 * S)])  # fmt: skip
    answered = random.random() < 0.8
    good = answered and random.random() < 0.8
    took = random.choice([0, MS, 3 * MS, 70 * MS, random.randrange(S)])
    return random.choice(OF), random.random() < 0.2, at, at + took, answered, good, not answered


def arrivals(rows: list[type_row]) -> Arrivals:
    workload, canary, intended, done, answered, good, shed = (
        list(zip(*rows, strict=True)) if rows else [()] * 7
    )
    done_ns = np.array(done, dtype=np.int64)
    return Arrivals(
        np.array([w.code for w in workload], dtype=np.uint8), np.array(canary, dtype=np.bool_),
        np.array(intended, dtype=np.int64), done_ns, np.array(answered, dtype=np.bool_),
        np.array(good, dtype=np.bool_), done_ns, np.array(shed, dtype=np.bool_),
    )  # fmt: skip


def times(seen: Evidence, rows: list[type_row]) -> RunTimes:
    return RunTimes(PLAN, seen, [arrivals(rows)])


def nearest_rank(took: list[int], percent: int) -> float:
    """The smallest that so many of a hundred do not exceed."""
    within = [t for t in took if 100 * sum(x <= t for x in took) >= percent * len(took)]
    return min(within) / 1e6 if took else float("nan")


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    st.integers(0, 2**32), st.integers(0, 60),
    st.sampled_from([0, 1, S - 1, S, S + 1, 3 * S, 3 * S + S // 2, -S]),
    st.sampled_from([1, 2, 7, 10**6]), st.booleans(),
)  # fmt: skip
def test_each_second_is_counted_by_when_an_arrival_was_due(
    seed: int, count: int, length_ns: int, at_once: int, in_order: bool
) -> None:
    random = Random(seed)
    rows = [a_row(random, length_ns) for _ in range(count)]
    if in_order:
        rows.sort(key=lambda row: row[2])
    due = {w: sorted(a_row(random, length_ns)[2] - BEGUN for _ in range(count)) for w in OF[:1]}
    seen = replace(
        BARE, load_begun_ns=BEGUN, load_stopped_ns=BEGUN + length_ns, canaries_ns={},
        arrivals_ns={w: np.array(d, dtype=np.int64) for w, d in due.items()},
        timeline=Timeline((Mark(MarkName.FAULT_ACTIVE, BEGUN + S, BEGUN + S + S // 2),)),
    )  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run_times, "AT_ONCE", at_once)
        found = series(PLAN, seen, times(seen, rows))
    assert [one.workload for one in found] == list(OF)
    seconds = range(max(0, -(-length_ns // S)))
    for one in found:
        assert one.begin_s == -1.5
        mine = [r for r in rows if r[0] is one.workload and not r[1]]
        by_second = [[r for r in mine if k * S <= r[2] - BEGUN < (k + 1) * S] for k in seconds]
        assert one.offered.tolist() == [len(here) for here in by_second]
        assert one.good.tolist() == [sum(r[5] for r in here) for here in by_second]
        assert one.shed.tolist() == [sum(r[6] for r in here) for here in by_second]
        assert one.scheduled.tolist() == [
            sum(k * S <= d < (k + 1) * S for d in due.get(one.workload, [])) for k in seconds
        ]
        took = [[r[3] - r[2] for r in here if r[4]] for here in by_second]
        for percent, told in ((50, one.latency_p50_ms), (99, one.latency_p99_ms)):
            np.testing.assert_array_equal(told, [nearest_rank(t, percent) for t in took])


@pytest.mark.parametrize("count", [1, 2, 3, 99, 100, 101, 199, 200, 201])
def test_a_percentile_is_a_latency_that_was_measured(count: int) -> None:
    """The one in a hundred that is slower than p99 comes with the hundredth and first arrival."""
    took = [(7 * k) % count * MS for k in range(count)]
    rows = [(OF[0], False, BEGUN + k, BEGUN + k + t, True, True, False) for k, t in enumerate(took)]
    seen = replace(BARE, load_begun_ns=BEGUN, load_stopped_ns=BEGUN + S, arrivals_ns={})
    one, other = series(PLAN, seen, times(seen, rows))
    assert one.latency_p50_ms.tolist() == [nearest_rank(took, 50)]
    assert one.latency_p99_ms.tolist() == [nearest_rank(took, 99)]
    assert np.isnan(other.latency_p99_ms).all()
    assert (other.offered.tolist(), other.scheduled.tolist()) == ([0], [0])


def test_the_zero_of_every_picture_is_the_latest_t_f_or_the_load_s_begin() -> None:
    marked = replace(BARE, timeline=Timeline((Mark(MarkName.FAULT_ACTIVE, 3, 5),)))
    assert origin_ns(marked) == 5
    nothing = replace(BARE, timeline=Timeline(()))
    assert origin_ns(nothing) == BARE.load_begun_ns
    assert {one.begin_s for one in series(PLAN, nothing, times(nothing, []))} == {0.0}


def test_a_limit_is_by_the_code_of_its_workload_to_the_nanosecond() -> None:
    assert PLAN.targets.limits_ns() == {1: 2 * S, 6: 10 * S}
    (orders, finance) = PLAN.targets.workloads
    fine = replace(orders, latency_limit_s=0.1234567894)
    targets = replace(PLAN.targets, workloads=(fine, finance))
    assert targets.limits_ns() == {1: 123_456_789, 6: 10 * S}
