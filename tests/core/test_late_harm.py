"""What comes late speaks against a platform, never for it; and an instrument that gave up says so."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from harness.core.evidence import Evidence, Survivors
from harness.core.judge import judge
from harness.core.operation import Workload
from harness.core.plan import Plan
from harness.core.timeline import Mark, MarkName
from harness.core.verdict import Judgement, Verdict
from tests.core import simulate

S = 1_000_000_000


def late(seen: Evidence) -> Evidence:
    """Queues settled long after every objective."""
    observation = replace(seen.observation, replay_ended_ns=seen.load_stopped_ns + 5000 * S)
    return replace(seen, observation=observation)


def without_first_orders(survivors: Survivors, count: int) -> Survivors:
    own = survivors.workload == Workload.ORDER_CAPTURE.code
    keep = ~(own & (own.cumsum() <= count))
    return Survivors(**{f.name: getattr(survivors, f.name)[keep] for f in fields(survivors)})


def verdict(plan: Plan, seen: Evidence) -> Judgement:
    return judge(plan, seen)


@pytest.fixture(scope="module")
def honest() -> tuple[Plan, Evidence]:
    return simulate.evidence()


def test_an_honest_run_that_settled_late_is_met_by_its_first_look(honest) -> None:
    plan, seen = honest
    found = verdict(plan, late(seen))
    assert found.verdict is Verdict.MET
    assert all(w.rpo is None or w.rpo.gated_read_back == "first" for w in found.workloads)


def test_a_loss_that_only_a_late_second_look_shows_is_a_loss(honest) -> None:
    plan, seen = honest
    assert seen.second
    second = replace(seen.second, survivors=without_first_orders(seen.second.survivors, 5))
    found = verdict(plan, late(replace(seen, second=second)))
    assert found.verdict is Verdict.MISSED
    (orders,) = [w for w in found.workloads if w.workload is Workload.ORDER_CAPTURE]
    assert orders.rpo
    assert orders.rpo.gated.lost > 0


def test_a_ledger_that_its_worker_could_not_close_passes_nothing(honest) -> None:
    plan, seen = honest
    ledgers = tuple(replace(ledger, closed=False) for ledger in seen.ledgers)
    found = verdict(plan, replace(seen, ledgers=ledgers))
    assert found.verdict is Verdict.INVALID
    assert any("left open" in reason for reason in found.reasons)


def test_a_fault_that_was_spoiled_after_its_effect_passes_nothing(honest) -> None:
    plan, seen = honest
    mark = Mark(MarkName.FAULT_SPOILED, seen.load_stopped_ns, seen.load_stopped_ns, "came back")
    marks = (*seen.timeline.marks, mark)
    found = verdict(plan, replace(seen, timeline=replace(seen.timeline, marks=marks)))
    assert found.verdict is Verdict.INVALID
    assert any("came back" in reason for reason in found.reasons)
