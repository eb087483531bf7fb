"""What a queue has acknowledged and nobody saw worked off: not lost, not safe, and not a pass."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core.evidence import Evidence, ReadBack, Survivors
from harness.core.judge import judge
from harness.core.money import money
from harness.core.operation import Workload
from harness.core.plan import Plan
from harness.core.targets import Targets
from harness.core.verdict import Judgement, RecoveryPoint, Verdict, WriteCounts
from tests.core import simulate
from tests.core.simulate import MS, ORDERS, Defects, Restore, S

QUEUED = Workload.MARKETPLACE


@pytest.fixture(scope="module")
def honest() -> tuple[Plan, Evidence]:
    return simulate.evidence()


def unsettled(seen: Evidence) -> Evidence:
    return replace(seen, observation=replace(seen.observation, replay_ended_ns=None))


def without(look: ReadBack | None, count: int, workload: Workload = QUEUED) -> ReadBack:
    """The look without the workload's last records."""
    assert look is not None
    own = look.survivors.workload == workload.code
    keep = ~(own & (np.cumsum(own) > own.sum() - count))
    rows = {f.name: getattr(look.survivors, f.name)[keep] for f in fields(Survivors)}
    return replace(look, survivors=Survivors(**rows))


def of(found: Judgement, workload: Workload) -> RecoveryPoint:
    rpo = next(w.rpo for w in found.workloads if w.workload is workload)
    assert rpo is not None
    return rpo


def verdict_of(found: Judgement, workload: Workload = QUEUED) -> Verdict:
    return next(w.verdict for w in found.workloads if w.workload is workload)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 30), st.integers(0, 30))
def test_a_queue_that_nobody_saw_drained_makes_no_loss_and_no_pass(early: int, late: int) -> None:
    """Whatever waits at either look, unless it had been stored: that cannot wait any more."""
    plan, seen = simulate.evidence()
    early = max(early, late)
    looks = {"first": without(seen.first, early), "second": without(seen.second, late)}
    found = judge(plan, replace(unsettled(seen), **looks))
    rpo = of(found, QUEUED)
    assert (rpo.gated.lost, rpo.gated.violations) == (0, 0)
    assert rpo.gated.waiting == early
    assert rpo.gated.replayed == early - late
    assert rpo.gated.achieved_ns == 0
    assert verdict_of(found) is Verdict.INCONCLUSIVE
    assert found.verdict is Verdict.INCONCLUSIVE


def test_the_same_where_the_queue_was_seen_drained_is_a_loss(honest) -> None:
    plan, seen = honest
    looks = {"first": without(seen.first, 5), "second": without(seen.second, 5)}
    found = judge(plan, replace(seen, **looks))
    assert (of(found, QUEUED).gated.lost, of(found, QUEUED).gated.waiting) == (5, 0)
    assert verdict_of(found) is Verdict.MISSED


def test_what_was_stored_once_and_is_gone_is_lost_even_so(honest) -> None:
    plan, seen = honest
    found = judge(plan, replace(unsettled(seen), second=without(seen.second, 3)))
    assert (of(found, QUEUED).gated.lost, of(found, QUEUED).gated.waiting) == (3, 0)
    assert verdict_of(found) is Verdict.MISSED


def test_what_no_queue_acknowledges_is_lost_even_so(honest) -> None:
    plan, seen = honest
    looks = {n: without(getattr(seen, n), 2, ORDERS) for n in ("first", "second")}
    found = judge(plan, replace(unsettled(seen), **looks))
    assert of(found, ORDERS).gated.lost == 2
    assert verdict_of(found, ORDERS) is Verdict.MISSED


def test_where_nobody_looked_twice_nobody_saw_the_queue_drained(honest) -> None:
    plan, seen = honest
    found = judge(plan, replace(seen, first=without(seen.first, 4), second=None))
    assert (of(found, QUEUED).gated.lost, of(found, QUEUED).gated.waiting) == (0, 4)
    assert verdict_of(found) is Verdict.INCONCLUSIVE


