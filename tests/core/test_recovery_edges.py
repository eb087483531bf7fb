"""A recovery to the nanosecond: which answer is the first, which window the last, what is a flap."""

from __future__ import annotations

import pytest

from harness.core.recovery_time import Watch
from harness.core.verdict import RecoveryTime
from tests.core.oracle_time import Op, S
from tests.core.test_recovery_time import measure, op_of, steady
from tests.core.test_recovery_time_ends import Slow

MS = 10**6
FAULT = 5 * S


def away(*tenths: range, until_ns: int = 60 * S) -> RecoveryTime:
    """Twenty a second, all refused in these tenths of a second; the fault at 5 s, W is 10 s."""
    due = list(range(0, 70 * S, S // 20))
    ops = [
        op_of(at, good=not any(at // (S // 10) in bad for bad in tenths), hung=False, took=MS)
        for at in due
    ]
    found = measure(ops, due, Watch(FAULT, FAULT, until_ns, 10 * S))
    answer = Slow(ops, due, Watch(FAULT, FAULT, until_ns, 10 * S)).oracle.answer()
    assert (found.recovered, found.high_ns, found.flaps) == (
        answer.recovered, answer.high, answer.flaps,
    )  # fmt: skip
    return found


@pytest.mark.parametrize(("early_ns", "recovered"), [(0, True), (1, False), (-1, True)])
def test_a_window_may_end_with_the_observation_and_no_later(early_ns: int, recovered: bool) -> None:
    """Back with the answer at 20 s and 1 ms."""
    found = away(range(50, 200), until_ns=30 * S + MS - early_ns)
    assert found.recovered is recovered
    assert found.high_ns == (15 * S + MS if recovered else None)
    assert found.well_at_end is not recovered


@pytest.mark.parametrize(("done_ns", "high_ns"), [(20 * S, 15 * S), (20 * S + 1, None)])
def test_the_last_window_may_begin_with_a_bin_and_end_with_the_last_one(
    done_ns: int, high_ns: int | None
) -> None:
    """Due before the return, and answered at the edge of a second, W before the end."""
    due = list(range(0, 30 * S, S // 20))
    ops = [op_of(at, good=not FAULT <= at < 20 * S, hung=False, took=MS) for at in due]
    ops.append(Op(20 * S - MS, done_ns, True))
    watch = Watch(FAULT, FAULT, 30 * S, 10 * S)
    found = measure(ops, due, watch)
    assert (found.high_ns, found.recovered) == (high_ns, high_ns is not None)
    answer = Slow(ops, due, watch).oracle.answer()
    assert (answer.high, answer.recovered) == (found.high_ns, found.recovered)


@pytest.mark.parametrize(
    ("again_s", "flaps", "high_s"),
    [
        (16, 1, 13),  # the one window that begins right after the second of t_D passes
        (15, 0, 12),  # no window between the two is whole
        (17, 1, 14),
        (30, 1, 27),
    ],
)
def test_a_window_that_passed_between_two_outages_is_a_flap(
    again_s: int, flaps: int, high_s: int
) -> None:
    found = away(range(50, 60), range(10 * again_s, 10 * again_s + 20))
    assert (found.flaps, found.high_ns) == (flaps, high_s * S + MS)


@pytest.mark.parametrize(
    ("seconds", "flaps"),
    [
        ((30, 31), 1),  # two bins in a row below: every window that holds both fails
        ((30,), 0),  # one alone spoils none
        ((30, 32), 0),
        ((30, 31, 50, 51), 2),
        ((16, 17), 1),  # one window passes before the first that holds both
    ],
)
def test_two_seconds_in_a_row_below_spoil_a_window_that_is_well_as_a_whole(
    seconds: tuple[int, ...], flaps: int
) -> None:
    """A hundred a second: down from 5 to 7 s, then two of a hundred fail in each of these seconds."""
    due = list(range(0, 70 * S, S // 100))
    ops = [
        op_of(at, good=not (FAULT <= at < 7 * S or (at // S in seconds and at % S < 2 * S // 100)),
              hung=False, took=MS)
        for at in due
    ]  # fmt: skip
    found = measure(ops, due, Watch(FAULT, FAULT, 65 * S, 10 * S))
    assert (found.flaps, found.recovered) == (flaps, True)


def test_every_stretch_of_passing_windows_is_one_flap() -> None:
    assert away(range(50, 70), range(200, 220), range(400, 420)).flaps == 2
    assert away(range(50, 70)).flaps == 0
    assert away(range(200, 220)).flaps == 0, "before t_D nothing is one"


def late(first_ns: int, proven_ns: int) -> RecoveryTime:
    """Of three arrivals at the fault one fails at once, one is served, one fails a moment later.

    All others are served, and it is watched for less than a window.
    """
    ops, due = steady(14, rate=10)
    ops += [
        Op(FAULT, FAULT, False, FAULT), Op(FAULT, FAULT + first_ns, True),
        Op(FAULT, FAULT + proven_ns, False, FAULT + proven_ns),
    ]  # fmt: skip
    ops = [o for o in ops if o != Op(FAULT, FAULT + MS, True)] + [Op(FAULT, FAULT + 90 * MS, True)]
    return measure(ops, [*due, FAULT, FAULT, FAULT], Watch(FAULT, FAULT, 14 * S, 10 * S))


@pytest.mark.parametrize(
    ("first_ns", "low_ns"),
    [
        (1, 0),  # well from here on: what was due before it speaks no longer
        (0, 50 * MS),  # at t_D itself nobody is back
        (50 * MS, 0),
        (50 * MS + 1, 50 * MS),
    ],
)
def test_well_at_the_end_from_the_first_answer_after_the_trouble_began(
    first_ns: int, low_ns: int
) -> None:
    found = late(first_ns, 50 * MS)
    assert (found.recovered, found.well_at_end) == (False, True)
    assert found.low_ns == low_ns
    assert found.first_bad_ns == 0
    assert found.first_success_ns == (first_ns or 90 * MS)


@pytest.mark.parametrize(("left_ns", "at_end"), [(2 * S, True), (2 * S - 1, False)])
def test_two_seconds_are_enough_to_be_well_at_the_end(left_ns: int, at_end: bool) -> None:
    """Back with the answer at 20 s and 1 ms, and watched for so long from there."""
    found = away(range(50, 200), until_ns=20 * S + MS + left_ns)
    assert (found.recovered, found.well_at_end) == (False, at_end)


@pytest.mark.parametrize(("bad_at_ns", "low_ns"), [(8 * S, 3 * S), (8 * S - 1, 3 * S - 1), (9 * S, 3 * S - 50 * MS)])  # fmt: skip
def test_the_last_proof_before_the_return_is_the_low_end(bad_at_ns: int, low_ns: int) -> None:
    """Down from 5 to 8 s, back at 8 s and 1 ms; one more call failed, dated here, and later."""
    due = list(range(0, 60 * S, S // 20))
    ops = [
        Op(at, at, False, at) if FAULT <= at < 8 * S else op_of(at, good=True, hung=False, took=MS)
        for at in due
    ]
    ops.append(Op(7 * S, bad_at_ns, False, bad_at_ns))
    found = measure(ops, due, Watch(FAULT, FAULT, 60 * S, 10 * S))
    assert found.high_ns == 3 * S + MS
    assert found.low_ns == low_ns
