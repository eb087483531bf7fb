"""Where a limit lies exactly: on it is within it, and one step beyond is not."""

from __future__ import annotations

import dataclasses
import datetime as dt

import numpy as np
import pytest

from harness.core.arrivals import Arrivals
from harness.core.asked import another, method_of
from harness.core.clock_bounds import RoundTrip, clock_of
from harness.core.clock_pace import SLEWED_MAX_PPM, Pace, slewed_ppm
from harness.core.cron import cron
from harness.core.detection import burn_rate_alert_ns
from harness.core.instants import instant, season_stretch
from harness.core.load_places import Elsewhere, WorkerPlace
from harness.core.measured_findings import gate_rto, interval_verdict
from harness.core.measures import guarded
from harness.core.operation import Workload
from harness.core.operations import SLOT, Operations
from harness.core.plan import Limits
from harness.core.policy import GatePolicy, Policy, Season
from harness.core.scenario import RecoverySpec
from harness.core.schedule import Shape, arrivals_ns, canary_ns
from harness.core.shapes import NAMES, shape_named
from harness.core.verdict import RecoveryTime, Verdict
from tests.core.simulate import SCENARIO

S, MS = 10**9, 10**6


def answers(good: int, bad: int, *, at_ns: int, spread_ns: int = MS) -> Arrivals:
    """So many arrivals, answered one after the other from `at_ns` on."""
    count = good + bad
    done = at_ns + spread_ns * np.arange(count, dtype=np.int64)
    is_good = np.arange(count) < good
    no = np.zeros(count, dtype=np.bool_)
    return Arrivals(
        np.ones(count, np.uint8), no, done, done, is_good, is_good, np.where(is_good, 0, done), no
    )


@pytest.mark.parametrize(("bad", "fires"), [(144, True), (143, False)])
def test_the_reference_alert_fires_at_exactly_14_4_percent(bad: int, fires: bool) -> None:
    seen = answers(1000 - bad, bad, at_ns=100 * S)
    at_ns = burn_rate_alert_ns(seen, 100 * S, 104 * S)
    assert at_ns == (101 * S if fires else None)


@pytest.mark.parametrize(("since_s", "fires"), [(5, True), (6, False)])
def test_its_short_window_is_five_seconds(since_s: int, fires: bool) -> None:
    seen = answers(0, 10, at_ns=100 * S)
    begin_ns = (100 + since_s) * S
    assert burn_rate_alert_ns(seen, begin_ns, begin_ns + 1) == (begin_ns if fires else None)


@pytest.mark.parametrize(("since_s", "fires"), [(60, False), (61, True)])
def test_its_long_window_is_a_minute(since_s: int, fires: bool) -> None:
    """What was good before it speaks no longer for the platform."""
    good, bad = answers(1000, 0, at_ns=100 * S), answers(0, 10, at_ns=(99 + since_s) * S)
    both = Arrivals(*(np.concatenate([getattr(good, f.name), getattr(bad, f.name)])
                      for f in dataclasses.fields(Arrivals)))  # fmt: skip
    begin_ns = (100 + since_s) * S
    assert burn_rate_alert_ns(both, begin_ns, begin_ns + 1) == (begin_ns if fires else None)


def test_an_answer_that_never_came_tells_the_reference_alert_nothing() -> None:
    seen = answers(0, 5, at_ns=100 * S)
    never = dataclasses.replace(seen, done_ns=np.zeros(5, np.int64))
    assert burn_rate_alert_ns(never, 0, 10 * S) is None
    assert burn_rate_alert_ns(seen, 0, 90 * S) is None


@pytest.mark.parametrize(
    ("low_s", "high_s", "passed", "verdict"),
    [
        (60, 60, False, Verdict.MET),
        (59, 61, False, Verdict.INCONCLUSIVE),
        (61, 61, False, Verdict.MISSED),
        (60, None, True, Verdict.MISSED),
        (60, None, False, Verdict.INCONCLUSIVE),
    ],
)
def test_an_interval_is_held_against_its_target(
    low_s: int, high_s: int | None, passed: bool, verdict: Verdict
) -> None:
    high_ns = None if high_s is None else high_s * S
    found = interval_verdict(low_s * S, high_ns, 60 * S, passed_while_down=passed)
    assert found is verdict


