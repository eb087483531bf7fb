"""The answer claims what was measured, and no more."""

from __future__ import annotations

from dataclasses import replace

from harness.core.gate.decision import decide
from harness.core.verdict import Verdict
from reports.gate_junit import render_gate_junit
from tests.gate.gate_cases import clean, question, terms

RPO_ALONE = (("rpo", Verdict.MET),)


def without_rto(runs):
    return [
        replace(run, workloads=tuple(replace(w, checks=RPO_ALONE) for w in run.workloads))
        for run in runs
    ]


def test_what_was_lost_within_the_limits_is_not_called_nothing() -> None:
    runs = clean(14)
    assert "nothing acknowledged was lost" in decide(question(), runs).reasons[0]
    orders, tills = runs[3].workloads
    runs[3] = replace(runs[3], workloads=(replace(orders, lost=5), tills))
    found = decide(question(), runs)
    assert found.verdict is Verdict.MET
    assert "5 acknowledged writes were lost, as the targets allow" in found.reasons[0]
    assert "nothing acknowledged" not in found.reasons[0]


def test_where_nothing_could_be_compared_nothing_is_no_slower() -> None:
    runs = without_rto([*clean(14), *clean(14, release="old")])
    found = decide(question(baseline="old"), runs)
    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.reasons[0].endswith("no RTO is gated, so that nothing is compared with old")
    assert "<failure" in render_gate_junit(found), "CI is not green either"
    assert decide(question(), runs).verdict is Verdict.MET


def test_the_comparison_is_claimed_for_the_scenarios_that_it_was_made_in() -> None:
    asked = question(terms(), terms("ransomware"), baseline="old")
    compared = [*clean(14), *clean(14, release="old")]
    other = [
        replace(run, run_id=f"r-{run.run_id}")
        for release in ("new", "old")
        for run in without_rto(clean(14, release=release, scenario="ransomware"))
    ]
    found = decide(asked, [*compared, *other])
    assert found.verdict is Verdict.MET
    assert found.reasons[0].endswith("in 1 of them, and nothing to compare in the others")


def test_targets_without_a_workload_show_nothing() -> None:
    runs = [replace(run, workloads=()) for run in clean(14)]
    found = decide(question(terms(workloads=())), runs)
    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.reasons[0].endswith("nothing was checked")
