"""Which miss stands in an unfit run, and which verdict wins: every check against every condition."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations, product

import pytest

from harness.core import checks
from harness.core.failback import FAILBACK
from harness.core.judge import _combined, _void, _void_access, judge
from harness.core.measured_findings import RECOVERY
from harness.core.measures import Measures
from harness.core.operation import Workload
from harness.core.platform_findings import platform_findings
from harness.core.scenario import RecoverySpec
from harness.core.timeline import Mark, MarkName, Timeline
from harness.core.verdict import AccessJudgement, Finding, FitnessFinding, Verdict, gravest
from tests.core import simulate
from tests.core.judged_runs import run

S = 10**9
MET, OPEN, MISSED, INVALID = (
    Verdict.MET, Verdict.INCONCLUSIVE, Verdict.MISSED, Verdict.INVALID,
)  # fmt: skip
WRITES, TIME = {"rpo", "stores-agree"}, {"rto", RECOVERY, FAILBACK}
NEVER_MENDED = {"secrets-hidden", "backups-locked"}
CONDITIONS = ("baseline", "clock", "ledger", "read-back", "effect", "uninterrupted", "fitness")


def voids(check: str) -> set[str]:
    """docs/measurement.md, 5 and 10: what leaves a miss of that check unproven."""
    if check in NEVER_MENDED:
        return {"fitness"}
    if check in WRITES:
        return {"fitness", "ledger", "read-back"}
    if check in TIME:
        return {"fitness", "ledger", "effect", "uninterrupted"}
    if check in checks.ALL:
        return {"fitness", "uninterrupted"}
    return {"fitness", "ledger", "read-back"}  # a check of no name here: as strict as for writes


def fit(*unfit: str) -> tuple[FitnessFinding, ...]:
    return tuple(FitnessFinding(name, name not in unfit, "", "") for name in CONDITIONS)


@pytest.mark.parametrize("check", [*checks.ALL, RECOVERY, FAILBACK, "proven-adapter"])
def test_unfitness_voids_met_and_a_miss_only_where_it_rests_on_what_is_unfit(check: str) -> None:
    for verdict in (MET, OPEN, MISSED):
        finding = Finding(check, None, verdict, "why")
        assert _void(finding, fit()) == finding
        for unfit in [*((c,) for c in CONDITIONS), *permutations(CONDITIONS, 2)]:
            stands = verdict is MISSED and not voids(check) & set(unfit)
            assert _void(finding, fit(*unfit)) == replace(
                finding, verdict=verdict if stands else INVALID
            ), (verdict, unfit)


@pytest.mark.parametrize(
    ("verdict", "unfit", "found"),
    [
        (MISSED, (), MISSED), (MISSED, ("read-back",), MISSED), (MISSED, ("uninterrupted",), INVALID),
        (MET, ("read-back",), INVALID), (MET, (), MET),
    ],
)  # fmt: skip
def test_what_is_told_of_access_is_voided_as_its_check_is(
    verdict: Verdict, unfit: tuple[str, ...], found: Verdict
) -> None:
    judged = AccessJudgement(
        "role", verdict, "why", 3, 2, 1, 0, 1, 0, 1, 2, 3, None, None
    )  # fmt: skip
    assert _void_access(judged, fit(*unfit)) == replace(judged, verdict=found)


def test_the_gravest_wins_in_whatever_order() -> None:
    order = (MET, OPEN, MISSED)
    for count in (1, 2, 3):
        for some in product(order, repeat=count):
            assert gravest(list(some)) is max(some, key=order.index)
    assert gravest([]) is OPEN


def test_what_was_voided_wins_over_all_but_a_miss() -> None:
    for some in product((MET, OPEN, MISSED, INVALID), repeat=3):
        without = [v for v in some if v is not INVALID]
        voided = INVALID in some and MISSED not in some
        assert _combined(list(some)) is (INVALID if voided else gravest(without))
    assert _combined([]) is OPEN


def test_every_verdict_ends_with_its_own_code() -> None:
    assert {str(v): v.exit_code for v in Verdict} == {
        "met": 0, "missed": 1, "inconclusive": 3, "invalid": 4, "error": 5,
    }  # fmt: skip


PLAN, SEEN = run()


@pytest.mark.parametrize(
    ("named", "of_workload", "of_platform"),
    [
        ((checks.rto, checks.rpo, checks.stores_agree), ["rto", "rpo"], ["stores-agree"]),
        ((checks.stores_agree, checks.runbook_done), [], ["stores-agree", "runbook-done"]),
        ((checks.rpo,), ["rpo"], []),
        ((), [], []),
    ],
)
@pytest.mark.parametrize("writes", [True, False])
def test_a_platform_that_lacks_what_is_asked_leaves_every_check_open_by_its_name(
    named: tuple[checks.Check, ...], of_workload: list[str], of_platform: list[str], writes: bool
) -> None:
    (orders,) = PLAN.targets.workloads
    bare = orders if writes else replace(orders, rpo_s=None)
    plan = replace(
        PLAN, scenario=replace(PLAN.scenario, checks=named),
        targets=replace(PLAN.targets, workloads=(bare,)),
    )  # fmt: skip
    why = "skipped: platform embedded lacks tenants"
    found = judge(plan, replace(SEEN, observation=replace(SEEN.observation, skipped=why)))
    assert (found.verdict, found.reasons, found.fitness) == (OPEN, (why,), ())
    (judged,) = found.workloads
    kept = [name for name in of_workload if writes or name != "rpo"]
    assert [(f.check, f.workload, f.verdict, f.reason) for f in judged.findings] == [
        (name, Workload.ORDER_CAPTURE, OPEN, why) for name in kept
    ]
    assert (judged.verdict, judged.rto, judged.rpo) == (OPEN, None, None)
    assert [(f.check, f.workload, f.verdict, f.reason) for f in found.findings] == [
        (name, None, OPEN, why) for name in of_platform
    ]


def names(plan=PLAN, seen=SEEN) -> list[str]:
    measures = Measures(plan, seen)
    return [f.check for f in platform_findings(measures, measures.workloads())]


def test_the_platform_answers_for_what_no_workload_does_in_the_order_of_the_reports() -> None:
    assert names() == ["stores-agree", "recovery"]
    back = replace(PLAN, scenario=replace(PLAN.scenario, failback=RecoverySpec("failback", 30)))
    assert names(back) == ["stores-agree", "recovery", "failback"]
    unproven = replace(PLAN, platform=replace(PLAN.platform, unproven=("a", "b")))
    assert names(unproven)[-1] == "proven-adapter"
    for kept, found in (((checks.rto,), ["recovery"]), ((checks.rpo,), []),
                        ((checks.stores_agree,), ["stores-agree"])):  # fmt: skip
        assert names(replace(PLAN, scenario=replace(PLAN.scenario, checks=kept))) == found
    assert SEEN.first is not None
    stray = replace(SEEN, first=replace(SEEN.first, foreign=2))
    assert names(seen=stray) == ["stores-agree", "rpo", "recovery"]
    assert "rpo" not in names(
        replace(PLAN, scenario=replace(PLAN.scenario, checks=(checks.rto,))), stray
    )
    every = replace(PLAN, scenario=replace(PLAN.scenario, checks=tuple(checks.ALL.values())))
    found = names(every)
    assert set(found) >= set(checks.ALL) - {"rto", "rpo"}
    assert found[-1] == "runbook-done"


def test_the_stores_are_held_against_each_other_by_the_last_look_that_was_taken() -> None:
    assert SEEN.first is not None
    assert SEEN.second is not None
    told = replace(SEEN.second, disagreements=("order 7 has no picking",))
    before = replace(SEEN.first, disagreements=("order 7 has no picking",))

    def verdict(**looks: object) -> Verdict:
        measures = Measures(PLAN, replace(SEEN, **looks))  # type: ignore[arg-type]
        return platform_findings(measures, ())[0].verdict

    assert verdict() is MET
    assert verdict(second=told) is MISSED
    assert verdict(first=before) is MET, "replay mended it"
    assert verdict(first=before, second=None) is MISSED


def test_an_attacker_s_log_that_cannot_be_judged_is_inconclusive_and_its_table_is_empty(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def crash(_: object) -> None:
        raise ValueError("no such class")

    monkeypatch.setattr("harness.core.measures.access", crash)
    named = (checks.access_revoked,)
    found = judge(replace(PLAN, scenario=replace(PLAN.scenario, checks=named)), SEEN)
    (finding,) = [f for f in found.findings if f.check == "access-revoked"]
    assert finding.verdict is OPEN
    assert finding.reason == (
        "platform: the check access-revoked crashed: ValueError: no such class"
    )
    assert found.access == ()


@pytest.mark.parametrize(
    ("restored", "looked", "told"),
    [
        (True, None, "what the restore itself lost is not known: nobody looked after it"),
        (True, False, "what the restore itself lost is not known: not read whole: away"),
        (False, None, None),
    ],
)
def test_a_restore_that_nobody_saw_whole_is_a_note_and_none_is_none(
    restored: bool, looked: bool | None, told: str | None
) -> None:
    marks = (*SEEN.timeline.marks, *([Mark(MarkName.RESTORED, 1, 2)] if restored else []))
    assert SEEN.first is not None
    half = replace(SEEN.first, name="restored", complete=False, why_incomplete="away")
    seen = replace(SEEN, timeline=Timeline(marks), restored=None if looked is None else half)
    notes = [n for n in judge(PLAN, seen).notes if n.startswith("what the restore")]
    assert notes == ([] if told is None else [told])


def test_a_restore_whose_cost_cannot_be_counted_is_a_note_and_ends_no_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def crash(*_: object, **__: object) -> None:
        raise KeyError("gone")

    monkeypatch.setattr("harness.core.platform_findings.restoration", crash)
    found = judge(PLAN, SEEN)
    assert "what the restore cost is not known: KeyError: 'gone'" in found.notes
    assert (found.verdict, found.restoration, found.unprotected) == (MET, (), None)


@pytest.mark.parametrize(
    ("settled", "there_later", "gated"),
    [(True, True, "second"), (False, True, "first"), (True, False, "first")],
)
@pytest.mark.parametrize("count", [1, 5])
def test_where_no_effect_was_seen_the_look_after_replay_is_gated_once_it_brought_something(
    settled: bool, there_later: bool, gated: str, count: int
) -> None:
    plan, seen = run(null=True)
    assert seen.first is not None
    assert seen.second is not None
    o = seen.first.survivors
    without = replace(seen.first, survivors=o.at(range(count, len(o))))  # type: ignore[arg-type]
    seen = replace(
        seen, first=without, second=seen.second if there_later else replace(without, name="second"),
        observation=replace(seen.observation, replay_ended_ns=1 if settled else None),
    )  # fmt: skip
    (judged,) = Measures(plan, seen).workloads()
    assert judged.rpo is not None
    assert judged.rpo.gated_read_back == gated
    assert judged.rpo.before_replay.lost == count
    assert judged.rpo.gated.lost == (0 if gated == "second" else count)


def test_the_reference_alert_is_told_after_the_latest_t_f_and_for_its_own_workload() -> None:
    plan, seen = simulate.evidence(
        outage_s=6.0, after_s=15.0, hit=frozenset({Workload.ORDER_CAPTURE})
    )
    found = {w.workload: w.rto for w in Measures(plan, seen).workloads()}
    fired = {w for w, rto in found.items() if rto and rto.burn_rate_alert_ns is not None}
    assert fired == {Workload.ORDER_CAPTURE}
    orders = found[Workload.ORDER_CAPTURE]
    assert orders is not None
    assert orders.burn_rate_alert_ns is not None
    assert 0 < orders.burn_rate_alert_ns < 6 * S
    assert {w: rto.target_ns for w, rto in found.items() if rto} == {
        t.workload: round(t.rto_s * S) for t in plan.targets.workloads
    }
