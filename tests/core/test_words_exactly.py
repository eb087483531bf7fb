"""What is told of a rail, of the tightest workload, of a cell that nothing proves: in full."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from harness.core.guard import ALERTS_UNREAD_MAX_S, Gauge, GuardRails, Harm, Readings, gauges
from harness.core.judge import judge
from harness.core.readiness import cells, coverage
from harness.core.verdict import Verdict, WorkloadJudgement
from tests.core import simulate
from tests.core.judged_runs import run

ALERTED = GuardRails(alerts=("A", "B"))


def gauge(rails: GuardRails, seen: Readings, rail: str) -> Gauge:
    (only,) = [g for g in gauges(rails, seen, "EUR") if g.rail == rail]
    return only


@pytest.mark.parametrize(
    ("seen", "told", "used"),
    [
        (Readings(), "quiet", 0.0),
        (Readings(firing=("B", "C")), "B", 1.0),
        (Readings(firing=("C",)), "quiet", 0.0),
        (Readings(alerts_unread_s=ALERTS_UNREAD_MAX_S / 2), "quiet", 0.5),
        (Readings(alerts_unread_s=ALERTS_UNREAD_MAX_S * 0.75), "cannot be read", 0.75),
        (Readings(alerts_unread_s=ALERTS_UNREAD_MAX_S * 9), "cannot be read", 1.0),
        (Readings(alerts_unread_s=math.nan), "quiet", 0.0),
    ],
)
def test_the_gauge_of_the_alerts(seen: Readings, told: str, used: float) -> None:
    assert gauge(ALERTED, seen, "alert") == Gauge("alert", told, "A, B", used)


def test_the_gauge_of_the_undo_and_of_the_heartbeat_are_always_there() -> None:
    assert [g.rail for g in gauges(GuardRails(), Readings(), "EUR")] == ["heartbeat", "undo-path"]
    assert gauge(GuardRails(), Readings(), "undo-path") == Gauge("undo-path", "on disk", "", 0.0)
    lost = gauge(GuardRails(), Readings(undo_lost="gone"), "undo-path")
    assert lost == Gauge("undo-path", "gone", "", 1.0)
    silent = gauge(GuardRails(heartbeat_s=20), Readings(silent_s=5), "heartbeat")
    assert silent == Gauge("heartbeat", "5 s silent", "20 s", 0.25)


def test_the_gauges_of_orders_and_money_stand_at_their_share() -> None:
    rails, seen = GuardRails(200, 10_000), Readings(Harm(50, 50, 2_500))
    assert gauge(rails, seen, "refused-per-minute") == Gauge(
        "refused-per-minute", "50 a minute", "200", 0.25
    )
    assert gauge(rails, seen, "money") == Gauge("money", "EUR 25.00", "EUR 100.00", 0.25)


def used(found: WorkloadJudgement, percent: int | None) -> WorkloadJudgement:
    assert found.rto is not None
    if percent is None:
        return replace(found, rto=replace(found.rto, high_ns=None))
    return replace(found, rto=replace(found.rto, high_ns=found.rto.target_ns * percent // 100))


def test_the_tightest_workload_is_the_one_that_used_most_of_its_target() -> None:
    from harness.core.reasons import _tightest

    plan, evidence = simulate.evidence()
    judged = judge(plan, evidence).workloads
    shares = [30, 10, None, 70, 69, 0]
    made = tuple(used(found, share) for found, share in zip(judged, shares, strict=True))
    assert _tightest(made) == made[3]
    assert _tightest(made[4:]) == made[4]
    assert _tightest((made[2], made[5])) == made[5]
    assert _tightest((replace(made[0], rto=None), made[1])) == made[1]


def test_the_headline_counts_what_was_met() -> None:
    assert (
        judge(*simulate.evidence()).reasons[0].startswith("Safe: all 6 workloads met; tightest, ")
    )
    assert (
        judge(*run()).reasons[0].startswith("Safe: the one workload met; tightest, order-capture")
    )


def test_an_invalid_run_is_told_by_what_explains_the_rest() -> None:
    plan, evidence = run()
    cut = replace(evidence, observation=replace(evidence.observation, interrupted="SIGINT"))
    assert judge(plan, cut).reasons[0] == "Not judged: the run was interrupted: SIGINT"
    null = judge(*run(null=True))
    assert null.verdict is Verdict.INVALID
    assert null.reasons[0].startswith("Not judged: no effect was observed")


@pytest.mark.parametrize(
    ("runs", "told"),
    [
        (0, "no run"),
        (1, "1 run, none of which proves anything here"),
        (2, "2 runs, none of which proves anything here"),
    ],
)
def test_a_cell_that_nothing_proves_says_how_many_runs_do_not(runs: int, told: str) -> None:
    assert cells._never(runs) == told


def test_every_class_of_secrets_is_broken_by_its_compromise_and_nothing_else_is() -> None:
    of_secrets = {e.name for e in coverage.COMPONENTS if e.capability == "secrets"}
    assert of_secrets
    assert set(coverage._BREAKS["credential-compromise"]) == of_secrets | {"credential-compromise"}


def test_a_target_in_seconds_is_a_whole_number_of_nanoseconds() -> None:
    assert cells._ns(None) is None
    assert cells._ns(0.0) == 0
    assert cells._ns(1.5) == 1_500_000_000
