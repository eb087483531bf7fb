"""An instrument that was not fit voids a pass, and never a proven loss."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.core.evidence import Evidence
from harness.core.judge import judge
from harness.core.plan import Plan, Size
from harness.core.targets import Targets
from harness.core.verdict import Verdict
from tests.core import simulate
from tests.core.judged_runs import ORDERS_ALONE, judged, run, unfit
from tests.core.simulate import Defects, S


@pytest.mark.parametrize(
    ("observed", "name"),
    [
        ({"whole_before": False, "whole_before_why": "no standby"}, "platform-whole"),
        ({"effect_observed": False}, "effect"),
        ({"heal_observed": False}, "healed"),
        ({"workers_lost": ("worker 0",)}, "load-workers"),
        ({"clock_error_ns": 4 * S}, "clock"),
    ],
)
def test_unfitness_voids_met_but_not_a_loss(observed: dict[str, object], name: str) -> None:
    found = judged(run(), **observed)
    assert found.verdict is Verdict.INVALID
    assert name in unfit(found)
    assert any(name in reason for reason in found.reasons)
    assert judged(run(defects=Defects(lost=2)), **observed).verdict is Verdict.MISSED


def with_ledger(evidence: tuple[Plan, Evidence], **health: object) -> tuple[Plan, Evidence]:
    plan, seen = evidence
    ledgers = tuple(replace(ledger, **health) for ledger in seen.ledgers)
    return plan, replace(seen, ledgers=ledgers)


@pytest.mark.parametrize(
    ("health", "name"),
    [({"torn": 1}, "ledger"), ({"dropped": 1}, "schedule"), ({"lag_p999_ns": S}, "generator-lag")],
)
def test_the_generator_s_own_trouble_voids_met(health: dict[str, object], name: str) -> None:
    found = judge(*with_ledger(run(), **health))
    assert found.verdict is Verdict.INVALID
    assert unfit(found) == [name]


def test_a_torn_ledger_or_half_a_read_back_proves_no_loss() -> None:
    lost = run(defects=Defects(lost=2))
    assert judge(*with_ledger(lost, torn=1)).verdict is Verdict.INVALID
    plan, seen = lost
    half = replace(seen.second, complete=False, why_incomplete="invoices did not answer")
    assert judge(plan, replace(seen, second=half)).verdict is Verdict.INVALID
    assert judge(plan, replace(seen, first=None, second=None)).verdict is Verdict.INVALID


def test_keys_beyond_the_ledger_s_end_make_the_ledger_unfit_and_are_no_violation() -> None:
    found = judge(*run(defects=Defects(beyond_end=2)))
    assert found.verdict is Verdict.INVALID
    assert unfit(found) == ["ledger"]
    assert found.workloads[0].rpo is not None
    assert found.workloads[0].rpo.gated.violations == 0


def test_a_worker_without_a_ledger_is_unfit() -> None:
    plan, seen = run(plan=simulate.plan_of(targets=ORDERS_ALONE, workers=2))
    assert judge(plan, seen).verdict is Verdict.MET
    assert "ledger" in unfit(judge(plan, replace(seen, ledgers=seen.ledgers[:1])))


def test_arrivals_that_the_ledger_never_saw_are_dropped_ones() -> None:
    plan, seen = run()
    others = seen.operations.record != seen.operations.record[0]
    found = judge(plan, replace(seen, operations=seen.operations.where(others)))
    assert "schedule" in unfit(found)


def test_a_baseline_too_short_or_sick_is_unfit() -> None:
    short = run(plan=simulate.plan_of(targets=ORDERS_ALONE, size=Size.FULL))
    assert unfit(judge(*short)) == ["baseline"]
    slow = Targets((replace(ORDERS_ALONE.workloads[0], latency_limit_s=0.001),))
    assert "baseline" in unfit(judge(*run(plan=simulate.plan_of(targets=slow))))


def test_load_that_ends_with_the_repair_cannot_see_a_second_outage() -> None:
    assert unfit(judge(*run(after_s=11.0))) == ["load-after"]


def test_too_few_operations_judge_nothing() -> None:
    rare = Targets((replace(ORDERS_ALONE.workloads[0], rate_per_s=1, canary_per_s=1),))
    assert "operations" in unfit(judge(*run(plan=simulate.plan_of(targets=rare))))