def test_the_reason_and_the_examples_name_them(honest) -> None:
    plan, seen = honest
    looks = {n: without(getattr(seen, n), 2) for n in ("first", "second")}
    found = judge(plan, replace(unsettled(seen), **looks))
    reasons = [f.reason for w in found.workloads if w.workload is QUEUED for f in w.findings]
    assert any("2 not stored, and the queue was not seen drained" in r for r in reasons)
    assert [e.split()[0] for e in of(found, QUEUED).examples] == ["waiting"] * 2


def test_a_null_run_whose_queue_drained_late_has_lost_nothing() -> None:
    plan, seen = simulate.evidence(null=True)
    found = judge(plan, replace(seen, first=without(seen.first, 6)))
    assert of(found, QUEUED).gated.replayed == 6
    assert of(found, QUEUED).gated.lost == 0
    assert found.verdict is Verdict.INVALID


def test_what_waits_is_neither_safe_money_nor_surely_lost(honest) -> None:
    plan, seen = honest
    looks = {n: without(getattr(seen, n), 4) for n in ("first", "second")}
    surely = next(w for w in money(plan, seen).workloads if w.workload is QUEUED).risk
    perhaps = next(
        w for w in money(plan, replace(unsettled(seen), **looks)).workloads if w.workload is QUEUED
    ).risk
    assert surely is not None
    assert perhaps is not None
    assert perhaps.low == surely.low
    assert perhaps.high.count > surely.high.count


def test_what_a_restore_took_and_a_queue_may_hold_is_not_lost_for_good() -> None:
    cost = Restore(workload=QUEUED, gone=3)
    plan, seen = simulate.evidence(restore=cost, hit=frozenset(Workload))
    sure = next(r for r in judge(plan, seen).restoration if r.workload is QUEUED)
    found = judge(plan, unsettled(seen)).restoration
    mine = next(r for r in found if r.workload is QUEUED)
    assert (sure.gone, sure.waiting) == (3, 0)
    assert (mine.gone, mine.waiting, mine.spoiled) == (0, 3, 0)
    assert mine.lost == sum(n or 0 for n in (mine.back, mine.gone, mine.spoiled, mine.waiting))


LAX = replace(simulate.TARGETS.workloads[0], rpo_s=300, lost_max=None)


def point(rpo_s: float, error_ns: int) -> tuple[Verdict, WriteCounts]:
    """Three orders lost before the fault, by the ledger of a worker whose clock is elsewhere."""
    plan = simulate.plan_of(targets=Targets((replace(LAX, rpo_s=rpo_s),)))
    plan, seen = simulate.evidence(plan=plan, defects=Defects(lost=3))
    observed = replace(seen.observation, clock_error_ns=error_ns)
    found = judge(plan, replace(seen, observation=observed))
    (workload,) = found.workloads
    (rpo,) = [f for f in workload.findings if f.check == "rpo"]
    return rpo.verdict, of(found, ORDERS).gated


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 500), st.integers(1, 2000))
def test_rpo_in_seconds_is_as_wide_as_the_workers_clocks(error_ms: int, rpo_ms: int) -> None:
    """Met only if the whole interval is within, missed only if all of it is beyond."""
    verdict, counts = point(rpo_ms / 1000, error_ms * MS)
    achieved_ns, sharp = point(300, 0)[1].achieved_ns, point(300, 0)[1]
    assert counts.achieved_ns == achieved_ns
    assert sharp.widened_by_ns == 0
    wide_ns = counts.widened_by_ns  # one end is t_F, which is the run's own, as far as that is sure
    assert error_ms * MS <= wide_ns <= 2 * error_ms * MS
    low_ns, high_ns = achieved_ns - wide_ns, achieved_ns + wide_ns
    if high_ns <= rpo_ms * MS:
        assert verdict is Verdict.MET
    elif low_ns > rpo_ms * MS:
        assert verdict is Verdict.MISSED
    else:
        assert verdict is Verdict.INCONCLUSIVE


def test_nothing_lost_is_zero_whatever_the_clocks_say(honest) -> None:
    plan, seen = honest
    observed = replace(seen.observation, clock_error_ns=S)
    found = judge(plan, replace(seen, observation=observed))
    assert {w.rpo.gated.widened_by_ns for w in found.workloads if w.rpo} == {0}
    assert found.verdict is Verdict.MET