@pytest.mark.parametrize(
    ("watched_ns", "verdict"), [(60 * S, Verdict.MISSED), (60 * S - 1, Verdict.INCONCLUSIVE)]
)
def test_who_is_not_back_when_the_target_has_passed_has_missed_it(
    watched_ns: int, verdict: Verdict
) -> None:
    found = RecoveryTime(
        target_ns=60 * S, low_ns=30 * S, high_ns=None, recovered=False, observed_until_ns=watched_ns,
        resolution_ns=0, widened_by_ns=0, down_ns=0, degraded_ns=0, shed=0,
    )  # fmt: skip
    gated = gate_rto(Workload.ORDER_CAPTURE, found, "fault")
    assert gated.verdict is verdict
    assert ("watched for only" in gated.reason) is (verdict is Verdict.INCONCLUSIVE)


def test_a_check_of_the_platform_that_crashes_names_the_platform_and_one_of_a_workload_that() -> (
    None
):
    def crash():
        raise KeyError("gone")

    assert guarded("rto", None, crash).reason.startswith(
        "platform: the check rto crashed: KeyError"
    )
    assert guarded("rto", Workload.FINANCE, crash).reason.startswith("finance-reporting: the check")


@pytest.mark.parametrize(("beyond_ns", "told"), [(0, 0), (1, SLEWED_MAX_PPM)])
def test_a_clock_is_slewed_from_its_bound_on(beyond_ns: int, told: int) -> None:
    allowed_ns = S * SLEWED_MAX_PPM // 10**6
    assert slewed_ppm(Pace(0, 0, 0), Pace(S, S - allowed_ns - beyond_ns, 0)) == told


def test_a_clock_that_stands_still_or_goes_back_is_slewed_and_divides_by_nothing() -> None:
    assert slewed_ppm(Pace(5, 0, 0), Pace(5, 7, 0)) == 7 * 10**6
    assert slewed_ppm(Pace(5, 0, 0), Pace(5, 0, 0)) == 0
    assert slewed_ppm(Pace(0, 0, 0), Pace(2 * S, S, 0)) == 500_000


def test_a_clock_is_turned_both_ways_by_what_was_seen_last() -> None:
    ahead = {1: 6, 2: 7, 3: 7, 4: 8}  # ms; it is a little too fast, within its bound
    trips = [RoundTrip(0, k * S - MS, k * S + ms * MS, k * S + MS) for k, ms in ahead.items()]
    clock = clock_of(0, trips)
    assert clock is not None
    assert abs(clock.from_run_ns(5 * S) - (5 * S + 8 * MS)) < MS // 4
    moved = clock.to_run_ns(np.array([S + 6 * MS, 4 * S + 8 * MS], dtype=np.int64))
    assert np.abs(moved - [S, 4 * S]).max() < MS


