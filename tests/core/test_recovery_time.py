"""Laws of RTO: it agrees with a slow oracle, holds the truth, and only ever grows with trouble."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from random import Random

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from harness.core.arrivals import Arrivals
from harness.core.recovery_time import Watch, recovery_time
from harness.core.verdict import RecoveryTime
from harness.core.windows import Bar
from tests.core.oracle_time import Op, Oracle, S

MS = 1_000_000
TARGET_NS = 60 * S


def arrivals(ops: list[Op]) -> Arrivals:
    good = np.array([op.good for op in ops], dtype=bool)
    return Arrivals(
        workload=np.ones(len(ops), dtype=np.uint8),
        canary=np.zeros(len(ops), dtype=bool),
        intended_ns=np.array([op.intended for op in ops], dtype=np.int64),
        done_ns=np.array([op.done for op in ops], dtype=np.int64),
        answered=good,
        good=good,
        bad_at_ns=np.array([op.bad_at for op in ops], dtype=np.int64),
        shed=np.zeros(len(ops), dtype=bool),
    )


def measure(ops: list[Op], due: list[int], watch: Watch, bar: Bar | None = None) -> RecoveryTime:
    return recovery_time(
        arrivals(ops), np.array(due, dtype=np.int64), watch, target_ns=TARGET_NS, bar=bar
    )


def op_of(due: int, *, good: bool, hung: bool, took: int, limit: int = 250 * MS) -> Op:
    if good:
        return Op(due, due + took, True)
    return Op(due, due + limit, False, due) if hung else Op(due, due + MS, False, due + MS)


@st.composite
def runs(draw: st.DrawFn) -> tuple[list[Op], list[int], Watch]:
    """Stretches of service and trouble, at a rate, with arrivals that were never sent."""
    step = draw(st.sampled_from([S // 10, S // 4, S // 2, 3 * S]))
    fault = draw(st.integers(0, 3)) * S // 2
    width = draw(st.sampled_from([0, MS, 300 * MS]))
    window = draw(st.integers(1, 4)) * S
    until = fault + draw(st.integers(0, 14)) * S + draw(st.sampled_from([0, 1, S // 2]))
    random = Random(draw(st.integers(0, 2**32)))
    due, ops, at = [], [], draw(st.sampled_from([0, 1, S // 3]))
    while at < until + S and len(due) < 150:
        share, hung = draw(st.sampled_from([100, 100, 97, 60, 0])), draw(st.booleans())
        for _ in range(draw(st.integers(1, 40))):
            due.append(at)
            if random.randrange(40):  # else it was never sent
                took = random.choice([1, MS, S])
                ops.append(op_of(at, good=random.randrange(100) < share, hung=hung, took=took))
            at += step
    wide = draw(st.sampled_from([0, 2 * MS]))
    return ops, due, Watch(fault, fault + width, until, window, lag_ns=wide)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(runs(), st.sampled_from([None, Fraction(1, 2)]))
def test_it_agrees_with_the_slow_oracle(
    run: tuple[list[Op], list[int], Watch], capacity: Fraction | None
) -> None:
    ops, due, watch = run
    slow = Oracle(
        ops, due, fault=(watch.fault_earliest_ns, watch.fault_latest_ns), until=watch.until_ns,
        window=watch.window_ns, widen=watch.widened_by_ns, capacity=capacity,
    ).answer()  # fmt: skip
    fast = measure(ops, due, watch, Bar(round(capacity * 1_000_000)) if capacity else None)
    assert fast.down_ns == slow.down
    assert fast.degraded_ns == slow.degraded
    if watch.until_ns - watch.fault_earliest_ns < watch.window_ns:
        assert not fast.recovered
        return
    assert fast.recovered == slow.recovered
    if slow.began is None:  # never out
        assert fast.low_ns == 0
        assert fast.high_ns is not None
        assert fast.high_ns >= fast.resolution_ns
        return
    assert fast.flaps == slow.flaps
    assert fast.high_ns == slow.high
    assert fast.first_bad_ns == max(0, slow.began - watch.fault_latest_ns)
    if slow.first_success is None:
        assert fast.first_success_ns is None
    else:
        assert fast.first_success_ns == max(0, slow.first_success - watch.fault_latest_ns)
    if slow.recovered:
        assert fast.low_ns == slow.low


@settings(max_examples=60, deadline=None, derandomize=True)
@given(runs(), st.integers(0, 10**6))
def test_order_of_rows_does_not_matter(run: tuple[list[Op], list[int], Watch], seed: int) -> None:
    ops, due, watch = run
    mixed = [ops[i] for i in np.random.default_rng(seed).permutation(len(ops))]
    assert measure(mixed, due, watch) == measure(ops, due, watch)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(runs(), st.integers(1, 10**12))
def test_the_clock_s_zero_does_not_matter(
    run: tuple[list[Op], list[int], Watch], shift: int
) -> None:
    ops, due, watch = run
    moved = [
        Op(
            op.intended + shift,
            op.done + shift if op.done else 0,
            op.good,
            op.bad_at + shift if not op.good else 0,
        )
        for op in ops
    ]
    later = replace(
        watch,
        fault_earliest_ns=watch.fault_earliest_ns + shift,
        fault_latest_ns=watch.fault_latest_ns + shift,
        until_ns=watch.until_ns + shift,
    )
    assert measure(moved, [d + shift for d in due], later) == measure(ops, due, watch)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(runs(), st.data())
def test_one_more_bad_operation_never_shortens_it(
    run: tuple[list[Op], list[int], Watch], data: st.DataObject
) -> None:
    ops, due, watch = run
    before = measure(ops, due, watch)
    assume(watch.until_ns - watch.fault_earliest_ns >= watch.window_ns)
    least = watch.fault_latest_ns + (before.first_bad_ns or 0)
    assume(least < watch.until_ns)
    at = data.draw(st.integers(least, watch.until_ns - 1))
    after = measure(
        [*ops, op_of(at, good=False, hung=data.draw(st.booleans()), took=0)], due, watch
    )
    if not before.recovered:
        assert not after.recovered
    elif after.recovered and before.low_ns > 0:
        assert after.high_ns >= before.high_ns
        assert after.low_ns >= before.low_ns


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    rate=st.sampled_from([5, 12, 20, 100]),
    begins=st.integers(0, S),
    lasts=st.integers(0, 8 * S),
    hung=st.booleans(),
    offset=st.integers(0, S),
    took=st.sampled_from([MS, 8 * MS, 60 * MS]),
)
def test_the_truth_lies_within(
    rate: int, begins: int, lasts: int, hung: bool, offset: int, took: int
) -> None:
    """A platform that is down from t_F for a known time, seen through requests alone."""
    fault = 5 * S + begins
    back, step = fault + lasts, S // rate
    due = list(range(offset % step, fault + 40 * S, step))
    ops = []
    for at in due:
        if at + took <= fault or at >= back:
            ops.append(Op(at, at + took, True))
        elif at < fault:  # under way when the node died
            ops.append(Op(at, fault + MS, False, at))
        elif not hung:
            ops.append(Op(at, at + MS // 2, False, at + MS // 2))
        elif back + took < at + 250 * MS:  # frozen, and answered after the thaw
            ops.append(Op(at, back + took, True))
        else:
            ops.append(Op(at, at + 250 * MS, False, at))
    seen = measure(ops, due, Watch(fault, fault, fault + 39 * S, 10 * S))
    assert seen.recovered
    # a refused request may end just after the platform is back: half a millisecond of it
    assert seen.low_ns <= lasts + MS // 2
    assert lasts <= seen.high_ns
    forgiven = 100 * MS  # one in a hundred of a window of 10 s: that much may hide at its low end
    assert seen.high_ns - seen.low_ns <= 2 * (step + took) + 250 * MS + forgiven


def steady(seconds: int, bad: range | None = None, rate: int = 20) -> tuple[list[Op], list[int]]:
    """Twenty operations a second, all of them good but those in `bad` (tenths of a second)."""
    due = list(range(0, seconds * S, S // rate))
    return [
        op_of(at, good=bad is None or at // (S // 10) not in bad, hung=False, took=MS) for at in due
    ], due


WATCH = Watch(5 * S, 5 * S, 60 * S, 10 * S)


def test_nothing_happened() -> None:
    found = measure(*steady(60), WATCH)
    assert (found.low_ns, found.recovered, found.flaps, found.down_ns) == (0, True, 0, 0)
    assert found.high_ns == found.resolution_ns == S // 20 + 250 * MS


def test_an_outage_of_eight_seconds() -> None:
    found = measure(*steady(60, range(50, 130)), WATCH)
    assert found.low_ns == 7 * S + 951 * MS  # the last refusal was done then
    assert found.high_ns == 8 * S + MS
    assert found.first_bad_ns == MS
    assert found.resolution_ns == S // 20  # failures came at once
    assert (found.down_ns, found.degraded_ns) == (8 * S, 0)


def test_one_slow_answer_late_in_the_watch_is_no_outage() -> None:
    found = measure(*steady(60, range(400, 401), rate=10), WATCH)
    assert found.low_ns == 0
    assert found.high_ns == S // 10 + 250 * MS
    assert found.first_bad_ns == 35 * S + MS
    assert found.degraded_ns == S


def test_a_return_that_does_not_last_is_a_flap() -> None:
    ops, due = steady(60, range(50, 130))
    again, _ = steady(60, range(300, 320))
    both = [a if not a.good else b for a, b in zip(ops, again, strict=True)]
    found = measure(both, due, WATCH)
    assert found.flaps == 1
    assert found.high_ns == 27 * S + MS


def test_a_return_too_late_to_be_watched_is_not_a_recovery() -> None:
    found = measure(*steady(60, range(50, 550)), WATCH)
    assert (found.recovered, found.high_ns, found.well_at_end) == (False, None, True)
    assert found.low_ns == 49 * S + 951 * MS


def test_never_back() -> None:
    found = measure(*steady(60, range(50, 999)), WATCH)
    assert (found.recovered, found.high_ns, found.well_at_end) == (False, None, False)
    assert found.observed_until_ns == 55 * S


def test_arrivals_that_were_never_sent_are_an_outage() -> None:
    ops, due = steady(60)
    sent = [op for op in ops if not 10 * S <= op.intended < 14 * S]
    found = measure(sent, due, WATCH)
    assert found.high_ns == 9 * S + MS
    assert found.down_ns == 4 * S


def test_the_outage_s_clock_starts_when_the_latent_fault_bites() -> None:
    found = measure(*steady(60, range(250, 290)), WATCH)
    assert found.high_ns == 24 * S + MS
    assert found.outage_low_ns == 3 * S + 950 * MS
    assert found.outage_high_ns == 4 * S + 51 * MS


def test_a_degraded_mode_gates_on_the_lower_bar_and_tells_the_full_return() -> None:
    due = list(range(0, 60 * S, S // 20))
    ops = [
        op_of(
            at, good=not (5 * S <= at < 9 * S or (9 * S <= at < 30 * S and at % (S // 10))),
            hung=False, took=MS,
        )
        for at in due
    ]  # fmt: skip
    found = measure(ops, due, WATCH, Bar.degraded(0.5))
    assert found.high_ns == 4 * S + MS
    # a window forgives one in a hundred: the last two refusals of the half that failed
    assert found.full_high_ns == 24 * S + 801 * MS


@pytest.mark.parametrize("until", [5 * S, 6 * S, 4 * S])
def test_a_watch_cut_short_proves_nothing(until: int) -> None:
    found = measure(*steady(60), replace(WATCH, until_ns=until))
    assert (found.recovered, found.high_ns) == (False, None)


def test_no_operations_at_all() -> None:
    found = measure([], [], WATCH)
    assert found.low_ns == 0  # the judge calls it inconclusive: nothing was sent
