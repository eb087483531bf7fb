"""The bounds of a worker's clock to the nanosecond, by hand: never tighter, and no looser either."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.clock_bounds import RoundTrip, WorkerClock, clock_of, drift_ns
from harness.core.clock_pace import SLEWED_MAX_PPM, Pace, slewed_ppm

S = 10**9


def bounds(*trips: tuple[int, int, int]) -> tuple[list[int], list[int]]:
    """Of (told, sent, received): the low and the high end at each of them."""
    found = clock_of(0, [RoundTrip(0, sent, told, received) for told, sent, received in trips])
    assert found is not None
    return found.low_ns.tolist(), found.high_ns.tolist()


def test_one_look_bounds_by_its_own_ends_and_a_nanosecond() -> None:
    assert bounds((100, 90, 130)) == ([-11], [31])


@pytest.mark.parametrize("at", [0, 7, 12_345])
def test_a_quick_look_bounds_a_slow_one_before_and_after_it_by_the_drift(at: int) -> None:
    """10 us apart, so 10 ns of drift; the slow one was under way for 4 us."""
    quick, slow = (at, at - 50, at + 50), (at + 10_000, at + 8_000, at + 12_000)
    assert bounds(quick, slow) == ([-51, -61], [51, 61])
    slow, quick = (at, at - 2_000, at + 2_000), (at + 10_000, at + 9_950, at + 10_050)
    assert bounds(slow, quick) == ([-61, -51], [61, 51])


@given(
    st.lists(
        st.tuples(st.integers(0, 10**7), st.integers(0, 10**5), st.integers(0, 10**5)),
        min_size=1, max_size=8, unique_by=lambda trip: trip[0],
    )
)  # fmt: skip
def test_each_bound_is_the_tightest_of_all_looks_as_far_as_the_drift_allows(
    waits: list[tuple[int, int, int]],
) -> None:
    """Never tighter than the exact one of the tightest look; looser by three nanoseconds at most."""
    trips = sorted((at, at - there, at + back) for at, there, back in waits)
    low, high = bounds(*trips)
    for (at, _, _), lowest, highest in zip(trips, low, high, strict=True):
        exact_low = max(sent - told - abs(at - told) / 1000 for told, sent, _ in trips)
        exact_high = min(received - told + abs(at - told) / 1000 for told, _, received in trips)
        assert exact_low - 3 <= lowest <= exact_low
        assert exact_high <= highest <= exact_high + 3


def clock(at: list[int], low: list[int], high: list[int]) -> WorkerClock:
    return WorkerClock(0, *(np.array(column, dtype=np.int64) for column in (at, low, high)))


TWO = clock([0, 10_000_000], [-5, -7], [5, 8])  # half: 5 + 2, and 7.5 + 2 rounded up


@pytest.mark.parametrize(
    ("first_ns", "last_ns", "error_ns"),
    [
        (-5, -1, 10),  # before both: a nanosecond of drift on the first is less than the last's
        (-4_000, -1, 11),
        (-4_001, -1, 12),  # a part of a nanosecond is a whole one
        (10_000_001, 10_000_001, 11),
        (10_000_001, 10_002_000, 12),
        (10_000_001, 10_002_001, 13),
        (0, 10_000_000, 10 + 5_000 + 1),  # between them: half of the drift
        (10_000_000, 10_000_000, 10 + 5_000 + 1),  # at the edge of the gap is in it
        (-9, 0, 10 + 5_000 + 1),
        (3, 4, 10 + 5_000 + 1),
    ],
)
def test_how_far_off_an_instant_may_be(first_ns: int, last_ns: int, error_ns: int) -> None:
    assert TWO.error_ns(first_ns, last_ns) == error_ns


def test_only_the_gaps_that_were_lived_in_count() -> None:
    three = clock([0, 1_000_000, 9_000_000], [-5, -5, -5], [5, 5, 5])
    assert three.error_ns(10, 20) == 7 + 500 + 1
    assert three.error_ns(2_000_000, 3_000_000) == 7 + 4_000 + 1


def test_an_instant_is_turned_by_the_middle_of_what_is_possible() -> None:
    assert TWO.from_run_ns(100) == 100 - 0
    assert clock([0, 9], [0, 40], [0, 61]).from_run_ns(1000) == 1000 - 50
    ahead = clock([1000, 2000, 3000], [100, 100, 300], [300, 300, 500])  # 200, 200, 400
    told = ahead.to_run_ns(np.array([0, 1000, 1500, 2000, 2500, 3000, 9000]))
    assert told.tolist() == [200, 1200, 1700, 2200, 2800, 3400, 9400]


def test_where_a_clock_stepped_is_the_first_look_at_which_nothing_is_possible() -> None:
    assert clock([5, 6, 7], [0, 0, 0], [0, 0, 0]).stepped_ns is None
    assert clock([5, 6, 7], [0, 1, 1], [0, 0, 0]).stepped_ns == 6


@pytest.mark.parametrize(("length_ns", "drift"), [(0, 0), (1, 1), (1000, 1), (1001, 2), (S, 10**6)])
def test_drift_is_rounded_up(length_ns: int, drift: int) -> None:
    assert drift_ns(length_ns) == drift


@given(
    st.integers(0, 100 * S), st.integers(-(10**8), 10**8), st.integers(0, 10**5), st.integers(0, 10**5)
)  # fmt: skip
def test_a_pace_is_told_where_both_readings_cannot_explain_it(
    length_ns: int, off_ns: int, first_ns: int, second_ns: int
) -> None:
    before = Pace(3 * S, 7 * S, first_ns)
    told = slewed_ppm(before, Pace(3 * S + length_ns, 7 * S + length_ns + off_ns, second_ns))
    apart_ns = abs(off_ns) - first_ns - second_ns
    if apart_ns * 10**6 <= length_ns * SLEWED_MAX_PPM:
        assert told == 0
    else:
        assert told == apart_ns * 10**6 // max(1, length_ns)
        assert told > 0