def test_a_clock_that_is_slowing_down_is_interpolated_between_two_looks() -> None:
    """Its difference is 0 at 100 s and half a millisecond at 101 s: a quarter in the middle."""
    trips = [
        RoundTrip(0, 100 * S, 100 * S, 100 * S),
        RoundTrip(0, 101 * S + MS // 2, 101 * S, 101 * S + MS // 2),
    ]
    clock = clock_of(0, trips)
    assert clock is not None
    (middle,) = clock.to_run_ns(np.array([100 * S + S // 2], dtype=np.int64))
    assert abs(middle - (100 * S + S // 2 + MS // 4)) <= 4


def test_where_a_clock_stepped_is_told_from_the_begin_of_its_schedule() -> None:
    trips = [RoundTrip(0, k * S, k * S + (k > 104) * S, k * S + MS) for k in range(100, 110)]
    clock = clock_of(0, trips)
    assert clock is not None
    place = WorkerPlace(0, "w", "n", 100 * S)
    nothing = Operations.from_slots(0, np.zeros(0, dtype=SLOT))
    health = Elsewhere(place, clock, 100 * S).health(nothing)
    assert health.why.startswith("its clock stepped about ")
    assert 0 <= int(health.why.split()[4]) <= 6


def test_a_day_that_no_month_has_never_comes_and_the_last_one_does() -> None:
    assert cron("0 0 29 2 *").days == (29,)
    assert cron("0 0 31 12 *").days == (31,)
    for never in ("0 0 30 2 *", "0 0 31 4,6,9,11 *"):
        with pytest.raises(ValueError, match="never comes"):
            cron(never)
    assert cron("0 0 31 2 fri").weekdays == (5,)
    assert cron("0 0 31 * *").days == (31,)
    assert cron("0 0 * * 0,7").weekdays == (0,)
    assert cron("0 0 * * */2").weekdays == (0, 2, 4, 6)
    assert cron("50/5 * * * *").minutes == (50, 55)
    assert cron("0 0 * jan,dec *").months == (1, 12)
    assert cron("0 0 * * sun").weekdays == (0,)


def test_an_instant_with_another_offset_is_the_same_instant_in_utc() -> None:
    assert instant("2026-11-27T22:00:00+02:00") == dt.datetime(2026, 11, 27, 20, tzinfo=dt.UTC)
    assert instant("2026-11-27T22:00:00").utcoffset() == dt.timedelta(0)
    assert instant("2026-11-27T22:00:00").hour == 22


@pytest.mark.parametrize(("begins", "ends"), [("", "2026-11-30"), ("2026-11-22", ""), ("", "")])
def test_half_a_season_is_none(begins: str, ends: str) -> None:
    assert season_stretch(Season("s", begins, ends)) is None


def test_what_is_declared_where_nothing_was_said() -> None:
    """docs/gate.md and docs/measurement.md promise these."""
    policy = Policy()
    assert (policy.gate.quantile, policy.gate.confidence, policy.gate.margin) == (0.80, 0.95, 0.25)
    assert GatePolicy() == policy.gate
    assert policy.valid_days == 90
    assert Limits(30, 10, 900, 10, 180, 60, 5).canary_limit_s == 0.25


def test_a_recovery_is_told_with_its_parameters_where_it_has_some() -> None:
    plain = dataclasses.replace(SCENARIO, recovery=RecoverySpec("failover", 120))
    told = dict(method_of(plain))
    assert told["recovery"] == "failover within 120 s"
    assert told["failback"] == "none"
    more = dataclasses.replace(
        plain, recovery=RecoverySpec("failover", 60, parameters=(("to", "standby"),))
    )
    assert dict(method_of(more))["recovery"] == "failover within 60 s (to=standby)"
    back = dataclasses.replace(plain, failback=RecoverySpec("failback", 30))
    assert dict(method_of(back))["failback"] == "failback within 30 s"


def test_the_first_difference_is_told_and_none_is_the_empty_text() -> None:
    assert another((("a", 1.0), ("b", 2.5)), (("a", 1.0), ("b", 2.5))) == ""
    assert another((("b", 2.5),), (("b", 1e-3),)) == "another b: 2.5, asked for 0.001"
    assert another((("b", "x"),), (("c", "y"),)) == "another b: x, asked for none"
    assert another((("b", "x"),), ()) == ""


def test_the_schedule_has_what_its_rate_says_and_begins_at_once() -> None:
    steady = Shape("steady", ((0.0, 1.0),))
    due = arrivals_ns(rate_per_s=100, shape=steady, until_s=10, seed=1, workload_code=1)
    assert abs(len(due) - 1000) <= 1
    per_s = np.bincount(due // S, minlength=10)
    assert (np.abs(per_s - 100) <= 2).all()
    assert due[0] < S // 50
    assert due[-1] > 10 * S - S // 50
    double = Shape("step", ((0.0, 1.0), (5.0, 1.0), (5.001, 2.0)))
    twice = arrivals_ns(rate_per_s=100, shape=double, until_s=10, seed=1, workload_code=1)
    assert abs(len(twice) - 1500) <= 1
    assert abs(int((twice < 5 * S).sum()) - 500) <= 2
    assert len(arrivals_ns(rate_per_s=0, shape=steady, until_s=10, seed=1, workload_code=1)) == 0
    assert len(arrivals_ns(rate_per_s=9, shape=steady, until_s=0, seed=1, workload_code=1)) == 0


def test_a_canary_stands_on_its_own_eighth_of_a_grid() -> None:
    for code in range(1, 7):
        grid = canary_ns(rate_per_s=8, until_s=2, workload_code=code)
        assert grid[0] == S // 8 * code // 8
        assert (np.diff(grid) == S // 8).all()
        assert len(grid) == 16
    assert len(canary_ns(rate_per_s=0, until_s=2, workload_code=1)) == 0
    assert len(canary_ns(rate_per_s=1, until_s=0, workload_code=1)) == 0


def test_every_shape_is_the_one_that_its_docstring_tells_of() -> None:
    at = {name: shape_named(name).at for name in NAMES}
    assert {name: [round(float(m), 3) for m in f(np.array([0.0, 6.0, 66.0, 126.0, 300.0, 900.0]))]
            for name, f in at.items()} == {
        "steady": [1.0, 1.0, 1.0, 1.0, 1.0, 1.0],
        "weekend-promotion": [1.0, 1.198, 1.102, 1.198, 1.108, 1.108],
        "flash-sale": [1.0, 1.5, 1.485, 1.335, 1.143, 1.0],
        "day-before-holiday": [1.0, 1.15, 1.181, 1.211, 1.3, 1.4],
        "month-end-close": [1.0, 1.2, 1.0, 1.2, 1.02, 1.02],
        "catalogue-update": [1.0, 1.3, 1.3, 1.3, 1.1, 1.1],
    }  # fmt: skip
