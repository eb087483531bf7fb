"""The gate's answer from its parts, each made by hand: what is named, how often, and in which order."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from harness.core.gate.answer import answer, notes, weakest
from harness.core.gate.comparable import Excluded
from harness.core.gate.next_drill import drills_to_make, most_drills, next_drill
from harness.core.gate.values import Cell, Comparison, GateDecision, Loss, Question, ScenarioGate
from harness.core.operation import Workload
from harness.core.verdict import Verdict
from tests.gate.gate_cases import ORDERS, TILLS, question, terms

MET, MISSED, OPEN, INVALID = (
    Verdict.MET, Verdict.MISSED, Verdict.INCONCLUSIVE, Verdict.INVALID,
)  # fmt: skip
FULL = question(terms(size="full"))
COMPARED = question(terms(size="full"), baseline="old")


def cell(
    place: Workload | None = ORDERS, verdict: Verdict = MET, scenario: str = "a", **changed: object
) -> Cell:
    told: dict[str, object] = {
        "scenario": scenario, "workload": place, "verdict": verdict, "runs": 14, "missed": 0,
        "reason": f"{place} is {verdict}", "undecided": 0, "supported": 0.8, "more": 0, "stronger": (),
    }  # fmt: skip
    return Cell(**{**told, **changed})  # type: ignore[arg-type]


def comparison(
    place: Workload = ORDERS, verdict: Verdict = MET, scenario: str = "a", **changed: object
) -> Comparison:
    told: dict[str, object] = {
        "scenario": scenario, "workload": place, "verdict": verdict, "runs": 14,
        "baseline_runs": 14, "reason": f"{place} compares {verdict}", "quantiles": (),
    }  # fmt: skip
    return Comparison(**{**told, **changed})  # type: ignore[arg-type]


def gate(name: str = "a", *parts: Cell | Comparison, **changed: object) -> ScenarioGate:
    told: dict[str, object] = {
        "scenario": name, "fit": 14, "unfit": (), "given_up": 0, "to_repeat": 0, "run_ids": (),
        "begun_utc": (), "excluded": (), "configuration": "c", "baseline_configuration": None,
        "cells": tuple(p for p in parts if isinstance(p, Cell)),
        "comparisons": tuple(p for p in parts if isinstance(p, Comparison)),
        "refused": "", "unproven": False,
    }  # fmt: skip
    return ScenarioGate(**{**told, **changed})  # type: ignore[arg-type]


def loss(number: int, **changed: object) -> Loss:
    told: dict[str, object] = {
        "run_id": f"run-{number}", "scenario": "a", "size": "full", "verdict": MISSED,
        "workloads": (ORDERS,), "reason": "3 lost.",
    }  # fmt: skip
    return Loss(**{**told, **changed})  # type: ignore[arg-type]


def told(
    verdict: Verdict, *scenarios: ScenarioGate, losses: Sequence[Loss] = (), of: Question = FULL,
    least: Cell | None = None,
) -> tuple[str, ...]:  # fmt: skip
    return answer(of, verdict, scenarios, losses, least)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
def test_three_losses_are_named_and_the_rest_is_counted(count: int) -> None:
    first, *more = told(MISSED, gate(), losses=[loss(n) for n in range(count)])
    again = f", and {count - 1} more" if count > 1 else ""
    assert first == (
        "Not safe: new lost what it had acknowledged, and no later run takes that back: "
        f"a run-0 (full, order-capture): 3 lost{again}"
    )
    named = [f"lost: a run-{n} (full, order-capture): 3 lost" for n in range(1, min(count, 3))]
    assert more == named + ([f"lost: in {count - 3} runs more"] if count > 3 else [])


@pytest.mark.parametrize(
    ("changed", "shown"),
    [
        ({"workloads": (), "reason": ""}, "a run-0 (full, across the stores)"),
        ({"workloads": (ORDERS, TILLS)}, "a run-0 (full, order-capture, point-of-sale): 3 lost"),
    ],
)
def test_where_something_was_lost_is_told(changed: dict[str, object], shown: str) -> None:
    (first,) = told(MISSED, losses=[loss(0, **changed)])
    assert first.endswith(f"takes that back: {shown}")


def test_what_is_missed_is_told_by_the_first_of_it() -> None:
    bad, worse = cell(TILLS, MISSED), comparison(ORDERS, MISSED)
    (first, *_) = told(MISSED, gate("a", cell(), bad))
    assert first == "Not safe: new: a, point-of-sale: point-of-sale is missed"
    (first, *_) = told(MISSED, gate("a", cell(), bad), gate("b", worse))
    assert first.endswith("point-of-sale is missed; and 1 more")
    (first, *_) = told(MISSED, gate("a", cell(None, MISSED, reason="r")))
    assert first == "Not safe: new: a, platform-wide checks: r"


def test_what_is_met_is_told_with_the_fewest_drills() -> None:
    (first,) = told(MET, gate("a", cell()))
    assert first == (
        "Safe: new met its targets in at least 80% of drills, at 95% confidence: 1 scenario, "
        "at least 14 drills each, nothing acknowledged was lost"
    )
    (first,) = told(MET, gate("a", fit=20, lost=2), gate("b", fit=14, given_up=1, lost=1_000))
    assert first.endswith(
        "2 scenarios, at least 15 drills each, 1,002 acknowledged writes were lost, as the targets allow"
    )
    (first,) = told(MET, gate("a", fit=1))
    assert "at least 1 drill each" in first
    (first,) = told(MET, gate("a", comparison()), of=COMPARED)
    assert first.endswith("; no slower than old by more than 25%")
    (first,) = told(MET, gate("a", comparison(), comparison(TILLS)), gate("b"), of=COMPARED)
    assert first.endswith("25% in 1 of them, and nothing to compare in the others")


@pytest.mark.parametrize("verdict", [MET, MISSED, OPEN, INVALID])
def test_short_runs_are_named_in_every_answer(verdict: Verdict) -> None:
    made = (gate("a", cell(ORDERS, verdict if verdict is not INVALID else OPEN), unfit=("r",)),)
    for asked, short in (
        (FULL, False),
        (question(), True),
        (question(terms(size="full"), terms()), True),
    ):
        assert ("(smoke runs)" in told(verdict, *made, of=asked)[0]) is short
        assert any(n.startswith("smoke: ") for n in notes(asked, made)) is short


def lacking(name: str, more: int) -> ScenarioGate:
    return gate(name, cell(ORDERS, OPEN, name, more=more, reason="r"))


@pytest.mark.parametrize(
    ("scenarios", "of", "said"),
    [
        ([], FULL, "no scenario was asked for"),
        ([lacking("a", 1)], FULL, "1 more clean run of a needed"),
        ([lacking("a", 2), lacking("b", 0)], FULL, "2 more clean runs of a needed"),
        (
            [lacking(n, 2) for n in "abc"], FULL,
            "2 more clean runs of a, 2 more clean runs of b, 2 more clean runs of c needed",
        ),
        (
            [lacking(n, 2) for n in "abcde"], FULL,
            "2 more clean runs of a, 2 more clean runs of b, 2 more clean runs of c, and 2 more such needed",
        ),
        ([gate("a", lacking("a", 3).cells[0], refused="why")], COMPARED, "3 more clean runs of a needed; refused: why"),
        ([gate("a", cell(), refused="why")], COMPARED, "refused: why"),
        ([gate("a", cell(), comparison(ORDERS, OPEN, baseline_more=5), comparison(TILLS, OPEN, baseline_more=2))],
         COMPARED, "5 more of a on old needed"),
        ([gate("a", cell(ORDERS, OPEN, more=None), cell(TILLS, OPEN, more=3))], FULL, "a, order-capture: order-capture is inconclusive"),
        ([gate("a", cell())], COMPARED, "no RTO is gated, so that nothing is compared with old"),
        ([gate("a", cell())], FULL, "nothing was checked"),
        ([gate("a", cell(None))], COMPARED, "nothing was checked"),
        ([gate("a", cell()), gate("b", cell(None))], COMPARED, "nothing was checked"),
    ],
)  # fmt: skip
def test_what_is_not_proven_says_what_lacks(
    scenarios: list[ScenarioGate], of: Question, said: str
) -> None:
    assert told(OPEN, *scenarios, of=of)[0] == f"Not proven: new: {said}"


@pytest.mark.parametrize(
    ("unfit", "said"),
    [
        ((("r1",),), "none of the 1 drill of new was fit to judge: r1"),
        ((("r1", "r2"), ("r3", "r4")), "none of the 4 drills of new was fit to judge: r1, r2, r3"),
    ],
)
def test_what_could_not_be_judged_names_three_runs(
    unfit: tuple[tuple[str, ...], ...], said: str
) -> None:
    scenarios = [gate(str(n), unfit=runs) for n, runs in enumerate(unfit)]
    assert told(INVALID, *scenarios) == (f"Not judged: {said}",)


def test_all_that_does_not_pass_is_told_gravest_first_and_alike_together() -> None:
    scenario = gate(
        "a", cell(ORDERS, OPEN, reason="same"), cell(TILLS, OPEN, reason="same"), cell(None, MISSED, reason="bad"),
        cell(Workload.FINANCE), comparison(Workload.FINANCE, OPEN, reason="slow"), refused="why",
    )  # fmt: skip
    least = cell(TILLS, OPEN, reason="same")
    assert told(MISSED, scenario, least=least)[1:] == (
        "weakest: a, point-of-sale: same",
        "refused: why",
        "a, platform-wide checks: bad",
        "a, order-capture, point-of-sale: same",
        "a, finance-reporting: slow",
    )
    assert not any(t.startswith("weakest") for t in told(MISSED, scenario, least=cell(runs=0)))
    assert any(t.startswith("weakest") for t in told(MISSED, scenario, least=cell(runs=1)))


@pytest.mark.parametrize(("count", "more"), [(3, ""), (4, " and 1 more"), (5, " and 2 more")])
def test_three_of_those_alike_are_named(count: int, more: str) -> None:
    places = list(Workload)[:count]
    (_, line) = told(OPEN, gate("a", *(cell(p, OPEN, reason="same", more=1) for p in places)))
    assert line == f"a, {', '.join(places[:3])}{more}: same"


def test_no_line_is_said_twice() -> None:
    assert told(OPEN, gate("a", refused="x"), gate("a", refused="x"), of=COMPARED) == (
        "Not proven: new: refused: x", "refused: x",
    )  # fmt: skip


S = 10**9


@pytest.mark.parametrize(
    ("weak", "strong"),
    [
        (cell(verdict=MISSED, supported=0.9), cell(verdict=OPEN, supported=0.1)),
        (cell(verdict=OPEN, supported=0.9), cell(verdict=MET, supported=0.1)),
        (cell(supported=0.80), cell(supported=0.81)),
        (cell(target_ns=60 * S, slowest_ns=50 * S), cell(target_ns=60 * S, slowest_ns=49 * S)),
        (cell(target_ns=60 * S, slowest_ns=40 * S), cell(target_ns=120 * S, slowest_ns=41 * S)),
        (cell(target_ns=60 * S, slowest_ns=None), cell(target_ns=60 * S, slowest_ns=59 * S)),
        (cell(target_ns=60 * S, slowest_ns=1), cell(target_ns=None)),
        (cell(target_ns=60 * S, slowest_ns=70 * S), cell(target_ns=60 * S, slowest_ns=None)),
    ],
)
def test_the_weakest_cell(weak: Cell, strong: Cell) -> None:
    assert weakest([gate("a", strong), gate("b", weak)]) is weak
    assert weakest([gate("a", weak, strong)]) is weak
    assert weakest([gate("a", comparison(verdict=MISSED))]) is None


def test_what_a_reader_must_know() -> None:
    assert notes(FULL, [gate("a", cell())]) == ()
    scenario = gate(
        "a", cell(), unfit=("r1",), given_up=1,
        excluded=(Excluded("x1", "old"), Excluded("x2", "far"), Excluded("x3", "old")),
    )  # fmt: skip
    assert notes(FULL, [scenario]) == (
        "a: not counted: x1, x3: old",
        "a: not counted: x2: far",
        "a: 1 run was not fit to judge: r1",
        "a: 1 drill stayed unfit after two repeats: inconclusive",
    )
    several = gate("b", unfit=("r1", "r2"), given_up=2)
    assert notes(FULL, [several])[0] == "b: 2 runs were not fit to judge: r1, r2"
    assert notes(FULL, [several])[1].startswith("b: 2 drills stayed unfit")


@pytest.mark.parametrize(
    ("of", "now", "then", "said"),
    [
        (COMPARED, "c", "d", True), (COMPARED, "c", "c", False), (COMPARED, None, "d", False),
        (COMPARED, "c", None, False), (FULL, "c", "d", False),
    ],
)  # fmt: skip
def test_another_configuration_of_the_baseline_is_said(
    of: Question, now: str | None, then: str | None, said: bool
) -> None:
    made = gate("a", configuration=now, baseline_configuration=then)
    assert any("another configuration than old" in note for note in notes(of, [made])) is said


def test_what_had_nothing_to_compare_is_named() -> None:
    made = gate("a", cell(), cell(TILLS), cell(None), comparison(ORDERS))
    assert notes(COMPARED, [made]) == ("a: point-of-sale: RTO is not gated, nothing to compare",)
    assert notes(FULL, [made]) == ()
    assert notes(COMPARED, [gate("a", cell(), refused="why")]) == ()
    assert notes(COMPARED, [gate("a", cell(), comparison(ORDERS))]) == ()


def decision(
    verdict: Verdict, *scenarios: ScenarioGate, planned: int = 14, **asked: object
) -> GateDecision:
    return GateDecision(question(**asked), planned, verdict, (), scenarios, (), None)


def drilled(name: str, fit: int, more: int | None, **changed: object) -> ScenarioGate:
    return gate(name, cell(ORDERS, OPEN, name, more=more), fit=fit, **changed)


@pytest.mark.parametrize(
    ("fit", "more", "runs", "before", "left"),
    [
        (10, 4, None, None, 4),
        (10, 5, None, None, 0),  # 15 are beyond the plan's 14
        (10, 4, 3, None, 3),
        (10, 4, 9, None, 4),
        (10, 5, 5, None, 5),  # more than planned were asked for
        (10, 6, 5, None, 0),
        (10, 4, 3, 8, 1),
        (10, 4, 3, 7, 0),
        (10, 4, 2, 7, 0),
        (10, 4, 0, None, 0),
        (10, None, None, None, 0),
        (14, 0, None, None, 0),
    ],
)
def test_how_many_drills_are_made(
    fit: int, more: int | None, runs: int | None, before: int | None, left: int
) -> None:
    made = drilled("a", fit, more)
    found = decision(OPEN, made, runs=runs)
    known = {} if before is None else {"a": before}
    assert drills_to_make(found, made, known) == left
    assert next_drill(found, known) == ("a" if left else None)
    if before is None:
        assert most_drills(found) == 3 * left


def test_what_has_passed_is_not_drilled_again() -> None:
    met = gate("a", cell(more=4), fit=10)
    assert drills_to_make(decision(OPEN, met), met) == 0


def test_the_scenario_with_the_fewest_drills_is_next() -> None:
    a, b = drilled("a", 9, 5), drilled("b", 8, 5)
    assert next_drill(decision(OPEN, a, b)) == "b"
    assert next_drill(decision(OPEN, a, drilled("b", 8, 5, given_up=2))) == "a"
    assert next_drill(decision(MISSED, a)) is None
    assert next_drill(decision(OPEN, a, gate("c", refused="why"))) is None


@pytest.mark.parametrize(
    ("verdict", "refused", "code"),
    [(MET, "", 0), (MISSED, "", 1), (OPEN, "", 3), (INVALID, "", 4), (OPEN, "why", 2), (MISSED, "why", 1)],
)  # fmt: skip
def test_its_exit_code(verdict: Verdict, refused: str, code: int) -> None:
    found = decision(verdict, gate("a"), gate("b", refused=refused))
    assert (found.exit_code, found.refused, found.smoke) == (code, refused, True)


def test_what_a_scenario_lacks_is_the_most_of_its_parts() -> None:
    assert gate("a").lacking is None
    assert gate("a", cell(more=2), cell(more=5)).lacking == 5
    assert gate("a", cell(more=2), comparison(more=7)).lacking == 7
    assert gate("a", cell(more=None), cell(more=5)).lacking is None
    assert gate("a", cell(None)).has_workloads is False
    assert gate("a", cell(None), cell()).has_workloads is True
    assert gate("a", fit=3, given_up=2).counted == 5
    assert cell(runs=14, missed=2, undecided=3).clean == 9
