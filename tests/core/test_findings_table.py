"""Findings from values made by hand: on its limit is within it, one step beyond is not, and in which words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.core import checks
from harness.core.evidence import Evidence, ReadBack
from harness.core.measured_findings import doubt, gate_recovery, gate_rpo, gate_rto, gate_stores
from harness.core.operation import Workload
from harness.core.plan import Plan
from harness.core.proof_findings import against_unnamed, gate_runbook
from harness.core.proofs import Proof, StepRecord
from harness.core.scenario import RecoverySpec
from harness.core.timeline import Mark, MarkName, Timeline
from harness.core.verdict import RecoveryPoint, RecoveryTime, Verdict, WriteCounts
from tests.core import simulate
from tests.core.judged_runs import ORDERS_ALONE, run
from tests.core.simulated_recovery import scenario

S = 10**9
MET, MISSED, OPEN = Verdict.MET, Verdict.MISSED, Verdict.INCONCLUSIVE
ORDERS, TILLS = Workload.ORDER_CAPTURE, Workload.POINT_OF_SALE


def point(
    *, target_s: float | None = 10.0, lost_max: int | None = None, **counts: int
) -> RecoveryPoint:
    gated = WriteCounts(**{"acked": 900, **counts})
    target_ns = None if target_s is None else round(target_s * S)
    return RecoveryPoint(target_ns, lost_max, gated, WriteCounts(), "second")


@pytest.mark.parametrize(
    ("found", "verdict", "told"),
    [
        (point(), MET, "0 of 900 acknowledged orders lost"),
        (point(lost=3, lost_max=3, achieved_ns=S), MET, "; 1 s back, objective 10 s"),
        (point(lost=4, lost_max=3), MISSED, "; 3 allowed"),
        (point(lost=4, lost_max=0), MISSED, "; 0 allowed"),
        (point(lost=4, achieved_ns=10 * S), MET, "; 10 s back, objective 10 s"),
        (point(lost=4, achieved_ns=10 * S + 1), MISSED, "; 10.1 s back, objective 10 s"),
        (point(lost=4, achieved_ns=10 * S, widened_by_ns=1), OPEN, "; 9.9-10.1 s back, objective 10 s"),
        (point(lost=4, achieved_ns=10 * S + 1, widened_by_ns=1), OPEN, "; 10.0-10.1 s back, objective 10 s"),
        (point(lost=4, achieved_ns=10 * S + 2, widened_by_ns=1), MISSED, "; 10.1 s back, objective 10 s"),
        (point(lost=4, achieved_ns=2 * S, widened_by_ns=3 * S), MET, "; 0.0-5.0 s back, objective 10 s"),
        (point(ghost=1), MISSED, "; 1 ghost; none allowed"),
        (point(acked=0), OPEN, "order-capture: no write acknowledged"),
        (point(acked=0, stale=1), MISSED, "none allowed"),
        (point(waiting=1), OPEN, "1 not stored, and the queue was not seen drained"),
        (point(acked=1), MET, "0 of 1 acknowledged orders lost"),
        (point(target_s=None, lost=4), MET, "; 0 s back, objective 0 s"),
    ],
)  # fmt: skip
def test_counts_against_their_objective(found: RecoveryPoint, verdict: Verdict, told: str) -> None:
    made = gate_rpo(ORDERS, found, "EUR")
    assert (made.check, made.workload, made.verdict) == ("rpo", ORDERS, verdict)
    assert made.reason.endswith(told)
    assert "back, objective" not in made.reason.replace(told, "")


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (point(lost=1, absent=2, lost_max=2), "1 lost for certain; with the 2 of unknown outcome"),
        (point(lost=1, absent=1, lost_max=2), ""),
        (point(lost=0, absent=0, lost_max=0), ""),
        (point(lost=3, absent=1, lost_max=2), ""),
        (point(lost=1, absent=9, lost_max=None), ""),
        (point(lost=1, absent=9, lost_max=2, achieved_ns=11 * S), ""),
        (point(lost=1, absent=9, lost_max=2, achieved_ns=11 * S, widened_by_ns=S), "at most 10"),
    ],
)
def test_what_is_not_known_to_be_lost_is_told_where_it_would_be_too_much(
    found: RecoveryPoint, told: str
) -> None:
    note = doubt(ORDERS, found)
    assert told in note
    assert bool(note) is bool(told)


def time(low_s: float, high_s: float | None, **more: object) -> RecoveryTime:
    high_ns = None if high_s is None else round(high_s * S)
    made = RecoveryTime(
        target_ns=60 * S, low_ns=round(low_s * S), high_ns=high_ns, recovered=high_ns is not None,
        observed_until_ns=90 * S, resolution_ns=0, widened_by_ns=0,
    )  # fmt: skip
    return replace(made, **more)  # type: ignore[arg-type]


LATENT = {"outage_low_ns": 30 * S, "outage_high_ns": 40 * S, "first_bad_ns": 50 * S}


@pytest.mark.parametrize(
    ("found", "clock", "verdict"),
    [
        (time(50, 60), "fault", MET),
        (time(50, 60.1), "fault", OPEN),
        (time(60, 61), "fault", OPEN),
        (time(60.1, 61), "fault", MISSED),
        (time(80, 90, **LATENT), "fault", MISSED),
        (time(80, 90, **LATENT), "outage", MET),
        (time(80, 90), "outage", MISSED),
        (time(80, None, **{**LATENT, "outage_high_ns": None}), "outage", OPEN),
        (time(80, None, **{**LATENT, "outage_high_ns": None, "observed_until_ns": 110 * S}), "outage", MISSED),
        (time(80, None, **{**LATENT, "outage_high_ns": None, "observed_until_ns": 110 * S - 1}), "outage", OPEN),
        (time(20, None, observed_until_ns=60 * S), "fault", MISSED),
        (time(20, None, observed_until_ns=60 * S - 1), "fault", OPEN),
        (time(20, None, well_at_end=True), "fault", OPEN),
    ],
)  # fmt: skip
def test_a_recovery_time_against_its_objective(
    found: RecoveryTime, clock: str, verdict: Verdict
) -> None:
    assert gate_rto(ORDERS, found, clock).verdict is verdict


def test_who_was_watched_for_too_short_is_told_for_how_long() -> None:
    short = gate_rto(ORDERS, time(20, None, observed_until_ns=59 * S), "fault")
    assert short.reason.endswith("; watched for only 59.0 s")
    latent = time(80, None, **{**LATENT, "outage_high_ns": None, "observed_until_ns": 20 * S})
    assert gate_rto(ORDERS, latent, "outage").reason.endswith("watched for only 0.0 s")
    for found in (time(50, 60), time(50, 61), time(20, None), time(61, None, observed_until_ns=9)):
        assert "watched" not in gate_rto(ORDERS, found, "fault").reason


@pytest.mark.parametrize(
    ("found", "verdict", "told"),
    [
        ([(ORDERS, time(9, 10)), (TILLS, time(20, 30))], MET, "point-of-sale, back after 30.0 s, limit 30 s"),
        ([(ORDERS, time(9, 30.1)), (TILLS, time(20, 21))], OPEN, "point-of-sale, back after 30.1 s, limit 30 s"),
        ([(ORDERS, time(30.1, 31)), (TILLS, time(20, 21))], MISSED, "order-capture, back after 31.0 s"),
        ([(ORDERS, time(9, None)), (TILLS, time(20, 21))], MISSED, "point-of-sale, not back, limit 30 s"),
        ([(ORDERS, time(9, None, observed_until_ns=30 * S)), (TILLS, time(2, 3))], MISSED, "not back"),
        ([(ORDERS, time(9, None, observed_until_ns=30 * S - 1)), (TILLS, time(2, 3))], OPEN, "not back"),
        ([(ORDERS, time(9, None, well_at_end=True)), (TILLS, time(2, 3))], OPEN, "not back"),
        ([], OPEN, "recovery: nothing was watched"),
    ],
)  # fmt: skip
def test_the_recovery_s_own_limit_is_for_the_last_workload(
    found: list[tuple[Workload, RecoveryTime]], verdict: Verdict, told: str
) -> None:
    made = gate_recovery(found, 30)
    assert made.verdict is verdict
    assert told in made.reason


def look(*disagreements: str, complete: bool = True) -> ReadBack:
    seen = run()[1].second
    assert seen is not None
    return replace(seen, complete=complete, why_incomplete="no", disagreements=disagreements)


@pytest.mark.parametrize(
    ("seen", "settled", "verdict", "told"),
    [
        (None, True, OPEN, "stores: never read back"),
        (look(complete=False), True, OPEN, "stores: not read whole: no"),
        (look("a", complete=False), True, OPEN, "stores: not read whole: no"),
        (look("a"), False, MISSED, "stores disagree: a"),
        (look("a", "b"), True, MISSED, "stores disagree: a (and 1 more)"),
        (look("a", "b", "c"), True, MISSED, "stores disagree: a (and 2 more)"),
        (look(), False, OPEN, "stores: queues and replay had not settled, so partners could not be asked"),
        (look(), True, MET, "orders, stock, ledger and partners agree"),
    ],
)  # fmt: skip
def test_whether_the_stores_agree(
    seen: ReadBack | None, settled: bool, verdict: Verdict, told: str
) -> None:
    made = gate_stores(seen, settled=settled)
    assert (made.verdict, made.reason) == (verdict, told)


BOOK = "restore"


def step(
    name: str = "close", *, done: bool = True, book: str = BOOK, ended_s: float = 5.0
) -> StepRecord:
    return StepRecord(book, name, "", "", "lead", 2 * S, round(ended_s * S), done, f"{name} seen")


def proof(ok: bool | None, told: str = "p", check: str = checks.runbook_done.name) -> Proof:
    return Proof(check, "step", "it", ok, told, 1)


def of_runbook(
    *steps: StepRecord, proofs: tuple[Proof, ...] = (), ended: bool = True, fault_s: float | None = 1.0,
    runbook: str = BOOK, failback: str = "", back: bool = True,
) -> tuple[Verdict, str]:  # fmt: skip
    marks = (
        [Mark(MarkName.FAULT_ACTIVE, round(fault_s * S), round(fault_s * S) + 9)] if fault_s else []
    )
    marks += [Mark(MarkName.RECOVERY_ENDED, 9 * S, 9 * S)] if ended else []
    marks += [Mark(MarkName.FAILBACK_ENDED, 9 * S, 9 * S)] if back else []
    asked = replace(
        scenario(checks.runbook_done), recovery=RecoverySpec(runbook, 60),
        failback=RecoverySpec(failback, 60) if failback else None,
    )  # fmt: skip
    plan: Plan = simulate.plan_of(targets=ORDERS_ALONE, scenario=asked)
    seen: Evidence = replace(run()[1], timeline=Timeline(tuple(marks)), steps=steps, proofs=proofs)
    found = gate_runbook(plan, seen)
    return found.verdict, found.reason.removeprefix("runbook-done: ")


def test_a_runbook_is_done_when_every_step_was_seen_and_it_came_to_its_end() -> None:
    assert of_runbook(step()) == (MET, "1 steps, the last seen 4.0 s after the fault")
    both = step(), step("open", ended_s=7.0)
    assert of_runbook(*both) == (MET, "2 steps, the last seen 6.0 s after the fault")
    assert of_runbook(*both, fault_s=None) == (
        MET,
        "2 steps, the last seen 5.0 s after the first began",
    )
    assert of_runbook(step(ended_s=0.5))[1].endswith("the last seen 0.0 s after the fault")
    other = step(book="failback", ended_s=30.0)
    assert of_runbook(*both, other)[1].startswith("2 steps, the last seen 6.0 s")
    assert of_runbook(*both, runbook="automatic", ended=False)[0] is MET


@pytest.mark.parametrize(
    ("failed", "told"), [(1, "a of restore was not seen: a seen"), (2, "a seen (and 1 more)"), (3, "a seen (and 2 more)")]
)  # fmt: skip
def test_a_step_that_was_not_seen_is_missed(failed: int, told: str) -> None:
    verdict, why = of_runbook(step(), *(step(name, done=False) for name in "abc"[:failed]))
    assert verdict is MISSED
    assert why.endswith(told)


def test_what_keeps_a_runbook_from_being_done() -> None:
    assert of_runbook() == (OPEN, "no step was taken: restore")
    assert of_runbook(step(book="another")) == (OPEN, "no step was taken: restore")
    assert of_runbook(runbook="automatic") == (
        OPEN,
        "no step was taken: the recovery has no runbook",
    )
    assert of_runbook(step(), failback="home") == (OPEN, "no step was taken: home")
    home = step(book="home")
    assert of_runbook(step(), home, failback="home", back=False) == (
        OPEN,
        "home was not seen to end",
    )
    assert of_runbook(step(), home, failback="home")[0] is MET
    assert of_runbook(step(), ended=False) == (OPEN, "restore was not seen to end")
    assert of_runbook(step(), proofs=(proof(False, "x"), proof(None))) == (MISSED, "x")
    assert of_runbook(proofs=(proof(False, "x"), proof(False))) == (MISSED, "x (and 1 more)")
    assert of_runbook(step(), proofs=(proof(None, "x"),)) == (OPEN, "not found out: x")
    assert of_runbook(step(), proofs=(proof(True),))[0] is MET
    assert of_runbook(step(), proofs=(proof(False, check="audit-kept"),))[0] is MET


def test_harm_under_another_check_is_told_and_soundness_is_not() -> None:
    plan = simulate.plan_of(targets=ORDERS_ALONE, scenario=scenario(checks.runbook_done))
    told = (proof(False), proof(False, "y", "audit-kept"), proof(True, "z", "audit-kept"),
            proof(None, "z", "audit-kept"))  # fmt: skip
    assert against_unnamed(plan, told) == ("audit-kept, which the scenario does not name: y",)
