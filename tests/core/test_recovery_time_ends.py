"""RTO's further figures against a slow account of each: resolution, the outage's own ends, a late return.

`test_recovery_time.py` holds its low and high end to the oracle; here stands what is told beside them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from harness.core.recovery_time import Watch, recovery_time
from harness.core.verdict import RecoveryTime
from harness.core.windows import Bar, Bins, Counts, rising
from tests.core.oracle_time import Op, Oracle, S, within
from tests.core.test_recovery_time import arrivals, measure, op_of, runs, steady

MS = 10**6


@dataclass(frozen=True)
class Slow:
    """A run and what follows from it, by lists and loops."""

    ops: list[Op]
    due: list[int]
    watch: Watch

    @property
    def oracle(self) -> Oracle:
        w = self.watch
        return Oracle(
            self.ops, self.due, fault=(w.fault_earliest_ns, w.fault_latest_ns), until=w.until_ns,
            window=w.window_ns, widen=w.widened_by_ns,
        )  # fmt: skip

    @property
    def seen(self) -> list[Op]:
        return within(self.ops, self.watch.fault_earliest_ns, self.watch.until_ns)

    @property
    def below(self) -> list[tuple[int, int]]:
        oracle = self.oracle
        bins = [(e, min(e + S, self.watch.until_ns)) for e in oracle.edges]
        return [b for b in bins if not oracle.served(*b)]

    def resolution(self, *, hung: bool) -> int:
        begin, end = self.watch.fault_earliest_ns, self.watch.until_ns
        at = [begin, *sorted(d for d in self.due if begin <= d < end), end]
        waits = self.watch.canary_limit_ns if hung else 0
        return max(b - a for a, b in pairwise(at)) + self.watch.lag_ns + waits

    def last_bad(self, before: int) -> int:
        begin = self.watch.fault_earliest_ns
        told = [o.bad_at for o in self.ops if not o.good and begin < o.bad_at < before]
        return max(told, default=begin)

    def hung(self, at: int) -> bool:
        these = [o for o in self.seen if not o.good and o.bad_at == at]
        return any(o.done != at for o in these) if these else True

    def proven(self, began: int) -> int:
        if not self.below:
            return self.watch.fault_latest_ns
        bad = [o for o in within(self.ops, *self.below[0]) if not o.good]
        if not bad:
            return self.below[0][0]
        return max(began, min(o.done for o in bad))

    def late_return(self, began: int) -> int | None:
        """Well from here to the end, for two seconds or more, and for less than a window."""
        until, oracle = self.watch.until_ns, self.oracle
        after = max(began, until - self.watch.window_ns)
        pairs = [a for a, b in pairwise(self.below) if b[0] == a[1]]
        after = max([after, *(p[0] for p in pairs)])
        ends = sorted(o.done for o in self.ops if o.good and after < o.done <= until - 2 * S)
        return next((at for at in ends if oracle.served(at, until)), None)


clocks = st.tuples(st.sampled_from([0, 3 * MS]), st.sampled_from([0, 5 * MS, 700 * MS]))


def slowly(
    run: tuple[list[Op], list[int], Watch], clock: tuple[int, int]
) -> tuple[Slow, RecoveryTime]:
    ops, due, watch = run
    watch = replace(watch, lag_ns=clock[0], clock_error_ns=clock[1])
    assume(watch.until_ns - watch.fault_earliest_ns >= watch.window_ns)
    return Slow(ops, due, watch), measure(ops, due, watch)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(runs(), clocks)
def test_what_is_told_of_an_outage(
    run: tuple[list[Op], list[int], Watch], clock: tuple[int, int]
) -> None:
    slow, found = slowly(run, clock)
    answer, watch = slow.oracle.answer(), slow.watch
    assume(answer.began is not None)
    began = answer.began
    assert began is not None
    assert found.observed_until_ns == max(0, watch.until_ns - watch.fault_latest_ns)
    assert found.widened_by_ns == sum(clock)
    late = None if answer.back is not None else slow.late_return(began)
    assert found.well_at_end is (late is not None)
    last = slow.last_bad(answer.back or late or watch.until_ns)
    assert found.low_ns == max(0, last - watch.fault_latest_ns - sum(clock))
    assert found.resolution_ns == slow.resolution(hung=slow.hung(last))
    assert found.outage_low_ns == max(0, last - slow.proven(began) - sum(clock))
    served = [o.intended for o in slow.seen if o.good and o.done <= began]
    since = max(served, default=watch.fault_earliest_ns)
    high = None if answer.back is None else answer.back - since + sum(clock)
    assert found.outage_high_ns == high


@settings(max_examples=150, deadline=None, derandomize=True)
@given(runs(), clocks)
def test_what_is_told_where_nothing_was_ever_out(
    run: tuple[list[Op], list[int], Watch], clock: tuple[int, int]
) -> None:
    slow, found = slowly(run, clock)
    watch = slow.watch
    assume(slow.oracle.answer().began is None)
    assert found.recovered
    assert (found.low_ns, found.outage_low_ns, found.flaps) == (0, 0, 0)
    assert found.resolution_ns == slow.resolution(hung=True)
    high = found.resolution_ns + clock[1]
    if not slow.below:
        assert found.first_bad_ns is None
    else:
        good = sorted({o.done for o in slow.ops if o.good and watch.fault_earliest_ns < o.done})
        at = [watch.fault_earliest_ns, *good, watch.until_ns]
        bad = [o.bad_at for b in slow.below for o in within(slow.ops, *b) if not o.good]
        stretches = [b - a for a, b in pairwise(at) if any(a <= x < b for x in bad)]
        high = max([high, *(s + sum(clock) for s in stretches)])
    assert found.high_ns == found.outage_high_ns == high


def late(until_s: float, back_s: float, window_s: int = 10) -> RecoveryTime:
    """Away from the fault at 5 s on, back at `back_s`, watched to `until_s`."""
    ops, due = steady(60, range(50, round(back_s * 10)))
    watch = Watch(5 * S, 5 * S, round(until_s * S), window_s * S)
    return measure([o for o in ops if o.intended < until_s * S], due, watch)


@pytest.mark.parametrize(
    ("until_s", "back_s", "recovered", "at_end"),
    [
        (30.0, 19.9, True, False),
        (30.0, 20.0, False, True),  # its first answer comes a millisecond later: no whole window
        (30.0, 27.9, False, True),
        (30.0, 28.0, False, False),  # for less than two seconds
        (30.0, 99.0, False, False),
        (14.0, 5.0, False, True),  # nothing was ever away, and for less than a window
        (14.0, 6.0, False, True),
        (14.0, 13.0, False, False),
    ],
)
def test_a_return_too_late_for_a_window_is_told_from_two_seconds_on(
    until_s: float, back_s: float, recovered: bool, at_end: bool
) -> None:
    found = late(until_s, back_s)
    assert (found.recovered, found.well_at_end) == (recovered, at_end)


def test_arrivals_that_were_shed_are_counted_after_the_fault_alone() -> None:
    ops, due = steady(30, range(60, 70))
    seen = arrivals(ops)
    shed = ~seen.good | (seen.intended_ns < 2 * S)
    found = recovery_time(
        replace(seen, shed=shed), np.array(due), Watch(5 * S, 5 * S, 30 * S, 10 * S),
        target_ns=60 * S,
    )  # fmt: skip
    assert found.shed == 20
    assert found.target_ns == 60 * S
    assert (found.full_low_ns, found.full_high_ns) == (None, None)


def test_the_full_return_is_told_beside_a_lower_bar_with_both_its_ends() -> None:
    ops, due = steady(60, range(50, 90))
    half = [op_of(o.intended, good=not (90 <= o.intended // (S // 10) < 200) or o.intended % (S // 10) == 0,
                  hung=False, took=MS) if o.good else o for o in ops]  # fmt: skip
    watch = Watch(5 * S, 5 * S, 60 * S, 10 * S)
    full, degraded = measure(half, due, watch), measure(half, due, watch, Bar.degraded(0.5))
    assert (degraded.full_low_ns, degraded.full_high_ns) == (full.low_ns, full.high_ns)
    assert degraded.high_ns is not None
    assert full.high_ns is not None
    assert degraded.high_ns < full.high_ns


@pytest.mark.parametrize(
    ("window_s", "bins_s"), [(1.0, 1), (1.000000001, 2), (10.0, 10), (10.2, 11), (0.5, 1)]
)
def test_a_window_is_whole_bins(window_s: float, bins_s: int) -> None:
    assert Watch.bins_of(window_s) == bins_s * S


counted = st.lists(
    st.tuples(st.integers(0, 300), st.integers(0, 300), st.integers(0, 300)), min_size=1, max_size=9
)


@given(counted)
def test_a_stretch_is_well_by_integers(rows: list[tuple[int, int, int]]) -> None:
    good, total, due = (np.array(column, dtype=np.int64) for column in zip(*rows, strict=True))
    full = [100 * g >= 99 * t and 100 * g >= 95 * d for g, t, d in rows]
    assert Bar().well(good, total, due).tolist() == full
    assert Bar.degraded(0.7).well(good, total, due).tolist() == [
        10 * g >= 7 * d for g, _, d in rows
    ]


@given(
    st.lists(st.integers(0, 50), max_size=20), st.lists(st.integers(0, 50), max_size=20),
    st.integers(0, 40), st.integers(0, 60),
)  # fmt: skip
def test_counts_and_bins_are_of_half_open_stretches(
    intended: list[int], due: list[int], begin: int, end: int
) -> None:
    """A bin is a second; tenths of it are enough to tell."""
    tenth = S // 10
    good = [n % 3 != 0 for n in range(len(intended))]
    counts = Counts.of(
        np.array(intended, dtype=np.int64) * tenth, np.array(good, dtype=np.bool_),
        np.array(due, dtype=np.int64) * tenth,
    )  # fmt: skip
    bins = Bins.of(counts, Bar(), begin * tenth, end * tenth)
    edges = list(range(begin, end, 10))
    assert (bins.edges_ns // tenth).tolist() == edges
    assert (bins.ends_ns // tenth).tolist() == [min(e + 10, end) for e in edges]
    for n, edge in enumerate(edges):
        inside = [k for k, at in enumerate(intended) if edge <= at < min(edge + 10, end)]
        assert bins.total[n] == len(inside)
        assert bins.good[n] == sum(good[k] for k in inside)
        assert bins.due[n] == sum(edge <= d < min(edge + 10, end) for d in due)
        assert bins.index(edge * tenth) == n
        assert bins.down[n] == (bins.good[n] == 0 and bins.due[n] + bins.total[n] > 0)
    well = bins.well.tolist()
    assert bins.pairs.tolist() == [
        n for n in range(len(well) - 1) if not well[n] and not well[n + 1]
    ]
    assert len(bins) == len(edges)


@given(st.lists(st.integers(-5, 5), max_size=8))
def test_values_are_put_in_rising_order(values: list[int]) -> None:
    assert rising(np.array(values, dtype=np.int64)).tolist() == sorted(values)
