"""Checks that are judged from proofs and steps: nothing passes by omission, and harm is told first."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core import checks
from harness.core.checks import Check
from harness.core.evidence import Evidence
from harness.core.judge import judge
from harness.core.plan import Plan
from harness.core.proof_findings import gate_proofs
from harness.core.proofs import Proof
from harness.core.timeline import MarkName
from harness.core.verdict import Finding, Judgement, Verdict
from tests.core import simulate
from tests.core.judged_runs import ORDERS_ALONE, judged, run
from tests.core.simulate import S
from tests.core.simulated_recovery import scenario, with_marks, with_proofs, with_steps

TWO = checks.nothing_corrupt  # kinds: node, backup
FROM_PROOFS = [c for c in checks.ALL.values() if c.kinds and c is not checks.runbook_done]

proofs = st.lists(
    st.builds(
        Proof,
        check=st.sampled_from([TWO.name, TWO.name, TWO.name, checks.audit_kept.name]),
        kind=st.sampled_from([*TWO.kinds, "moon"]),
        subject=st.just("it"),
        ok=st.sampled_from([True, True, True, None, False]),
        told=st.text(min_size=1, max_size=5),
        seen_ns=st.integers(0, 9),
    ),
    max_size=6,
)


def slowly(check: Check, told: list[Proof]) -> tuple[Verdict, str]:
    """The rule in the order of its words: the verdict, and what must be part of the reason."""
    first: dict[bool | None, str] = {}
    kinds, number = set(), {True: 0, None: 0, False: 0}
    for proof in told:
        if proof.check == check.name:
            first.setdefault(proof.ok, proof.told)
            kinds.add(proof.kind)
            number[proof.ok] += 1
    for ok, verdict in ((False, Verdict.MISSED), (None, Verdict.INCONCLUSIVE)):
        lacking = [kind for kind in check.kinds if kind not in kinds]
        if ok is None and lacking:
            return Verdict.INCONCLUSIVE, f"nothing was looked at: {', '.join(lacking)}"
        if number[ok]:
            more = f" (and {number[ok] - 1} more)" if number[ok] > 1 else ""
            return verdict, f"{first[ok]}{more}"
    return Verdict.MET, f"{number[True]} looked at"


@settings(max_examples=400, deadline=None, derandomize=True)
@given(proofs)
def test_it_agrees_with_the_slow_oracle(told: list[Proof]) -> None:
    found = gate_proofs(TWO, told)
    verdict, part = slowly(TWO, told)
    assert (found.check, found.workload, found.verdict) == (TWO.name, None, verdict)
    assert found.reason.startswith(f"{TWO.name}: ")
    assert part in found.reason


@settings(max_examples=200, deadline=None, derandomize=True)
@given(proofs, st.data())
def test_looking_at_less_never_makes_a_pass(told: list[Proof], data: st.DataObject) -> None:
    kept = [p for p in told if p.ok is not True or data.draw(st.booleans())]
    if gate_proofs(TWO, told).verdict is not Verdict.MET:
        assert gate_proofs(TWO, kept).verdict is not Verdict.MET


def prepared(check: Check) -> tuple[Plan, Evidence]:
    plan = simulate.plan_of(targets=ORDERS_ALONE, scenario=scenario(check))
    return run(plan=plan)


def of(found: Judgement, check: Check) -> Finding:
    (only,) = [f for f in found.findings if f.check == check.name]
    return only


@pytest.mark.parametrize("check", FROM_PROOFS, ids=[c.name for c in FROM_PROOFS])
def test_every_check_from_proofs_is_judged(check: Check) -> None:
    plan, seen = prepared(check)
    nothing = judge(plan, seen)
    assert nothing.verdict is Verdict.INCONCLUSIVE
    assert f"nothing was looked at: {', '.join(check.kinds)}" in nothing.reasons[0]
    honest = judge(plan, with_proofs(seen, plan))
    assert (honest.verdict, of(honest, check).verdict) == (Verdict.MET, Verdict.MET)
    harm = Proof(check.name, check.kinds[0], "it", False, "node b: 3 corrupt pages", 1)
    found = judge(plan, with_proofs(seen, plan, harm, replace(harm, told="other")))
    assert found.verdict is Verdict.MISSED
    assert found.reasons[0] == f"Not safe: {check.name}: node b: 3 corrupt pages (and 1 more)"
    unknown = replace(harm, ok=None, told="node b does not answer")
    found = judge(plan, with_proofs(seen, plan, unknown))
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "not found out: node b does not answer" in found.reasons[0]


def test_a_check_that_this_judge_does_not_know_is_never_a_pass() -> None:
    plan, seen = prepared(Check("moon-phase", "The moon was full"))
    told = Proof("moon-phase", "moon", "it", True, "full", 1)
    found = judge(plan, replace(seen, proofs=(told,)))
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "no kind of proof is known for it" in found.reasons[0]


def test_a_check_stored_before_it_had_kinds_asks_for_todays() -> None:
    told = Proof(TWO.name, "node", "a", True, "node a: sound", 1)
    assert gate_proofs(replace(TWO, kinds=()), [told]).verdict is Verdict.INCONCLUSIVE


def test_harm_under_a_check_that_the_scenario_does_not_name_is_told() -> None:
    plan, seen = run()
    harm = Proof(TWO.name, "node", "node a", False, "node a: 2 corrupt pages", 1)
    found = judge(plan, replace(seen, proofs=(harm,)))
    assert found.verdict is Verdict.MET
    assert any("2 corrupt pages" in note for note in found.notes)


@pytest.mark.parametrize(
    ("check", "verdict"),
    [
        (checks.protected_again, Verdict.INVALID),  # we cut the recovery short
        (checks.secrets_hidden, Verdict.MISSED),  # no recovery takes that back
    ],
)
def test_what_an_interruption_leaves_of_a_miss(check: Check, verdict: Verdict) -> None:
    plan, seen = prepared(check)
    harm = Proof(check.name, check.kinds[0], "it", False, "it is not", 1)
    assert judged((plan, with_proofs(seen, plan, harm)), interrupted="SIGINT").verdict is verdict


def test_an_unfit_run_passes_nothing_and_keeps_what_is_proven() -> None:
    plan, seen = prepared(TWO)
    late = {"clock_error_ns": 4 * S}
    found = judged((plan, with_proofs(seen, plan)), **late)
    assert of(found, TWO).verdict is Verdict.INVALID
    harm = Proof(TWO.name, "node", "node a", False, "node a: 2 corrupt pages", 1)
    found = judged((plan, with_proofs(seen, plan, harm)), **late)
    assert (found.verdict, of(found, TWO).verdict) == (Verdict.MISSED, Verdict.MISSED)


def test_a_skipped_platform_leaves_every_check_skipped() -> None:
    found = judged(prepared(TWO), skipped="skipped: platform embedded lacks backups")
    assert {f.check for f in found.findings} == {checks.stores_agree.name, TWO.name}


RUNBOOK = checks.runbook_done


def test_a_runbook_whose_steps_were_all_seen_is_met_with_their_number_and_time() -> None:
    plan, seen = prepared(RUNBOOK)
    found = judge(plan, with_steps(seen, plan))
    assert found.verdict is Verdict.MET
    assert of(found, RUNBOOK).reason == (
        "runbook-done: 3 steps, the last seen 3.1 s after the fault"
    )


def test_a_step_that_was_not_seen_is_missed_with_its_reason() -> None:
    plan, seen = prepared(RUNBOOK)
    found = judge(plan, with_steps(seen, plan, failed="the door stayed shut", ended=False))
    assert found.verdict is Verdict.MISSED
    assert (
        "open-the-ingress of point-in-time was not seen: the door stayed shut" in found.reasons[0]
    )


def test_a_runbook_that_nobody_began_or_ended_is_no_pass() -> None:
    plan, seen = prepared(RUNBOOK)
    assert "no step was taken: point-in-time" in judge(plan, seen).reasons[0]
    cut = judge(plan, with_steps(seen, plan, ended=False))
    assert "point-in-time was not seen to end" in cut.reasons[0]
    both = replace(plan, scenario=scenario(RUNBOOK, failback_s=60))
    assert "no step was taken: failback" in of(judge(both, with_steps(seen, plan)), RUNBOOK).reason
    alone = replace(
        plan, scenario=replace(simulate.SCENARIO, checks=(*simulate.SCENARIO.checks, RUNBOOK))
    )
    assert "the recovery has no runbook" in of(judge(alone, seen), RUNBOOK).reason


@pytest.mark.parametrize(
    ("ok", "verdict", "said"),
    [
        (False, Verdict.MISSED, "runbook-done: Verify: never begun"),
        (None, Verdict.INCONCLUSIVE, "runbook-done: not found out: Verify: never begun"),
        (True, Verdict.MET, "3 steps"),
    ],
)
def test_a_step_that_nobody_came_to_is_known_to_the_inspection(
    ok: bool | None, verdict: Verdict, said: str
) -> None:
    plan, seen = prepared(RUNBOOK)
    told = Proof(RUNBOOK.name, "step", "point-in-time: verify", ok, "Verify: never begun", 1)
    found = of(judge(plan, replace(with_steps(seen, plan), proofs=(told,))), RUNBOOK)
    assert found.verdict is verdict
    assert said in found.reason


def test_load_must_go_on_after_the_runbook_too() -> None:
    plan, seen = prepared(RUNBOOK)
    seen = with_steps(seen, plan, ended=False)
    stopped_s = (seen.load_stopped_ns - seen.timeline.first(MarkName.FAULT_ACTIVE).latest_ns) / S
    late = with_marks(seen, (MarkName.RECOVERY_ENDED, stopped_s - 2, ""))
    found = judge(plan, late)
    assert found.verdict is Verdict.INVALID
    assert [f.name for f in found.fitness if not f.fit] == ["load-after"]
