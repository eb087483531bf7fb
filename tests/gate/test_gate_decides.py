"""The gate's rules, one by one: what fails, what is not counted, and why."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core.gate.decision import decide
from harness.core.gate.next_drill import drills_to_make, next_drill
from harness.core.policy import GatePolicy
from harness.core.verdict import Verdict
from tests.gate.gate_cases import (
    MARKET,
    ORDERS,
    TILLS,
    S,
    clean,
    lost,
    question,
    recovering,
    run,
    terms,
    workload,
)

MET, MISSED, OPEN, INVALID = (
    Verdict.MET, Verdict.MISSED, Verdict.INCONCLUSIVE, Verdict.INVALID,
)  # fmt: skip


def verdict(made, **asked) -> Verdict:
    return decide(question(**asked), made).verdict


def test_fourteen_clean_runs_are_met_and_thirteen_lack_one() -> None:
    assert verdict(clean(14)) is MET
    thirteen = decide(question(), clean(13))
    assert thirteen.verdict is OPEN
    assert thirteen.exit_code == 3
    assert thirteen.reasons[0] == (
        "Not proven (smoke runs): new: 1 more clean run of node-loss needed"
    )
    cell = thirteen.scenarios[0].cells[0]
    assert (cell.runs, cell.clean, cell.more) == (13, 13, 1)
    assert cell.supported == pytest.approx(0.05 ** (1 / 13))
    assert dict(cell.stronger) == {0.90: 16, 0.95: 46, 0.99: 286}


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.integers(0, 40), st.integers(0, 40), st.booleans())
def test_a_proven_loss_is_never_forgotten(before: int, after: int, unfit: bool) -> None:
    bad = lost(before, INVALID if unfit else MISSED)
    runs = [*clean(before), bad, *clean(after, before + 1)]
    for sequential in (False, True):
        found = decide(question(sequential=sequential), runs)
        assert found.verdict is MISSED
        assert [loss.run_id for loss in found.losses] == [bad.run_id]
        assert "no later run takes that back" in found.reasons[0]
        assert bad.run_id in found.reasons[0]
        assert next_drill(found) is None, "and nothing more is broken"


@pytest.mark.parametrize(
    "changed",
    [
        {"size": "full"}, {"platform": "kubernetes"}, {"peak": 3.0}, {"scenario": "ransomware"},
        {"configuration": "other"}, {"judge": "v2"}, {"tenant": "north"},
    ],
    ids=lambda changed: next(iter(changed)),
)  # fmt: skip
def test_a_loss_speaks_from_runs_that_do_not_count(changed) -> None:
    assert verdict([*clean(14), lost(20, **changed)]) is MISSED
    assert verdict([*clean(14), lost(20, release="old", **changed)]) is MET, "of another release"


def test_a_loss_across_the_stores_or_in_one_workload_is_enough() -> None:
    across = run(20, MISSED, proven_loss=True, checks=(("stores-agree", MISSED),))
    assert verdict([*clean(14), across]) is MISSED
    one = run(20, workloads=(workload(ORDERS, proven_loss=True), workload(TILLS)))
    assert verdict([*clean(14), one]) is MISSED, "whatever the run says of itself"


@pytest.mark.parametrize("odd", [MISSED, OPEN])
def test_what_is_not_clean_counts_against_the_claim_and_is_never_left_out(odd: Verdict) -> None:
    one = decide(question(), [*clean(13), run(13, odd)])
    assert one.verdict is OPEN
    cell = one.weakest
    assert cell.workload is ORDERS
    assert (cell.runs, cell.clean, cell.missed) == (14, 13, int(odd is MISSED))
    assert cell.more == 32 - 14
    assert verdict([*clean(13), run(13, odd), *clean(18, 14)]) is MET
    assert verdict([*clean(13), run(13, odd), *clean(17, 14)]) is OPEN


def test_only_proven_misses_prove_that_too_many_miss() -> None:
    assert verdict([run(0, MISSED)]) is OPEN
    assert verdict([run(0, MISSED), run(1, MISSED)]) is MISSED
    assert verdict([run(n, OPEN) for n in range(30)]) is OPEN


def test_unfit_runs_are_repeated_twice_and_then_inconclusive() -> None:
    twice = [*clean(7), run(7, INVALID), run(8, Verdict.ERROR), *clean(7, 9)]
    found = decide(question(), twice)
    assert found.verdict is MET
    assert found.scenarios[0].unfit == ("new-007", "new-008")
    assert "2 runs were not fit to judge: new-007, new-008" in " ".join(found.notes)
    thrice = [*clean(7), *(run(7 + n, INVALID) for n in range(3)), *clean(7, 10)]
    found = decide(question(), thrice)
    assert found.verdict is OPEN
    assert (found.scenarios[0].given_up, found.scenarios[0].cells[0].undecided) == (1, 1)
    waiting = decide(question(), [*clean(3), run(3, INVALID)])
    assert (waiting.scenarios[0].to_repeat, waiting.scenarios[0].cells[0].runs) == (2, 3)


def test_nothing_fit_is_invalid_and_nothing_at_all_is_inconclusive() -> None:
    assert verdict([run(0, INVALID)]) is INVALID
    assert decide(question(), [run(0, INVALID)]).exit_code == 4
    assert verdict([]) is OPEN
    assert verdict(clean(14, release="another")) is OPEN
    assert decide(replace(question(), terms=()), clean(14)).verdict is OPEN


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"size": "full"}, "another size: full, asked for smoke"),
        ({"platform": "kubernetes"}, "another platform"),
        ({"kind": "odoo"}, "another application"),
        ({"peak": 2.0}, "another peak: 2x, asked for 1x"),
        ({"fault": "null"}, "another fault"),
        ({"tenant": "north"}, "another tenant"),
        ({"judge": "v2"}, "judged by v2, not by v1"),
        ({"configuration": "other"}, "another configuration: other"),
        ({"workloads": (workload(ORDERS, rate_per_s=20.0),)}, "another absolute rate of order"),
        ({"workloads": (workload(ORDERS, rto_target_ns=S),)}, "another RTO of order-capture"),
        ({"workloads": (workload(ORDERS, rpo_target_ns=S),)}, "another RPO of order-capture"),
        ({"workloads": (workload(MARKET),)}, "which the targets do not name"),
    ],
)  # fmt: skip
def test_what_is_unlike_is_never_mixed_and_the_reason_is_told(changed, why: str) -> None:
    asked = question(terms(configuration="c0ffee"))
    found = decide(asked, [*clean(13), run(13, **changed)])
    assert found.verdict is OPEN
    assert found.scenarios[0].fit == 13
    assert why in found.scenarios[0].excluded[0].why
    assert any(why in note and "new-013" in note for note in found.notes)


def test_the_latest_run_says_which_configuration_it_is() -> None:
    found = decide(question(), [*clean(14, configuration="a"), *clean(2, 14, configuration="b")])
    assert (found.scenarios[0].configuration, found.scenarios[0].fit) == ("b", 2)


def test_a_run_that_is_told_twice_counts_once() -> None:
    assert verdict([*clean(7), *clean(7)]) is OPEN


def test_an_adapter_that_nobody_has_run_never_passes() -> None:
    found = decide(question(), clean(400, unproven=True))
    assert found.verdict is OPEN
    assert "unproven" in found.weakest.reason
    assert next_drill(found) is None, "no number of runs helps"


def test_a_cell_that_no_run_speaks_of_is_not_passed() -> None:
    only_orders = [run(n, workloads=(workload(ORDERS),)) for n in range(30)]
    found = decide(question(), only_orders)
    assert found.verdict is OPEN
    assert found.weakest.workload is TILLS
    skipped = [run(n, OPEN, workloads=(), checks=()) for n in range(14)]
    assert verdict(skipped) is OPEN


def test_platform_wide_checks_are_a_cell_of_their_own() -> None:
    bad = run(
        13, MISSED, workloads=(workload(ORDERS), workload(TILLS)), checks=(("recovery", MISSED),)
    )
    found = decide(question(), [*clean(13), bad])
    assert found.verdict is OPEN
    assert found.weakest.workload is None
    unexplained = run(13, OPEN, workloads=(workload(ORDERS), workload(TILLS)))
    assert decide(question(), [*clean(13), unexplained]).weakest.workload is None


def test_every_scenario_must_pass() -> None:
    asked = question(terms(), terms("ransomware"))
    assert decide(asked, clean(14)).verdict is OPEN
    both = [*clean(14), *(run(100 + n, scenario="ransomware") for n in range(14))]
    assert decide(asked, both).verdict is MET


def test_looking_after_every_run_takes_two_more() -> None:
    assert verdict(clean(15), sequential=True) is OPEN
    found = decide(question(sequential=True), clean(16))
    assert found.verdict is MET
    assert found.weakest.evidence >= 20


def test_a_number_of_runs_that_is_asked_for_moves_no_claim() -> None:
    one_missed = [*clean(21), run(21, MISSED)]
    assert verdict(one_missed, runs=22) is OPEN, "22 with one miss is not chosen afterwards"
    assert verdict(clean(5), runs=5) is OPEN


def test_the_next_drill_is_made_only_where_it_can_change_the_answer() -> None:
    asked = question(terms(), terms("ransomware"))
    found = decide(asked, clean(3))
    assert next_drill(found) == "ransomware"
    assert [drills_to_make(found, s) for s in found.scenarios] == [11, 14]
    assert next_drill(decide(question(), clean(14))) is None
    hopeless = decide(question(), [*clean(2), run(2, MISSED)])
    assert next_drill(hopeless) is None, "29 more are beyond the plan's 14"
    assert next_drill(decide(question(runs=40), [*clean(2), run(2, MISSED)])) == "node-loss"
    start = decide(question(runs=5), clean(2))
    assert [drills_to_make(start, s) for s in start.scenarios] == [5]
    later = decide(question(runs=5), clean(5))
    assert next_drill(later, {"node-loss": 0}) is None, "five were made by now"
    assert next_drill(later) == "node-loss", "on another day, five more"


def both(new_s: list[float], old_s: list[float], **asked):
    runs = [*recovering(new_s, width_s=0.2), *recovering(old_s, width_s=0.2, release="old")]
    return decide(question(baseline="old", **asked), runs)


def test_as_quick_as_the_baseline_passes_and_a_third_slower_is_missed() -> None:
    base = [18 + 0.2 * n for n in range(14)]
    same = both(base, base)
    assert same.verdict is MET
    assert "no slower than old by more than 25%" in same.reasons[0]
    slower = both([t * 1.4 for t in base], base)
    assert slower.verdict is MISSED
    assert "slower than old by more than 25%" in slower.reasons[0]
    assert both([t * 1.3 for t in base], base).verdict is not MET


def test_too_few_runs_of_either_are_told_with_their_number() -> None:
    found = both([20.0] * 10, [20.0] * 9)
    assert found.verdict is OPEN
    compared = found.scenarios[0].comparisons[0]
    assert (compared.more, compared.baseline_more) == (4, 5)
    assert "4 more of new and 5 more of old needed" in compared.reason
    baseline_only = both([20.0] * 14, [20.0] * 9)
    assert baseline_only.reasons[0].endswith("5 more of node-loss on old needed")
    assert next_drill(baseline_only) is None, "the candidate has no more to do"


def test_a_workload_that_is_never_away_passes_and_one_that_begins_to_be_is_missed() -> None:
    assert both([0.0] * 14, [0.0] * 14).verdict is MET
    assert both([5.0] * 14, [0.0] * 14).verdict is MISSED


@pytest.mark.parametrize(
    "changed",
    [
        {"peak": 2.0}, {"size": "full"}, {"platform": "kubernetes"},
        {"workloads": (workload(ORDERS, rate_per_s=20.0), workload(TILLS))},
        {"workloads": (workload(ORDERS, rto_target_ns=90 * S), workload(TILLS))},
    ],
)  # fmt: skip
def test_a_baseline_of_other_rates_is_refused_with_its_reason(changed) -> None:
    runs = [*clean(14), *clean(14, release="old", **changed)]
    found = decide(question(baseline="old"), runs)
    assert (found.verdict, found.exit_code) == (OPEN, 2)
    assert "old is not compared: another" in found.refused
    assert next_drill(found) is None
    assert decide(question(baseline="old"), [*runs, lost(30)]).exit_code == 1, "a loss is graver"


def test_another_configuration_is_compared_and_said() -> None:
    runs = [*clean(14, configuration="a"), *clean(14, release="old", configuration="b")]
    found = decide(question(terms(configuration="a"), baseline="old"), runs)
    assert found.verdict is MET
    assert any("another configuration than old" in note for note in found.notes)
    same = decide(question(baseline="old"), [*clean(14), *clean(14, release="old")])
    assert not any("configuration" in note for note in same.notes)


def test_runs_that_told_no_time_are_not_left_out_of_the_comparison() -> None:
    silent = [
        run(n, OPEN, workloads=(workload(ORDERS, OPEN, rto_low_ns=None, rto_high_ns=None), workload(TILLS)))
        for n in range(3)
    ]  # fmt: skip
    policy = GatePolicy(quantile=0.5)
    runs = [*silent, *clean(40, 3), *clean(43, release="old")]
    found = decide(question(baseline="old", policy=policy), runs)
    compared = found.scenarios[0].comparisons[0]
    assert compared.runs == 43
    few = [*silent, *clean(11, 3), *clean(14, release="old")]
    compared = decide(question(baseline="old"), few).scenarios[0].comparisons[0]
    assert compared.verdict is OPEN
    assert compared.quantiles[-1].upper_ns == float("inf")


def test_going_on_until_it_passes_needs_the_next_look() -> None:
    """The first fourteen did not pass: a fifteenth and sixteenth change nothing."""
    slow_first = [20.0] * 12 + [40.0] * 2
    found = both([*slow_first, *[20.0] * 10], [20.0] * 24)
    assert found.scenarios[0].comparisons[0].verdict is OPEN
    assert found.scenarios[0].comparisons[0].more == 4
