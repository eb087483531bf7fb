"""Laws of the clock's bound: whatever the latencies, the asymmetries and the drift, it holds."""

from __future__ import annotations

import doctest
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core import clock_pace
from harness.core.clock_bounds import MAX_DRIFT_PPM, RoundTrip, WorkerClock, clock_of
from harness.core.clock_pace import Pace, slewed_ppm
from harness.core.load_places import Elsewhere, WorkerPlace
from harness.core.operation import Kind
from harness.core.operations import SLOT, Operations

MS, S = 10**6, 10**9
DAYS_NS = 10**15  # one machine was started days before the other


@dataclass(frozen=True)
class World:
    """A worker's clock as it truly ran, and what was seen of it."""

    ahead_ns: int
    ppm: tuple[int, ...]  # of every second in turn, within the bound
    waits_ns: tuple[tuple[int, int], ...]  # there and back, once a second

    def run_ns(self, at: float) -> int:
        """The run's clock when the worker's shows `at` seconds since the begin."""
        whole = min(int(at), len(self.ppm) - 1)
        ran = sum(S * p // 10**6 for p in self.ppm[:whole])
        return round(at * S + ran + (at - whole) * S * self.ppm[whole] / 10**6) - self.ahead_ns

    @property
    def trips(self) -> list[RoundTrip]:
        return [
            RoundTrip(0, self.run_ns(k) - there, k * S, self.run_ns(k) + back)
            for k, (there, back) in enumerate(self.waits_ns)
        ]

    @property
    def clock(self) -> WorkerClock:
        found = clock_of(0, self.trips)
        assert found is not None
        return found


latencies = st.one_of(st.integers(1_000, 5 * MS), st.integers(1_000, 2 * S))
worlds = st.integers(2, 12).flatmap(
    lambda n: st.builds(
        World,
        st.integers(-DAYS_NS, DAYS_NS),
        st.lists(st.integers(-MAX_DRIFT_PPM, MAX_DRIFT_PPM), min_size=n, max_size=n).map(tuple),
        st.lists(st.tuples(latencies, latencies), min_size=n, max_size=n).map(tuple),
    )
)


@given(worlds, st.floats(0, 12))
def test_the_truth_is_never_outside_the_bound(world: World, at_s: float) -> None:
    clock, at_ns = world.clock, round(at_s * S)
    assert clock.stepped_ns is None
    (told,) = clock.to_run_ns(np.array([at_ns])).tolist()
    assert abs(told - world.run_ns(at_s)) <= clock.error_ns(at_ns, at_ns) + 1
    assert clock.error_ns(at_ns, at_ns) <= clock.error_ns(0, 12 * S)


@given(worlds)
def test_the_bound_is_half_of_the_quickest_round_trip_and_the_drift_since(world: World) -> None:
    quickest_ns = min(sum(waits) for waits in world.waits_ns)
    seconds = len(world.waits_ns) - 1
    most_ns = quickest_ns // 2 + seconds * S * MAX_DRIFT_PPM // 10**6 + S // 2000 + 20
    assert world.clock.error_ns(0, seconds * S) <= most_ns


@given(worlds, st.lists(st.floats(-5, 20), min_size=2, max_size=8))
def test_what_one_worker_saw_in_order_stays_in_order(world: World, at_s: list[float]) -> None:
    told_ns = np.array(sorted(round(at * S) for at in at_s))
    assert (np.diff(world.clock.to_run_ns(told_ns)) >= 0).all()


@given(worlds, st.integers(0, 11), st.sampled_from([-1, 1]))
def test_a_step_beyond_what_could_be_seen_as_delay_is_found(
    world: World, after: int, way: int
) -> None:
    after = min(after, len(world.waits_ns) - 2)
    slowest_ns = max(sum(waits) for waits in world.waits_ns)
    step_ns = way * (slowest_ns + len(world.waits_ns) * 2 * MS + 1000)
    trips = [
        t if k <= after else RoundTrip(0, t.sent_ns + step_ns, t.told_ns, t.received_ns + step_ns)
        for k, t in enumerate(world.trips)
    ]
    found = clock_of(0, trips)
    assert found is not None
    assert found.stepped_ns is not None


def test_no_look_is_no_clock_and_a_far_one_is_a_wide_one() -> None:
    assert clock_of(1, [RoundTrip(0, 0, 0, 1)]) is None
    alone = clock_of(0, [RoundTrip(0, 0, 5 * S, 2 * MS)])
    assert alone is not None
    assert alone.error_ns(5 * S, 5 * S) == pytest.approx(MS, abs=10)
    assert alone.error_ns(5 * S, 105 * S) == pytest.approx(101 * MS, abs=10)


def ledger(rows: list[tuple[int, int, int, Kind]]) -> Operations:
    slots = np.zeros(len(rows), dtype=SLOT)
    for slot, (intended, sent, done, kind) in zip(slots, rows, strict=True):
        slot["intended_ns"], slot["sent_ns"], slot["done_ns"] = intended, sent, done
        slot["kind"], slot["state"] = kind, 2
    return Operations.from_slots(0, slots)


def elsewhere(shift: Callable[[int], int], begun_ns: int, begin_ns: int) -> Elsewhere:
    trips = [RoundTrip(0, shift(k * S) - MS, k * S, shift(k * S) + MS) for k in range(20)]
    clock = clock_of(0, trips)
    assert clock is not None
    return Elsewhere(WorkerPlace(0, "load-0", "node-1", begin_ns), clock, begun_ns)


def test_a_ledger_comes_onto_the_runs_clock_and_its_schedule_exactly() -> None:
    there = elsewhere(lambda at: at - 7 * S, begun_ns=-5 * S + 300, begin_ns=2 * S)
    told = [
        (3 * S, 3 * S + MS, 3 * S + 5 * MS, Kind.CREATE),
        (4 * S, 4 * S, 0, Kind.CREATE),  # never answered
        (5 * S + 1, 5 * S + 1, 5 * S + MS, Kind.RESYNC),
    ]
    found = there.on_run_clock(ledger(told))
    assert found.intended_ns.tolist()[:2] == [-4 * S + 300, -3 * S + 300]  # begun + due
    assert found.intended_ns[2] == found.sent_ns[2]
    assert found.sent_ns.tolist() == pytest.approx([-4 * S + MS, -3 * S, -2 * S + 1], abs=4)
    assert found.done_ns.tolist() == pytest.approx([-4 * S + 5 * MS, 0, -2 * S + MS], abs=4)
    assert found.done_ns[1] == 0
    health = there.health(ledger(told))
    assert not health.why
    assert MS <= health.error_ns <= MS + 1_500_000  # half a round trip, the drift between two


def test_a_clock_that_runs_away_from_the_schedule_shows_in_the_error() -> None:
    there = elsewhere(lambda at: at + at // 2000, begun_ns=0, begin_ns=0)  # 500 ppm
    health = there.health(ledger([(18 * S, 18 * S, 18 * S + MS, Kind.CREATE)]))
    assert 9 * MS + MS <= health.error_ns <= 9 * MS + 4 * MS
    stepped = elsewhere(lambda at: at + (S if at > 9 * S else 0), begun_ns=0, begin_ns=0)
    assert "stepped" in stepped.health(ledger([(S, S, 2 * S, Kind.CREATE)])).why


def test_the_examples_of_pace_hold() -> None:
    assert doctest.testmod(clock_pace).failed == 0


def test_a_clock_that_is_slewed_behind_slow_looks_is_found_by_its_pace() -> None:
    """The interval stays possible, and the truth is outside it: only the pace tells."""

    def ahead_ns(second: float) -> int:  # 5,000 ppm for ten seconds
        return round(max(0.0, min(second - 60, 10)) * 5_000_000)

    seconds = range(200)
    back_ns = [MS if k < 20 else 60 * MS for k in seconds]
    trips = [
        RoundTrip(0, k * S - MS, k * S + ahead_ns(k), k * S + back)
        for k, back in zip(seconds, back_ns, strict=True)
    ]
    clock = clock_of(0, trips)
    assert clock is not None
    assert clock.stepped_ns is None
    told = [trip.told_ns for trip in trips]
    off_ns = np.abs(clock.to_run_ns(np.array(told)) - np.arange(200) * S).max()
    assert off_ns > clock.error_ns(0, 200 * S)
    paces = [Pace(at, k * S, 100) for k, at in zip(seconds, told, strict=True)]
    found = [k for k in seconds[1:] if slewed_ppm(paces[k - 1], paces[k])]
    assert found == list(range(61, 71))
