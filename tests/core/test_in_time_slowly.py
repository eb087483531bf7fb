"""Arrivals and a schedule by stretches of time, against plain lists: any stretch, held or set aside."""

from __future__ import annotations

from dataclasses import fields, replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core.arrivals import Arrivals
from harness.core.due import DUE, Due, DueInTime
from harness.core.in_time import ARRIVAL, InTime, Timed, edge_after
from harness.core.recovery_time import Watch, recovery_time
from harness.core.run_times import RunTimes, stretch_ns_of
from harness.core.schedule import Shape
from harness.core.targets import Targets
from harness.core.windows import AT_ONCE, Bar, Bins, count_up
from tests.core import simulate
from tests.core.oracle_time import Op
from tests.core.portioned import InLists
from tests.core.test_recovery_time import TARGET_NS, runs
from tests.core.test_recovery_time import arrivals as of_ops

S = 10**9
type_row = tuple[int, int, int, bool, bool, bool, bool, int]
rows_of_any = st.lists(
    st.tuples(
        st.sampled_from([1, 2, 6]), st.integers(-9, 30), st.integers(0, 40), st.booleans(),
        st.booleans(), st.booleans(), st.booleans(), st.integers(0, 40),
    ),
    max_size=25,
)  # fmt: skip
stretches = st.tuples(st.sampled_from([1, 2, 7, 64, 1000]), st.integers(-5, 5))


def arrivals(rows: list[type_row]) -> Arrivals:
    """Code, intended, done, good, answered, canary, shed, bad: in the order of the list."""
    code, intended, done, good, answered, canary, shed, bad = (
        zip(*rows, strict=True) if rows else [()] * 8
    )
    flags = (np.array(column, dtype=np.bool_) for column in (canary, answered, good, shed))
    is_canary, is_answered, is_good, is_shed = flags
    times = (np.array(column, dtype=np.int64) for column in (intended, done, bad))
    intended_ns, done_ns, bad_at_ns = times
    return Arrivals(
        np.array(code, dtype=np.uint8), is_canary, intended_ns, done_ns, is_answered, is_good,
        np.where(is_good, 0, bad_at_ns), is_shed,
    )  # fmt: skip


def told(found: Arrivals) -> list[tuple[int, ...]]:
    return sorted(zip(*(getattr(found, f.name).tolist() for f in fields(Arrivals)), strict=True))


def in_time(
    rows: list[type_row], cuts: int, stretch: tuple[int, int], *, aside: bool
) -> InTime:  # fmt: skip
    times = InTime(*stretch, InLists(ARRIVAL) if aside else None)
    for first in range(0, len(rows) + 1, cuts):
        times.add(arrivals(rows[first : first + cuts]))
    return times


