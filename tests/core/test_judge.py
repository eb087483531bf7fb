"""The lattice: what passes, what does not, and what is never a pass."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from harness.core import checks, measured_findings, measures
from harness.core.evidence import LedgerHealth
from harness.core.judge import judge
from harness.core.operation import Workload
from harness.core.targets import Targets
from harness.core.timeline import Mark, MarkName, Timeline
from harness.core.verdict import Verdict, gravest
from harness.evidence import canonical
from tests.core import simulate
from tests.core.judged_runs import ORDERS_ALONE, judged, run, unfit
from tests.core.simulate import MS, ORDERS, Defects, S


def test_an_honest_run_is_met_and_says_so_in_plain_words() -> None:
    found = judge(*run())
    assert found.verdict is Verdict.MET
    assert unfit(found) == []
    assert found.reasons[0].startswith("Safe: ")
    assert "order-capture: down for 5.9-6.1 s, objective 60 s; 0 of " in found.reasons[0]
    assert "acknowledged orders lost" in found.reasons[0]


def test_the_null_run_is_invalid_and_names_that_no_effect_was_observed() -> None:
    found = judge(*run(null=True))
    assert found.verdict is Verdict.INVALID
    assert "no effect was observed" in found.reasons[0]
    assert unfit(found) == ["effect"]
    assert [w.verdict for w in found.workloads] == [Verdict.INVALID]


def test_a_null_run_with_a_proven_loss_is_missed() -> None:
    found = judge(*run(null=True, defects=Defects(lost=1)))
    assert found.verdict is Verdict.MISSED


def test_a_loss_is_missed_and_told_first() -> None:
    found = judge(*run(defects=Defects(lost=3)))
    assert found.verdict is Verdict.MISSED
    assert found.reasons[0].startswith("Not safe: order-capture: 3 of ")
    assert "(EUR 144.00)" in found.reasons[0]
    assert found.workloads[0].rpo is not None
    assert found.workloads[0].rpo.examples[0].startswith(f"lost pd-{simulate.RUN_ID}-0-")


def test_a_missed_objective_is_missed() -> None:
    slow = Targets((replace(ORDERS_ALONE.workloads[0], rto_s=4),))
    found = judge(*run(plan=simulate.plan_of(targets=slow)))
    assert found.verdict is Verdict.MISSED
    assert "down for 5.9-6.1 s, objective 4 s" in found.reasons[0]


def test_an_interval_across_the_objective_proves_nothing() -> None:
    close = Targets((replace(ORDERS_ALONE.workloads[0], rto_s=6.0),))
    found = judge(*run(plan=simulate.plan_of(targets=close)))
    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.reasons[0].startswith("Not proven: ")


def test_a_skipped_capability_is_inconclusive_with_its_reason() -> None:
    why = "skipped: platform embedded lacks tenants"
    found = judged(run(), skipped=why)
    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.reasons == (why,)
    assert {f.reason for w in found.workloads for f in w.findings} == {why}
    assert [f.check for f in found.workloads[0].findings] == ["rto", "rpo"]


def test_an_interrupted_run_is_invalid_unless_a_loss_is_proven() -> None:
    found = judged(run(), interrupted="SIGINT")
    assert found.verdict is Verdict.INVALID
    assert found.reasons[0] == "Not judged: the run was interrupted: SIGINT"
    assert judged(run(defects=Defects(lost=1)), interrupted="SIGINT").verdict is Verdict.MISSED
    slow = Targets((replace(ORDERS_ALONE.workloads[0], rto_s=4),))
    late = run(plan=simulate.plan_of(targets=slow))
    assert judged(late, interrupted="SIGINT").verdict is Verdict.INVALID


def test_a_check_that_crashes_is_inconclusive_with_its_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def crash(*_: object, **__: object) -> None:
        raise ValueError("no such column")

    monkeypatch.setattr(measures, "recovery_time", crash)
    found = judge(*run())
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "rto crashed: ValueError: no such column" in found.reasons[0]
    assert found.workloads[0].findings[1].verdict is Verdict.MET  # the other check stands
    monkeypatch.setattr(measures.Measures, "looks", property(crash))
    assert judge(*run()).verdict is Verdict.INVALID  # fitness itself cannot be had


def test_nothing_checked_is_inconclusive() -> None:
    bare = replace(simulate.SCENARIO, checks=[])
    found = judge(*run(plan=simulate.plan_of(targets=ORDERS_ALONE, scenario=bare)))
    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.reasons[0] == "Not proven: nothing was checked"


def test_only_named_checks_count() -> None:
    timed = replace(simulate.SCENARIO, checks=[checks.rto])
    plan = simulate.plan_of(targets=ORDERS_ALONE, scenario=timed)
    found = judge(*run(plan=plan, defects=Defects(lost=1)))
    assert found.verdict is Verdict.MET
    assert [f.check for f in found.workloads[0].findings] == ["rto"]
    assert "rpo: not named by the scenario" in found.not_checked


def test_a_workload_without_writes_stands_under_not_checked() -> None:
    reader = replace(
        simulate.TARGETS.workloads[5], rpo_s=None, rpo_not_applicable_reason="reads only"
    )
    plan = simulate.plan_of(targets=Targets((ORDERS_ALONE.workloads[0], reader)))
    found = judge(*run(plan=plan))
    assert found.verdict is Verdict.MET
    assert "finance-reporting rpo: not applicable: reads only" in found.not_checked
    assert [f.check for f in found.workloads[1].findings] == ["rto"]


def test_a_declared_gap_stays_out_of_the_lattice() -> None:
    lossless = replace(simulate.SCENARIO, checks=[checks.rpo])
    reader = replace(simulate.TARGETS.workloads[5], rpo_s=None)
    targets = Targets((ORDERS_ALONE.workloads[0], reader))
    found = judge(*run(plan=simulate.plan_of(targets=targets, scenario=lossless)))
    assert found.verdict is Verdict.MET
    assert found.workloads[1].findings == ()


def test_an_adapter_that_nobody_has_run_cannot_pass() -> None:
    facts = replace(simulate.FACTS, unproven=("kubernetes",))
    found = judge(*run(plan=simulate.plan_of(targets=ORDERS_ALONE, facts=facts)))
    assert found.verdict is Verdict.INCONCLUSIVE


def test_stores_that_disagree_are_a_violation() -> None:
    plan, seen = run()
    assert seen.second is not None
    told = replace(seen.second, disagreements=("payment of pd-x-0-1 was called twice", "and more"))
    found = judge(plan, replace(seen, second=told))
    assert found.verdict is Verdict.MISSED
    assert "called twice (and 1 more)" in found.reasons[0]


def test_queues_that_never_drained_leave_the_stores_in_doubt() -> None:
    found = judged(run(), replay_ended_ns=None)
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "had not settled" in found.reasons[0]


def test_rows_that_nobody_sent_are_a_violation() -> None:
    assert judge(*run(defects=Defects(foreign=1))).verdict is Verdict.MISSED


def test_the_recovery_has_a_limit_of_its_own() -> None:
    hasty = replace(simulate.SCENARIO, recovery=replace(simulate.SCENARIO.recovery, within_s=5))
    found = judge(*run(plan=simulate.plan_of(targets=ORDERS_ALONE, scenario=hasty)))
    assert found.verdict is Verdict.MISSED
    assert [w.verdict for w in found.workloads] == [Verdict.MET]
    assert next(f for f in found.findings if f.check == "recovery").verdict is Verdict.MISSED


def test_cut_short_before_the_target_is_inconclusive() -> None:
    plan, seen = run(outage_s=20.0, after_s=0.0)
    found = judge(plan, seen)
    assert found.workloads[0].findings[0].verdict is Verdict.INCONCLUSIVE
    assert "watched for only" in found.workloads[0].findings[0].reason


def test_never_back_when_the_target_has_passed_is_missed() -> None:
    slow = Targets((replace(ORDERS_ALONE.workloads[0], rto_s=10),))
    found = judge(*run(plan=simulate.plan_of(targets=slow), outage_s=20.0, after_s=0.0))
    assert found.workloads[0].rto is not None
    assert found.workloads[0].rto.high_ns is None
    assert found.workloads[0].findings[0].verdict is Verdict.MISSED


def test_observation_ends_where_its_mark_stands() -> None:
    plan, seen = run(after_s=25.0)
    ended = Mark(MarkName.OBSERVATION_ENDED, *[seen.load_stopped_ns - 5 * S] * 2)
    found = judge(plan, replace(seen, timeline=Timeline((*seen.timeline.marks, ended))))
    rto = found.workloads[0].rto
    assert rto is not None
    assert rto.observed_until_ns == (6 + 20) * S - 5 * MS


def test_a_replayed_loss_counts_only_before_it_when_replay_was_in_time() -> None:
    plan, seen = run(defects=Defects(replayed=2))
    assert judge(plan, seen).verdict is Verdict.MET
    rpo = judge(plan, seen).workloads[0].rpo
    assert rpo is not None
    assert (rpo.gated_read_back, rpo.gated.lost, rpo.gated.replayed) == ("second", 0, 2)
    assert rpo.before_replay.lost == 2
    late = replace(seen.observation, replay_ended_ns=seen.load_stopped_ns + 60 * S)
    found = judge(plan, replace(seen, observation=late))
    assert found.verdict is Verdict.MISSED
    assert found.workloads[0].rpo is not None
    assert found.workloads[0].rpo.gated_read_back == "first"


def test_losses_within_the_limits_are_met_and_time_gates_too() -> None:
    lax = replace(ORDERS_ALONE.workloads[0], rpo_s=300, lost_max=None)
    plan = simulate.plan_of(targets=Targets((lax,)))
    found = judge(*run(plan=plan, defects=Defects(lost=3)))
    assert found.verdict is Verdict.MET
    plan = simulate.plan_of(targets=Targets((replace(lax, rpo_s=0.1),)))
    found = judge(*run(plan=plan, defects=Defects(lost=3)))
    assert found.verdict is Verdict.MISSED
    assert "s back, objective 0.1 s" in found.reasons[0]
    plan = simulate.plan_of(targets=Targets((replace(lax, lost_max=2),)))
    assert judge(*run(plan=plan, defects=Defects(lost=3))).verdict is Verdict.MISSED


def test_doubt_about_absent_writes_is_met_with_a_note() -> None:
    found = judge(*run(mode="hang"))
    assert found.verdict is Verdict.MET
    assert any("lost for certain" in note for note in found.notes)


def test_zero_lost_comes_with_its_bound() -> None:
    found = judge(*run())
    acked = found.workloads[0].rpo.gated.acked  # type: ignore[union-attr]
    assert any(f"below 3/{acked:,} at 95%" in note for note in found.notes)


def test_split_brain_is_named() -> None:
    found = judge(*run(defects=Defects(lost_early=2)))
    assert any("split brain" in note for note in found.notes)


def test_a_degraded_mode_is_judged_by_its_lower_bar() -> None:
    degraded = replace(simulate.SCENARIO, degraded_mode=True)
    target = replace(ORDERS_ALONE.workloads[0], min_capacity=0.5)
    plan = simulate.plan_of(targets=Targets((target,)), scenario=degraded)
    rto = judge(*run(plan=plan)).workloads[0].rto
    assert rto is not None
    assert rto.full_high_ns is not None


def test_a_latent_fault_is_timed_by_the_outage() -> None:
    latent = replace(simulate.SCENARIO, rto_clock="outage")
    plan, seen = run(plan=simulate.plan_of(targets=ORDERS_ALONE, scenario=latent))
    early = Mark(MarkName.FAULT_ACTIVE, simulate.BEGUN_NS + 10 * S, simulate.BEGUN_NS + 10 * S)
    found = judge(plan, replace(seen, timeline=Timeline((early, *seen.timeline.marks))))
    rto = found.workloads[0].rto
    assert rto is not None
    assert rto.outage_high_ns is not None
    assert rto.high_ns is not None
    assert rto.outage_high_ns < rto.high_ns
    assert "down for 5.9-6.1 s" in found.reasons[0]


def test_judging_twice_gives_the_same_bytes() -> None:
    one, two = (canonical.dumps(judge(*run(defects=Defects(lost=1)))) for _ in range(2))
    assert one == two
    json.loads(one, parse_float=pytest.fail)  # integers only


def test_the_gravest_wins() -> None:
    order = [Verdict.MET, Verdict.INCONCLUSIVE, Verdict.MISSED]
    for i, one in enumerate(order):
        for j, other in enumerate(order):
            assert gravest([one, other]) is order[max(i, j)]


def test_workloads_keep_the_order_of_the_targets() -> None:
    found = judge(*simulate.evidence(outage_s=4.0, after_s=12.0))
    assert [w.workload for w in found.workloads] == list(Workload)
    assert found.verdict is Verdict.MET


def test_an_empty_evidence_is_never_a_pass() -> None:
    plan, seen = run()
    nothing = seen.operations.where(seen.operations.seq < 0)
    empty = replace(seen, operations=nothing, ledgers=(LedgerHealth(0, True, 0, 0, 0, 0, 0),))
    found = judge(plan, empty)
    assert found.verdict is not Verdict.MET
    assert measured_findings.gate_recovery([], 5).verdict is Verdict.INCONCLUSIVE
    assert ORDERS in [w.workload for w in found.workloads]
