"""A worker's clock that is not bounded makes a run unfit, by name; a proven loss stays one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.core.judge import judge
from harness.core.load_places import ClockHealth, WorkersIn
from harness.core.verdict import Verdict
from tests.core import simulate

MS = 10**6


@pytest.mark.parametrize(
    ("clocks", "error_ns", "verdict", "told"),
    [
        ((ClockHealth(0, 2 * MS), ClockHealth(1, 3 * MS)), 3 * MS, Verdict.MET, "error 3"),
        ((ClockHealth(0, MS, "its clock stepped"),), MS, Verdict.INVALID, "worker 0: its clock"),
        ((ClockHealth(0, 0), ClockHealth(1, 4000 * MS)), 4000 * MS, Verdict.INVALID, "worker 1"),
    ],
)
def test_every_clock_is_bounded_or_the_run_is_unfit(
    clocks: tuple[ClockHealth, ...], error_ns: int, verdict: Verdict, told: str
) -> None:
    plan, seen = simulate.evidence()
    plan = replace(plan, workers_in=WorkersIn.PODS)
    observed = replace(seen.observation, clock_error_ns=error_ns)
    judged = judge(plan, replace(seen, observation=observed, clocks=clocks))
    assert judged.verdict is verdict
    (clock,) = (f for f in judged.fitness if f.name == "clock")
    assert told in clock.measured
    assert clock.fit is (verdict is Verdict.MET)


def test_a_proven_loss_stays_missed_under_a_clock_that_stepped() -> None:
    plan, seen = simulate.evidence(defects=simulate.Defects(lost=3))
    plan = replace(plan, workers_in=WorkersIn.PODS)
    clocks = (ClockHealth(0, 0, "its clock stepped"),)
    assert judge(plan, replace(seen, clocks=clocks)).verdict is Verdict.MISSED


def test_the_recovery_time_is_widened_by_the_clocks() -> None:
    plan, seen = simulate.evidence()
    wide = replace(seen, observation=replace(seen.observation, clock_error_ns=200 * MS))
    for one_clock, two in zip(
        judge(plan, seen).workloads, judge(plan, wide).workloads, strict=True
    ):
        assert one_clock.rto is not None
        assert two.rto is not None
        if one_clock.rto.high_ns:
            assert two.rto.high_ns == one_clock.rto.high_ns + 200 * MS
            assert two.rto.low_ns == max(0, one_clock.rto.low_ns - 200 * MS)