@settings(max_examples=400, deadline=None, derandomize=True)
@given(
    rows_of_any, st.sampled_from([1, 3, 40]), stretches, st.booleans(), st.integers(-10, 45),
    st.integers(0, 50),
)  # fmt: skip
def test_what_is_asked_of_an_instant_is_what_the_list_of_all_arrivals_says(
    rows: list[type_row], cuts: int, stretch: tuple[int, int], aside: bool, begin: int, length: int
) -> None:
    times, end = in_time(rows, cuts, stretch, aside=aside), begin + length
    assert times.codes == sorted({r[0] for r in rows})
    for code in (1, 2, 6, 77):
        timed = times.of(code)
        mine = [r for r in rows if r[0] == code]
        inside = [r for r in mine if begin <= r[1] < end]
        good, bad = [r for r in mine if r[3]], [r for r in mine if not r[3]]
        assert len(timed) == len(mine)
        assert told(timed.within(begin, end)) == told(arrivals(inside))
        parts = list(timed.parts(begin, end))
        at = [t for part in parts for t in part.intended_ns.tolist()]
        assert at == sorted(r[1] for r in inside)
        numbers = [{(t - stretch[1]) // stretch[0] for t in p.intended_ns.tolist()} for p in parts]
        assert all(len(n) <= 1 for n in numbers), "a part is of one stretch"
        assert told(Arrivals.concatenate([Arrivals.nothing(), *timed.parts()])) == told(
            arrivals(mine)
        )
        assert timed.count(begin, end) == len(inside)
        assert timed.served(begin, end).tolist() == sorted(
            r[2] for r in good if begin <= r[2] < end
        )
        assert timed.served_after(begin) == min((r[2] for r in good if r[2] > begin), default=None)
        assert timed.served_before(begin) == max((r[2] for r in good if r[2] < begin), default=None)
        assert timed.bad_before(begin) == max((r[7] for r in bad if r[7] < begin), default=None)
        proven = [p for p in timed.bad_at(begin) if len(p)]
        assert told(Arrivals.concatenate([Arrivals.nothing(), *proven])) == told(
            arrivals([r for r in bad if r[7] == begin])
        )
        for by in (begin, end):
            served = [r[1] for r in good if r[2] <= by and begin <= r[1] < end]
            assert timed.last_served_by(by, begin, end) == max(served, default=None)


instants = st.lists(st.integers(-9, 40), max_size=25)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    instants, instants, st.sampled_from([1, 3, 40]), stretches, st.booleans(), st.integers(-10, 45),
    st.integers(0, 50),
)  # fmt: skip
def test_what_was_due_is_what_the_list_of_the_schedule_says(
    planned: list[int], canaries: list[int], cuts: int, stretch: tuple[int, int], aside: bool,
    begin: int, length: int,
) -> None:  # fmt: skip
    times, end = DueInTime(*stretch, InLists(DUE) if aside else None), begin + length
    for due, is_canary in ((planned, False), (canaries, True)):
        for first in range(0, len(due) + 1, cuts):
            part = np.array(due[first : first + cuts], dtype=np.int64)
            times.add(3, part, canaries=is_canary)
            times.add(4, part + 1, canaries=not is_canary)
    for code, canary, every in (
        (3, True, planned + canaries), (3, False, planned), (5, True, []),
        (4, False, [c + 1 for c in canaries]), (4, True, [d + 1 for d in planned + canaries]),
    ):  # fmt: skip
        due = times.of(code, canaries=canary)
        inside = sorted(d for d in every if begin <= d < end)
        parts = [part.tolist() for part in due.parts(begin, end)]
        assert [d for part in parts for d in part] == due.within(begin, end).tolist() == inside
        assert all(parts)
        assert all((a[-1] - stretch[1]) // stretch[0] < (b[0] - stretch[1]) // stretch[0]
                   for a, b in pairwise(parts))  # fmt: skip
        assert due.count(begin, end) == len(inside)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(runs(), st.sampled_from([1, S // 3, S, 2 * S, 7 * S]), st.sampled_from([None, 0.5]))
def test_a_recovery_time_is_the_same_by_stretches_of_any_length(
    run: tuple[list[Op], list[int], Watch], stretch_ns: int, capacity: float | None
) -> None:
    ops, due, watch = run
    bar = None if capacity is None else Bar.degraded(capacity)
    seen, due_ns = of_ops(ops), np.array(due, dtype=np.int64)
    whole = recovery_time(seen, due_ns, watch, target_ns=TARGET_NS, bar=bar)
    cut = Timed.of(seen, stretch_ns) if stretch_ns > 1 or len(ops) < 40 else Timed.of(seen)
    schedule = Due.of(due_ns, stretch_ns)
    assert recovery_time(cut, schedule, watch, target_ns=TARGET_NS, bar=bar) == whole


@pytest.mark.parametrize(
    ("at", "begin", "found"),
    [
        ([0, 6, 7, 13, 14], 0, (0, 2)), ([0, 6, 7, 13, 14], 2, (1, 4)), ([14, 20], 0, (2, 2)),
        ([-1, 0], 0, (-1, 1)), ([-7, -1], 0, (-1, 2)), ([-8, -7], 0, (-2, 1)),
    ],
)  # fmt: skip
def test_a_stretch_begins_at_its_edge_and_ends_before_the_next(
    at: list[int], begin: int, found: tuple[int, int]
) -> None:
    for origin in (0, 3, -10):
        moved = np.array(at, dtype=np.int64) + origin
        assert edge_after(moved, begin, 7, origin) == found


@settings(max_examples=200, deadline=None, derandomize=True)
@given(instants, st.integers(-20, -9), st.integers(0, 3))
def test_instants_are_counted_up_into_the_bins_that_hold_them(
    at: list[int], begin: int, before: int
) -> None:
    """Tenths of a second are enough to tell; what was counted before stays."""
    tenth = S // 10
    bins = np.full(8, before, dtype=np.int64)
    count_up(bins, begin * tenth, np.sort(np.array(at, dtype=np.int64)) * tenth)
    assert bins.tolist() == [
        before + sum(10 * k <= t - begin < 10 * (k + 1) for t in at) for k in range(8)
    ]
    edges, ends = Bins.between(begin * tenth, 7 * tenth)
    assert edges[0] == begin * tenth
    assert ends[-1] == 7 * tenth
    assert (edges[1:] == ends[:-1]).all()


@pytest.mark.parametrize(
    ("peak", "top", "rate", "canaries", "per_s"),
    [
        (1.0, 1.0, 10.0, 10.0, 20),  # no longer than ten minutes
        (2.0, 3.0, 1000.0, 0.0, 6000),
        (1.0, 1.0, 1000.0, 1000.0, 2000),
        (1.0, 1.0, 0.25, 0.0, 1),
        (1.0, 1.0, 1e7, 0.0, 10_000_000),  # and one second at least
    ],
)
def test_a_stretch_holds_no_more_than_is_looked_at_together(
    peak: float, top: float, rate: float, canaries: float, per_s: int
) -> None:
    stretch_s = max(1, min(600, AT_ONCE // per_s))
    (orders, *_) = simulate.TARGETS.workloads
    target = replace(orders, rate_per_s=rate, canary_per_s=canaries)
    shape = Shape("curve", ((0.0, 0.5), (5.0, top)))
    plan = simulate.plan_of(targets=Targets((target,)), peak=peak, shape=shape)
    assert stretch_ns_of(plan) == stretch_s * S
    most = stretch_s * (rate * peak * top + canaries)
    assert most <= max(AT_ONCE, rate * peak * top + canaries)


def test_a_shape_of_no_points_is_the_rate_itself() -> None:
    (orders, *_) = simulate.TARGETS.workloads
    target = replace(orders, rate_per_s=1000.0, canary_per_s=0.0)
    plan = simulate.plan_of(targets=Targets((target,)), shape=Shape("bare", ()))
    assert stretch_ns_of(plan) == AT_ONCE // 1000 * S
    nobody = simulate.plan_of(targets=Targets(()), shape=Shape("bare", ()))
    assert stretch_ns_of(nobody) == 600 * S


def test_the_times_of_a_run_are_those_of_its_ledger_and_its_schedule() -> None:
    plan, seen = simulate.evidence(outage_s=3.0, after_s=5.0)
    noted: list[int] = []
    times = RunTimes.read(plan, seen, lambda calls: noted.append(len(calls)))
    assert noted == [len(seen.operations)]
    every = [part for part in times.parts(0, 2**62) if len(part)]
    assert sum(len(p) for p in every) == sum(
        len(times.arrivals(t.workload)) for t in plan.targets.workloads
    )
    for target in plan.targets.workloads:
        due, canaries = seen.arrivals_ns[target.workload], seen.canaries_ns[target.workload]
        both = np.sort(np.concatenate([due, canaries])) + seen.load_begun_ns
        assert times.due(target.workload).within(0, 2**62).tolist() == both.tolist()
        alone = times.due(target.workload, canaries=False)
        assert alone.within(0, 2**62).tolist() == (due + seen.load_begun_ns).tolist()
        assert {int(c) for p in times.arrivals(target.workload).parts() for c in p.workload} == {
            target.workload.code
        }
