"""The way back has an outage of its own, and a limit of its own; RTO knows nothing of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.core import measures
from harness.core.evidence import Evidence
from harness.core.judge import judge
from harness.core.operations import Operations
from harness.core.plan import Plan
from harness.core.timeline import MarkName
from harness.core.verdict import Finding, Judgement, Verdict
from tests.core import simulate
from tests.core.judged_runs import ORDERS_ALONE, judged
from tests.core.simulate import S
from tests.core.simulated_recovery import scenario, with_marks

OUTAGE_S, BACK_S, DOWN_S = 6.0, 22.0, 2.0


def went_back(
    limit_s: int = 30, *, ended_s: float | None = BACK_S + 4, away: bool = True
) -> tuple[Plan, Evidence]:
    """Recovered after 6 s; from 22 s on the way back, down for 2 s of it, done after 4 s."""
    plan = simulate.plan_of(targets=ORDERS_ALONE, scenario=scenario(failback_s=limit_s))
    _, seen = simulate.evidence(plan=plan, outage_s=OUTAGE_S, after_s=36.0)
    ended = ((MarkName.FAILBACK_ENDED, ended_s, ""),) if ended_s is not None else ()
    seen = with_marks(
        seen, (MarkName.OBSERVATION_ENDED, BACK_S - 1, "before failback"),
        (MarkName.FAILBACK_BEGUN, BACK_S, ""), *ended,
    )  # fmt: skip
    return plan, replace(seen, operations=dip(seen) if away else seen.operations)


def dip(seen: Evidence) -> Operations:
    """Everything that was due in the two seconds after the way back began came five seconds late."""
    fault = seen.timeline.first(MarkName.FAULT_ACTIVE)
    assert fault is not None
    begin_ns = fault.latest_ns + round((BACK_S + 1) * S)
    calls = seen.operations
    away = (calls.intended_ns >= begin_ns) & (calls.intended_ns < begin_ns + round(DOWN_S * S))
    return replace(calls, done_ns=calls.done_ns + away * 5 * S)


def of(found: Judgement) -> Finding:
    (only,) = [f for f in found.findings if f.check == "failback"]
    return only


def test_the_outage_of_the_way_back_is_measured_apart_from_the_recovery() -> None:
    plan, seen = went_back()
    found = judge(plan, seen)
    assert found.verdict is Verdict.MET, found.reasons
    (orders,) = found.workloads
    assert orders.rto is not None
    assert orders.rto.high_ns is not None
    assert orders.rto.high_ns < 7 * S
    assert orders.rto.observed_until_ns < BACK_S * S
    assert orders.failback is not None
    assert orders.failback.recovered
    assert orders.failback.target_ns == 30 * S
    assert orders.failback.outage_low_ns is not None
    assert orders.failback.outage_high_ns is not None
    assert orders.failback.outage_low_ns <= DOWN_S * S <= orders.failback.outage_high_ns
    assert of(found).reason.startswith(
        "failback: done after 4.1 s, limit 30 s; longest outage, order"
    )


def test_a_way_back_without_an_outage_says_so() -> None:
    found = judge(*went_back(away=False))
    assert found.workloads[0].failback is not None
    assert found.workloads[0].failback.first_bad_ns is None
    assert of(found).reason == "failback: done after 4.1 s, limit 30 s; no workload was away"


@pytest.mark.parametrize(
    ("given", "verdict", "said"),
    [
        ({"limit_s": 2}, Verdict.MISSED, "limit 2 s"),
        ({"limit_s": 3, "ended_s": BACK_S + 2}, Verdict.INCONCLUSIVE, "limit 3 s"),
        ({"limit_s": 5, "ended_s": None}, Verdict.MISSED, "not seen to end"),
        ({"limit_s": 90, "ended_s": None}, Verdict.INCONCLUSIVE, "not seen to end"),
    ],
)
def test_the_limit_gates_the_way_back_alone(
    given: dict[str, object], verdict: Verdict, said: str
) -> None:
    found = judge(*went_back(**given))
    assert of(found).verdict is verdict
    assert said in of(found).reason
    assert found.workloads[0].verdict is Verdict.MET


def test_a_declared_way_back_that_was_never_begun_is_no_pass() -> None:
    plan = simulate.plan_of(targets=ORDERS_ALONE, scenario=scenario(failback_s=30))
    found = judge(*simulate.evidence(plan=plan, outage_s=OUTAGE_S, after_s=20.0))
    assert (found.verdict, of(found).verdict) == (Verdict.INCONCLUSIVE, Verdict.INCONCLUSIVE)
    assert found.workloads[0].failback is None


def test_without_a_limit_it_is_reported_and_gates_nothing() -> None:
    plan, seen = went_back()
    found = judge(replace(plan, scenario=scenario()), seen)
    assert found.workloads[0].failback is not None
    assert [f for f in found.findings if f.check == "failback"] == []


def test_an_interruption_voids_what_the_way_back_took() -> None:
    assert of(judged(went_back(2), interrupted="SIGINT")).verdict is Verdict.INVALID


def test_a_measure_that_crashes_is_no_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_: object, **__: object) -> None:
        raise ValueError("no such column")

    plan, seen = went_back()
    monkeypatch.setattr(measures.Measures, "_failback", crash)
    found = judge(plan, seen)
    assert found.verdict is Verdict.INCONCLUSIVE
    assert any("failback crashed" in reason for reason in found.reasons)
