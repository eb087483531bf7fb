"""A lone slow answer, with every window well: RTO is 0, and its upper end is the longest silence."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from harness.core.recovery_time import Watch
from harness.core.schedule import Planned, Shape, arrivals_ns, canary_ns
from harness.core.verdict import RecoveryTime
from tests.core.oracle_time import Op, S, within
from tests.core.test_recovery_time import measure, op_of
from tests.core.test_recovery_time_ends import Slow

MS = 10**6


def silence(slow: Slow) -> int:
    """The longest between two GOOD answers in which an arrival of a bin below proved bad."""
    watch = slow.watch
    good = sorted({o.done for o in slow.ops if o.good and watch.fault_earliest_ns < o.done})
    at = [watch.fault_earliest_ns, *good, watch.until_ns]
    bad = [o.bad_at for b in slow.below for o in within(slow.ops, *b) if not o.good]
    return max((b - a for a, b in pairwise(at) if any(a <= x < b for x in bad)), default=0)


@st.composite
def lone_failures(draw: st.DrawFn) -> tuple[list[Op], list[int], Watch]:
    """Ten or more a second for half a minute, of which a few fail, each far from the next."""
    step = draw(st.sampled_from([S // 20, S // 10, S // 11]))
    fault, until = draw(st.sampled_from([(0, 30 * S), (S // 2, 31 * S), (1, 25 * S + 7)]))
    failing = draw(st.lists(st.integers(0, 30 * S // step), max_size=3))
    due = list(range(draw(st.integers(0, step)), until + S, step))
    hung, took = draw(st.booleans()), draw(st.sampled_from([1, MS, 40 * MS]))
    ops = [op_of(at, good=n not in failing, hung=hung, took=took) for n, at in enumerate(due)]
    limit, lag, error = draw(
        st.tuples(st.sampled_from([0, 250 * MS]), st.sampled_from([0, 3 * MS]), st.sampled_from([0, 5 * MS]))
    )  # fmt: skip
    return ops, due, Watch(fault, fault + 2 * MS, until, 10 * S, lag, error, limit)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(lone_failures())
def test_its_upper_end_is_the_silence_or_the_resolution_whichever_is_longer(
    run: tuple[list[Op], list[int], Watch],
) -> None:
    ops, due, watch = run
    slow, found = Slow(ops, due, watch), measure(ops, due, watch)
    assume(slow.oracle.answer().began is None)
    assert (found.recovered, found.low_ns, found.outage_low_ns) == (True, 0, 0)
    high = slow.resolution(hung=True) + watch.clock_error_ns
    if slow.below:
        high = max(high, silence(slow) + watch.widened_by_ns)
        began = slow.oracle.began(slow.below)
        assert found.first_bad_ns == max(0, began - watch.fault_latest_ns)
    else:
        assert found.first_bad_ns is None
    assert found.high_ns == found.outage_high_ns == high


def one_slow(error_ns: int, lag_ns: int, *failing: int) -> RecoveryTime:
    due = list(range(0, 40 * S, S // 10))
    ops = [op_of(at, good=n not in failing, hung=False, took=MS) for n, at in enumerate(due)]
    return measure(ops, due, Watch(5 * S, 5 * S, 40 * S, 10 * S, lag_ns, error_ns, 0))


@pytest.mark.parametrize(
    ("lag_ns", "error_ns"), [(0, 0), (3 * MS, 0), (0, 5 * MS), (3 * MS, 5 * MS)]
)
def test_a_silence_is_widened_by_clock_and_lag(lag_ns: int, error_ns: int) -> None:
    found = one_slow(error_ns, lag_ns, 120)
    assert found.high_ns == 200 * MS + lag_ns + error_ns
    assert found.first_bad_ns == 7 * S + MS
    assert one_slow(error_ns, lag_ns).high_ns == 100 * MS + lag_ns + error_ns


def test_of_two_silences_the_longer_one_counts_and_the_first_dates_the_trouble() -> None:
    assert one_slow(0, 0, 120, 250).high_ns == 200 * MS
    first = one_slow(0, 0, 50)
    assert first.high_ns == 101 * MS, "from the fault to the first answer after it"
    assert first.first_bad_ns == MS


@pytest.mark.parametrize("until_s", [0.0, 3.0, 90.0, 125.5, 400.0, 1250.25])
@pytest.mark.parametrize("rate_per_s", [0.0, 0.3, 7.0])
def test_a_schedule_that_is_planned_is_the_one_that_is_made_at_once(
    until_s: float, rate_per_s: float
) -> None:
    shape = Shape("curve", ((0.0, 1.0), (100.0, 3.0), (130.0, 0.0), (700.0, 1.0)))
    planned = Planned(rate_per_s, rate_per_s, shape, until_s, seed=5, workload_code=3)
    none = np.zeros(0, dtype=np.int64)
    parts, canaries = list(planned.arrivals_ns()), list(planned.canaries_ns())
    assert np.concatenate([none, *parts]).tolist() == arrivals_ns(
        rate_per_s=rate_per_s, shape=shape, until_s=until_s, seed=5, workload_code=3
    ).tolist()  # fmt: skip
    assert np.concatenate([none, *canaries]).tolist() == canary_ns(
        rate_per_s=rate_per_s, until_s=until_s, workload_code=3
    ).tolist()  # fmt: skip
    for some in (parts, canaries):
        ends = [int(part[-1]) for part in some if len(part)]
        begins = [int(part[0]) for part in some if len(part)]
        assert all((np.diff(part) >= 0).all() for part in some)
        assert all(a <= b for a, b in zip(ends, begins[1:], strict=False))
    other = replace(planned, seed=6)
    if rate_per_s * until_s > 9:
        assert np.concatenate(list(other.arrivals_ns())).tolist() != np.concatenate(parts).tolist()
