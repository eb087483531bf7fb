"""From when to when a run is watched, by which look its writes are gated, and what has no number."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from harness.core import checks
from harness.core.evidence import Evidence
from harness.core.fitness import lag_of, window_ns
from harness.core.measures import Measures
from harness.core.plan import Plan
from harness.core.scenario import RecoverySpec
from harness.core.timeline import Mark, MarkName, Timeline
from harness.core.verdict import RecoveryPoint, Verdict
from tests.core.judged_runs import run
from tests.core.simulate import Defects

S = 10**9
PLAN, SEEN = run()
MET, MISSED, OPEN = Verdict.MET, Verdict.MISSED, Verdict.INCONCLUSIVE


def marked(*marks: Mark, seen: Evidence = SEEN, without: tuple[MarkName, ...] = ()) -> Evidence:
    kept = tuple(m for m in seen.timeline.marks if m.name not in without)
    return replace(seen, timeline=Timeline((*kept, *marks)))


def observed(seen: Evidence = SEEN, **changed: object) -> Evidence:
    return replace(seen, observation=replace(seen.observation, **changed))  # type: ignore[arg-type]


ENDS = (MarkName.OBSERVATION_ENDED, MarkName.FAILBACK_BEGUN)
STOP = SEEN.load_stopped_ns


@pytest.mark.parametrize(
    ("marks", "until"),
    [
        ((), 0),
        ((Mark(ENDS[0], STOP - 3, STOP - 1),), -3),
        ((Mark(ENDS[1], STOP - 5, STOP - 4),), -5),
        ((Mark(ENDS[0], STOP - 3, STOP - 1), Mark(ENDS[1], STOP - 5, STOP - 4)), -5),
        ((Mark(ENDS[0], STOP + 7, STOP + 9),), 0),
    ],
)
def test_it_is_watched_until_the_first_of_its_ends(marks: tuple[Mark, ...], until: int) -> None:
    watch = Measures(PLAN, marked(*marks, without=ENDS)).watch
    fault = SEEN.timeline.first(MarkName.FAULT_ACTIVE)
    assert watch is not None
    assert fault is not None
    assert watch.until_ns == STOP + until
    assert (watch.fault_earliest_ns, watch.fault_latest_ns) == (fault.earliest_ns, fault.latest_ns)
    assert (watch.window_ns, watch.lag_ns) == (window_ns(PLAN), lag_of(SEEN))
    assert watch.canary_limit_ns == round(PLAN.limits.canary_limit_s * S)
    wide = Measures(PLAN, observed(clock_error_ns=5)).watch
    assert wide is not None
    assert wide.widened_by_ns == lag_of(SEEN) + 5


def test_without_an_effect_there_is_nothing_to_watch() -> None:
    for seen in (observed(effect_observed=False), marked(without=(MarkName.FAULT_ACTIVE,))):
        measures = Measures(PLAN, seen)
        assert measures.fault is measures.watch is None
        (judged,) = measures.workloads()
        assert judged.rto is None
        (rto,) = [f for f in judged.findings if f.check == "rto"]
        assert (rto.verdict, rto.reason) == (
            OPEN, "order-capture: no effect was observed, so nothing was timed",
        )  # fmt: skip


def test_a_workload_of_which_nothing_was_sent_is_no_pass() -> None:
    nothing = replace(SEEN, operations=SEEN.operations.where(np.zeros(len(SEEN.operations), bool)))
    (judged,) = Measures(PLAN, nothing).workloads()
    assert [f.reason for f in judged.findings if f.check == "rto"] == [
        "order-capture: no operation was sent"
    ]
    assert judged.verdict is MISSED, "what the stores hold was sent by nobody"


def rpo(plan: Plan, seen: Evidence) -> RecoveryPoint:
    (judged,) = Measures(plan, seen).workloads()
    assert judged.rpo is not None
    return judged.rpo


@pytest.mark.parametrize(("late_ns", "gated"), [(0, "second"), (-1, "second"), (1, "first")])
def test_replay_counts_where_it_ended_within_the_objective(late_ns: int, gated: str) -> None:
    plan, seen = run(defects=Defects(lost=2))
    (orders,) = plan.targets.workloads
    fault = seen.timeline.first(MarkName.FAULT_ACTIVE)
    assert fault is not None
    assert seen.second is not None
    ended = fault.latest_ns + round(orders.rto_s * S) + late_ns
    back = observed(
        replace(seen, second=replace(run()[1].second, name="second")), replay_ended_ns=ended
    )
    found = rpo(plan, back)
    assert found.gated_read_back == gated
    assert found.before_replay.lost == 2
    assert found.gated.lost == (0 if gated == "second" else 2)
    assert found.gated.replayed == 2


def test_a_second_look_that_shows_more_harm_is_gated_however_late() -> None:
    plan, bad = run(defects=Defects(lost=2))
    late = observed(replace(bad, first=replace(run()[1].first, name="first")), replay_ended_ns=None)
    found = rpo(plan, late)
    assert (found.gated_read_back, found.gated.lost, found.before_replay.lost) == ("second", 2, 0)
    same = rpo(PLAN, observed(replay_ended_ns=None))
    assert (same.gated_read_back, same.gated.lost) == ("first", 0)
    alone = rpo(PLAN, replace(SEEN, second=None))
    assert alone.gated_read_back == "first"


@pytest.mark.parametrize(
    ("first", "told"),
    [(None, "the stores were never read back"), ("no", "the stores were not whole: no")],
)
def test_stores_that_nobody_read_whole_are_no_pass(first: str | None, told: str) -> None:
    assert SEEN.first is not None
    look = None if first is None else replace(SEEN.first, complete=False, why_incomplete=first)
    (judged,) = Measures(PLAN, replace(SEEN, first=look, second=None)).workloads()
    assert judged.rpo is None
    (finding,) = [f for f in judged.findings if f.check == "rpo"]
    assert (finding.verdict, finding.reason) == (OPEN, f"order-capture: {told}")


def test_what_is_not_applicable_is_told_so_and_counts_nothing() -> None:
    (orders,) = PLAN.targets.workloads
    bare = replace(orders, rpo_s=None, rpo_not_applicable_reason="read only")
    plan = replace(PLAN, targets=replace(PLAN.targets, workloads=(bare,)))
    (judged,) = Measures(plan, SEEN).workloads()
    assert judged.rpo is not None
    assert (judged.rpo.target_ns, judged.rpo.not_applicable_reason) == (None, "read only")
    assert [f.check for f in judged.findings] == ["rto"]


@pytest.mark.parametrize("named", [(checks.rto,), (checks.rpo,), (), (checks.rto, checks.rpo)])
def test_only_what_the_scenario_names_is_judged(named: tuple[checks.Check, ...]) -> None:
    plan = replace(PLAN, scenario=replace(PLAN.scenario, checks=named))
    (judged,) = Measures(plan, SEEN).workloads()
    assert {f.check for f in judged.findings} == {c.name for c in named}
    assert (judged.rto is None) is (checks.rto not in named)
    assert (judged.rpo is None) is (checks.rpo not in named)


@pytest.mark.parametrize(("limit_s", "target_s"), [(90, 90), (None, 60)])
def test_the_way_back_is_measured_against_its_own_limit(limit_s: int | None, target_s: int) -> None:
    back = None if limit_s is None else RecoverySpec("failback", limit_s)
    plan = replace(PLAN, scenario=replace(PLAN.scenario, failback=back))
    begun = Mark(MarkName.FAILBACK_BEGUN, STOP - 12 * S, STOP - 12 * S)
    (judged,) = Measures(plan, marked(begun)).workloads()
    assert judged.failback is not None
    assert judged.failback.target_ns == target_s * S
    assert judged.failback.backlog_drained_ns is None
    assert not [f for f in judged.findings if f.check == "failback"]
    (other,) = Measures(plan, SEEN).workloads()
    assert other.failback is None


@pytest.mark.parametrize(
    ("foreign", "verdict"), [((0, 0), MET), ((1, 0), MISSED), ((2, 5), MISSED)]
)
def test_rows_of_nobody_are_counted_once_by_the_look_that_shows_most(
    foreign: tuple[int, int], verdict: Verdict
) -> None:
    assert SEEN.first is not None
    assert SEEN.second is not None
    looks = [replace(r, foreign=n) for r, n in zip((SEEN.first, SEEN.second), foreign, strict=True)]
    found = Measures(PLAN, replace(SEEN, first=looks[0], second=looks[1])).gate_strangers()
    assert found.verdict is verdict
    assert found.reason.endswith(f": {max(foreign)}") is (verdict is MISSED)
