"""The gate's sentences and its appointed numbers, where a baseline is named and where none is."""

from __future__ import annotations

from harness.core.gate.cells import planned_runs
from harness.core.gate.decision import decide
from harness.core.policy import GatePolicy
from harness.core.verdict import Verdict
from tests.gate.gate_cases import (
    question,
    recovering,
    run,
)

BASE_S = [18 + 0.2 * n for n in range(14)]


def test_how_many_runs_are_planned_follows_from_the_question_alone() -> None:
    nine = GatePolicy(quantile=0.9)
    assert planned_runs(question()) == 14
    assert planned_runs(question(sequential=True)) == 16
    assert planned_runs(question(policy=nine)) == 29
    assert planned_runs(question(policy=nine, baseline="old")) == 30
    assert planned_runs(question(baseline="old")) == 14


def test_nothing_fit_to_judge_is_told_with_the_runs() -> None:
    found = decide(question(), [run(n, Verdict.INVALID) for n in range(2)])
    assert found.verdict is Verdict.INVALID
    assert found.reasons[0] == (
        "Not judged (smoke runs): none of the 2 drills of new was fit to judge: new-000, new-001"
    )


def test_a_comparison_that_decides_nothing_says_how_many_more_and_whether_they_would() -> None:
    new, old = recovering([s * 1.25 for s in BASE_S]), recovering(BASE_S, release="old")
    compared = decide(question(baseline="old"), [*new, *old]).scenarios[0].comparisons[0]
    assert compared.reason.startswith(
        "not shown to be no slower than old by more than 25%: within "
    )
    assert "14 more of new and 14 more of old needed" in compared.reason
    assert "if they go on like this" in compared.reason


def test_too_few_of_either_are_told_by_number() -> None:
    new, old = recovering(BASE_S[:10]), recovering(BASE_S[:9], release="old")
    compared = decide(question(baseline="old"), [*new, *old]).scenarios[0].comparisons[0]
    assert compared.reason == (
        "too few runs to compare with old: 10 and 9 of 14 each; 4 more of new and 5 more of old needed"
    )
