"""A cell of the gate: what each run says of it, what all of them come to, and how it is told."""

from __future__ import annotations

import pytest

from harness.core.gate import cells, sequential
from harness.core.gate.decision import decide
from harness.core.outcome import Outcome
from harness.core.policy import GatePolicy
from harness.core.verdict import Verdict
from tests.gate.gate_cases import ORDERS, TILLS, S, clean, question, recovering, run, workload

MET, MISSED, OPEN, INVALID, ERROR = (
    Verdict.MET, Verdict.MISSED, Verdict.INCONCLUSIVE, Verdict.INVALID, Verdict.ERROR,
)  # fmt: skip


def fates(told: str) -> list[Outcome]:
    of = {"c": MET, "m": MISSED, "o": OPEN}
    return [run(n, of[fate]) for n, fate in enumerate(told)]


@pytest.mark.parametrize(("place", "of"), [(ORDERS, 0), (TILLS, 1), (None, None)])
def test_a_cell_s_slowest_recovery_and_its_target(place: object, of: int | None) -> None:
    made = recovering([20.0, 31.0, 25.0])
    found = cells._slowest(made, place)  # type: ignore[arg-type]
    assert found == (None if of is None else 31 * S)
    assert cells._slowest([*made, run(9, workloads=(workload(rto_high_ns=None),))], ORDERS) is None
    assert cells._slowest([], ORDERS) is None
    (cell,) = [c for c in decide(question(), made).scenarios[0].cells if c.workload is place]
    assert cell.target_ns == (None if of is None else 60 * S)


@pytest.mark.parametrize(
    ("made", "verdict"),
    [
        (run(1), MET),
        (run(1, MISSED), MET),  # a workload explains it
        (run(1, OPEN, workloads=(workload(), workload(TILLS))), OPEN),
        (run(1, checks=(("recovery", MISSED), ("stores", OPEN))), MISSED),
        (run(1, checks=(("recovery", MET), ("stores", OPEN))), OPEN),
        (run(1, checks=(("recovery", MET), ("stores", INVALID))), MET),
        (run(1, checks=()), MET),
        (run(1, OPEN, checks=(), workloads=(workload(),)), OPEN),
    ],
)
def test_what_a_run_says_of_the_platform(made: Outcome, verdict: Verdict) -> None:
    assert cells.verdict_of(made, None) is verdict


@pytest.mark.parametrize("verdict", [MET, MISSED, OPEN, INVALID, ERROR])
def test_what_a_run_says_of_a_workload(verdict: Verdict) -> None:
    made = run(1, workloads=(workload(verdict=verdict),))
    assert cells.verdict_of(made, ORDERS) is (verdict if verdict not in {INVALID, ERROR} else OPEN)
    assert cells.verdict_of(made, TILLS) is OPEN


def test_a_cell_is_told_with_what_it_lacks() -> None:
    def told(fate: str, **asked: object) -> str:
        (first, *_) = decide(question(**asked), fates(fate)).scenarios[0].cells
        assert first.workload is ORDERS
        return first.reason

    sure = ", at 95% confidence"
    assert told("") == "no drill counts; 14 more clean runs needed for 80%"
    assert told("c") == f"1 of 1 drill met: at least 5% do{sure}; 13 more clean runs needed for 80%"
    assert told("c" * 13) == (
        f"13 of 13 drills met: at least 79.4% do{sure}; 1 more clean run needed for 80%"
    )
    assert told("c" * 14) == f"14 of 14 drills met: at least 80.7% do{sure}"
    assert told("mm") == f"0 of 2 drills met, 2 missed: fewer than 80% meet their target{sure}"
    assert told("cmo").startswith("1 of 3 drills met, 1 missed, 1 neither: at least ")
    never = told("o" * 120)
    assert never.endswith("no number of clean runs that could be made would show 80%")
    unproven = decide(question(), clean(14, unproven=True)).scenarios[0].cells[0]
    assert unproven.reason.endswith(
        f"do{sure}; by an adapter that nobody has run (unproven), which is never a pass"
    )
    assert unproven.more is None
    missed = [run(n, MISSED, unproven=True) for n in range(2)]
    assert "unproven" not in decide(question(), missed).scenarios[0].cells[0].reason


def test_evidence_is_told_where_somebody_looks_after_every_run() -> None:
    (first, *_) = decide(question(), clean(3)).scenarios[0].cells
    assert first.evidence is None
    (first, *_) = decide(question(sequential=True), clean(3)).scenarios[0].cells
    assert first.evidence == sequential.evidence_for(0, 3, 0.8)
    assert first.more == 13
    strict = decide(question(policy=GatePolicy(quantile=0.9)), clean(14)).scenarios[0].cells[0]
    assert strict.more == 15
