"""The gate's arithmetic at its bounds: series, likeness, looks, intervals, and the words for them."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.gate import against, comparable, miss_rate, noninferiority, sequential
from harness.core.gate.against import interval, refusal
from harness.core.gate.comparable import Chosen, Excluded, WorkloadTerms, choose, unlike
from harness.core.gate.decision import decide
from harness.core.gate.noninferiority import Appointed, Compared, Interval, Rule, compare
from harness.core.outcome import Outcome
from harness.core.verdict import Verdict
from tests.gate.gate_cases import (
    MARKET,
    ORDERS,
    TILLS,
    S,
    question,
    recovering,
    run,
    terms,
    workload,
)

MET, MISSED, OPEN, INVALID, ERROR = (
    Verdict.MET, Verdict.MISSED, Verdict.INCONCLUSIVE, Verdict.INVALID, Verdict.ERROR,
)  # fmt: skip


@given(st.integers(0, 70_000))
def test_the_fewest_that_are_enough_are_found_and_not_beyond_reason(needed: int) -> None:
    asked: list[int] = []

    def enough(number: int) -> bool:
        asked.append(number)
        return number >= needed

    assert miss_rate.fewest(enough) == (needed if needed <= 2**16 else None)
    assert max(asked) <= miss_rate.MOST_RUNS
    assert len(asked) < 40


@pytest.mark.parametrize(
    ("misses", "runs", "refused"),
    [(0, 0, False), (2, 2, False), (3, 2, True), (-1, 2, True), (0, 1, False)],
)
def test_misses_are_among_the_runs(misses: int, runs: int, refused: bool) -> None:
    for asked in (
        lambda: miss_rate.at_most(misses, runs, 0.95),
        lambda: miss_rate.at_least(misses, runs, 0.95),
        lambda: miss_rate.supports(misses, runs, 0.8, 0.95),
    ):
        if refused:
            with pytest.raises(ValueError, match="misses in"):
                asked()
        else:
            asked()


def test_runs_that_all_missed_support_nothing() -> None:
    assert not miss_rate.supports(0, 0, 0.8, 0.95)
    assert not miss_rate.supports(14, 14, 0.8, 0.95)
    assert miss_rate.supports(0, 14, 0.8, 0.95)
    assert not miss_rate.supports(0, 13, 0.8, 0.95)
    assert miss_rate.supports(0, 1, 0.5, 0.5), "exactly what may be spent"
    assert miss_rate.at_most(2, 2, 0.95) == 1.0
    assert miss_rate.at_least(0, 9, 0.95) == 0.0
    assert miss_rate.supported_quantile(3, 3, 0.95) == 0.0


def test_a_claim_about_every_drill_is_never_decided() -> None:
    assert sequential.evidence_for(0, 100, 1.0) == 0.0
    assert not sequential.decided(0, 100, 1.0, 0.95)


def test_evidence_that_is_just_enough_decides() -> None:
    """Without a run it is 1 on either side, and a claim at no confidence asks for no more."""
    assert sequential.decided(0, 0, 0.8, 0.0)
    assert sequential.refuted(0, 0, 0.8, 0.0)


def fates(told: str) -> list[Outcome]:
    of = {"c": MET, "m": MISSED, "o": OPEN, "u": INVALID, "e": ERROR}
    return [run(n, of[fate]) for n, fate in enumerate(told)]


@given(st.text(alphabet="cmoue", max_size=14))
def test_a_drill_is_given_up_after_its_third_unfit_attempt_in_a_row(told: str) -> None:
    found = comparable.series(fates(told))
    drills, failed = [], 0
    for number, fate in enumerate(told):
        failed = failed + 1 if fate in "ue" else 0
        if not failed:
            drills.append(f"new-{number:03d}")
        elif failed % 3 == 0:
            drills.append("")
    assert [d.run_id if d else "" for d in found.drills] == drills
    assert found.to_repeat == (3 - failed % 3 if failed % 3 else 0)
    assert [int(run_id[-3:]) for run_id in found.unfit] == [
        n for n, f in enumerate(told) if f in "ue"
    ]
    assert found.fit == tuple(d for d in found.drills if d is not None)
    missed, neither = comparable.counted(found.drills, lambda one: one.verdict)
    assert missed == told.count("m")
    assert neither == told.count("o") + drills.count("")


LIKE = run(1, configuration="c0ffee")


@pytest.mark.parametrize(
    ("changed", "asked", "why"),
    [
        ({}, {}, ""),
        ({"judge": "v0"}, {}, "judged by v0, not by v1"),
        ({"platform": "kubernetes"}, {}, "another platform: kubernetes, asked for embedded"),
        ({"kind": "odoo"}, {}, "another application: odoo, asked for shop"),
        ({"fault": "x"}, {}, "another fault: x, asked for node-loss"),
        ({"size": "full"}, {}, "another size: full, asked for smoke"),
        ({"tenant": "north"}, {}, "another tenant: north, asked for none"),
        ({}, {"tenant": "north"}, "another tenant: none, asked for north"),
        ({"peak": 2.0}, {}, "another peak: 2x, asked for 1x"),
        ({"peak": 1 + 1e-12}, {}, ""),
        ({"workloads": (workload(MARKET),)}, {}, "drilled marketplace-integration, which the targets do not name"),
        ({"workloads": (workload(rate_per_s=11.0),)}, {}, "another absolute rate of order-capture: 11 a second, asked for 10"),
        ({"workloads": (workload(rto_target_ns=61 * S),)}, {}, "another RTO of order-capture: "),
        ({"workloads": (workload(rpo_target_ns=None),)}, {}, "another RPO of order-capture"),
        ({"workloads": (workload(bars=(("a", 1.0),)),)}, {}, ""),
        ({"method": (("load", "steady"),)}, {}, ""),
        ({"method": (("load", "steady"),)}, {"method": (("load", "flash"),)}, "another load: steady, asked for flash"),
        ({}, {"method": (("load", "flash"),)}, ""),
        ({"configuration": "other"}, {"configuration": "c0ffee"}, ""),
    ],
)  # fmt: skip
def test_in_what_a_run_answers_another_question(
    changed: dict[str, object], asked: dict[str, object], why: str
) -> None:
    told = unlike(replace(LIKE, **changed), terms(**asked))  # type: ignore[arg-type]
    assert told.startswith(why)
    assert bool(told) is bool(why)


def test_a_bar_that_was_another_is_told_with_its_workload() -> None:
    asked = terms(
        workloads=(WorkloadTerms(ORDERS, 10.0, 60 * S, 0, S, bars=(("staleness_s", 0.0),)),)
    )
    made = run(1, workloads=(workload(bars=(("staleness_s", 5.0),)),))
    assert unlike(made, asked) == "order-capture: another staleness_s: 5, asked for 0"


def test_which_runs_are_put_together_and_why_the_others_are_not() -> None:
    runs = [
        run(3, configuration="b" * 20), run(2, configuration="a"), run(1, size="full"),
        run(2, configuration="a"), run(4, release="old"), run(5, scenario="x"),
    ]  # fmt: skip
    found = choose(runs, "new", terms())
    assert [r.run_id for r in found.runs] == ["new-003"]
    assert found.configuration == "b" * 20
    assert found.excluded == (
        Excluded("new-001", "another size: full, asked for smoke"),
        Excluded("new-002", "another configuration: a"),
    )
    asked = choose(runs, "new", terms(configuration="a"))
    assert [r.run_id for r in asked.runs] == ["new-002"]
    assert asked.excluded[1].why == f"another configuration: {'b' * 12}"
    none = choose([], "new", terms())
    assert (none.runs, none.excluded, none.configuration) == ((), (), None)


def test_a_baseline_is_refused_where_it_was_drilled_in_another_way_alone() -> None:
    other = Excluded("r", "another size")
    asked = question(baseline="old")
    assert refusal(asked, terms(), Chosen((), (other,), None)) == (
        "node-loss: old is not compared: another size"
    )
    assert refusal(asked, terms(), Chosen((), (), None)) == ""
    assert refusal(asked, terms(), Chosen((LIKE,), (other,), None)) == ""


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (None, Interval(0.0, math.inf)),
        (run(1, workloads=(workload(TILLS),)), Interval(0.0, math.inf)),
        (run(1, workloads=(workload(rto_low_ns=None),)), Interval(0.0, math.inf)),
        (run(1, workloads=(workload(rto_low_ns=7, rto_high_ns=None),)), Interval(7, math.inf)),
        (run(1, workloads=(workload(rto_low_ns=7, rto_high_ns=9),)), Interval(7, 9)),
    ],
)
def test_a_drill_s_recovery_time_is_as_wide_as_what_it_told(
    made: Outcome | None, expected: Interval
) -> None:
    assert interval(made, ORDERS) == expected


@pytest.mark.parametrize(
    ("made", "gated"),
    [
        ([], True),
        ([run(1)], True),
        ([run(1, workloads=(workload(checks=(("rpo", MET),)),))], False),
        ([run(1, workloads=(workload(TILLS),))], True),
        ([run(1, workloads=(workload(checks=(("rpo", MET),)),)), run(2)], True),
    ],
)
def test_one_run_that_gates_it_is_enough(made: list[Outcome], gated: bool) -> None:
    assert against._is_gated(ORDERS, made) is gated


def look(*verdicts: Verdict, runs: int = 14) -> tuple[Compared, ...]:
    return tuple(Compared(0.8, runs, v, 1.0, 2.0, 3.0, 4.0) for v in verdicts)


@pytest.mark.parametrize(
    ("taken", "verdict", "decisive"),
    [
        ([], OPEN, None),
        ([look(MET, MET)], MET, 0),
        ([look(MET, OPEN)], OPEN, 0),
        ([look(MET, OPEN), look(OPEN, OPEN, runs=28)], OPEN, 1),
        ([look(OPEN, OPEN), look(MET, MET, runs=28)], MET, 1),
        ([look(MET, MET), look(OPEN, OPEN, runs=28)], MET, 0),
        ([look(MET, MET), look(MET, MISSED, runs=28)], MISSED, 1),
        ([look(MISSED, MET), look(MET, MET, runs=28)], MISSED, 0),
    ],
)
def test_slower_at_any_look_is_slower_and_one_that_passes_is_enough(
    taken: list[tuple[Compared, ...]], verdict: Verdict, decisive: int | None
) -> None:
    found = against._of_all(taken)
    assert found == (verdict, () if decisive is None else taken[decisive])


NINE, EIGHT = Compared(0.5, 14, MET, 21 * S, 25 * S, 19 * S, 18 * S), Compared(
    0.8, 14, OPEN, 31 * S, 26 * S, 29 * S, 20 * S
)  # fmt: skip


def reason(verdict: Verdict, *decisive: Compared, **more: object) -> str:
    told = {"runs": (14, 14), "next_runs": 0, "about": None, **more}
    return against._reason(
        question(baseline="old"),
        verdict=verdict,
        decisive=decisive,
        **told,  # type: ignore[arg-type]
    )


def test_a_comparison_is_told_by_the_quantile_that_decided_it() -> None:
    assert reason(MET, NINE, NINE) == (
        "no slower than old by more than 25%: within 21.0 s, allowed 25.0 s (50% of drills, 14 of each)"
    )
    slower = replace(EIGHT, verdict=MISSED)
    assert reason(MISSED, NINE, slower) == (
        "slower than old by more than 25%: 29.0 s against 20.0 s (80% of drills, 14 of each)"
    )
    open_ = (
        "not shown to be no slower than old by more than 25%: within 31.0 s, allowed 26.0 s (80% of"
    )
    never = "; if they go on like this, no number of runs will show it"
    assert reason(OPEN, NINE, EIGHT) == f"{open_} drills, 14 of each){never}"
    assert reason(OPEN, NINE, EIGHT, next_runs=28, about=56) == (
        f"{open_} drills, 14 of each); 14 more of new and 14 more of old needed; "
        "if they go on like this, 56 of each would show it"
    )


@pytest.mark.parametrize(
    ("runs", "needed"),
    [
        ((14, 14), "14 more of new and 14 more of old needed"),
        ((28, 14), "14 more of old needed"),
        ((27, 30), "1 more of new needed"),
    ],
)
def test_who_has_enough_is_not_asked_for_more(runs: tuple[int, int], needed: str) -> None:
    assert f"; {needed}; if" in reason(OPEN, EIGHT, runs=runs, next_runs=28)
    few = reason(OPEN, runs=runs, next_runs=28)
    assert few == f"too few runs to compare with old: {runs[0]} and {runs[1]} of 28 each; {needed}"


def test_the_next_look_is_told_only_where_nothing_is_decided() -> None:
    base = [18 + 0.2 * n for n in range(20)]
    for factor, verdict, more in ((1.0, MET, (0, 0)), (1.25, OPEN, (12, 8)), (1.6, MISSED, (0, 0))):
        made = [*recovering([s * factor for s in base[:16]]), *recovering(base, release="old")]
        (first, *_) = decide(question(baseline="old"), made).scenarios[0].comparisons
        assert (first.verdict, first.more, first.baseline_more) == (verdict, *more)
        assert (first.runs, first.baseline_runs) == (16, 20)
        assert (first.about is None) or verdict is OPEN
        assert {c.runs for c in first.quantiles} == {14}


@pytest.mark.parametrize(
    ("canary_per_s", "floor_s"),
    [(0.0, 1.0), (-1.0, 1.0), (10.0, 1.0), (4 / 3, 1.0), (1.0, 1.25), (0.5, 2.25)],
)
def test_what_a_drill_cannot_resolve(canary_per_s: float, floor_s: float) -> None:
    assert noninferiority.floor_ns(canary_per_s) == round(floor_s * S)


@pytest.mark.parametrize(
    ("gated", "asked"), [(0.8, (0.5, 0.8)), (0.5, (0.5,)), (0.4, (0.4,)), (0.51, (0.5, 0.51))]
)
def test_which_quantiles_must_pass(gated: float, asked: tuple[float, ...]) -> None:
    assert noninferiority.quantiles(gated) == asked


def test_the_first_look_is_where_bounds_begin_to_exist() -> None:
    for first in (0, 1, 12):
        (look_, *_) = noninferiority.looks(0.5, 0.95, first)
        assert noninferiority.ranks(look_.runs, look_.runs, 0.5, look_.error) is not None
        fewer = look_.runs - 1
        assert look_.runs == first or noninferiority.ranks(fewer, fewer, 0.5, look_.error) is None
    assert len(noninferiority.looks(0.8, 0.95, 14)) == 7


def test_slower_is_only_what_lies_beyond_what_the_baseline_could_have_taken() -> None:
    old = [Interval(19 * S, 20 * S)] * 14
    at = Appointed(14, 0.05)
    for low_s, verdict in ((25.0, OPEN), (25.1, MISSED)):
        new = [Interval(low_s * S, 40 * S)] * 14
        found = compare(new, old, quantile=0.8, look=at, rule=Rule(0.25, S))
        assert found.verdict is verdict
        assert (found.upper_ns, found.limit_ns) == (40 * S, 23.75 * S)
        assert (found.candidate_ns, found.baseline_ns) == (40 * S, 19 * S)
