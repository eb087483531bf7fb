"""Several workloads at once: what one did well makes up for nothing that another lacks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core.arrivals import Arrivals, arrivals_of
from harness.core.evidence import Evidence
from harness.core.fitness import baseline, fitness
from harness.core.measures import Measures
from harness.core.money import money
from harness.core.money_values import Cost, Sum
from harness.core.operation import Kind, Outcome, Workload
from harness.core.operations import Operations
from harness.core.orders import Backlog
from harness.core.plan import Plan
from harness.core.run_times import RunTimes
from harness.core.targets import Targets
from harness.core.timeline import Mark, MarkName, Timeline
from harness.core.verdict import FitnessFinding
from tests.core import simulate
from tests.core.judged_runs import run
from tests.core.oracle_money import CLASSES, sums
from tests.core.oracle_money import Call as MoneyCall
from tests.core.oracle_point import Call, Row
from tests.core.portioned import in_portions
from tests.core.test_looks_of_a_run import (
    acked,
    in_workloads,
    look,
    plan_of,
    workload_of,
)
from tests.core.test_looks_of_a_run import evidence_of as seen_of
from tests.core.test_money import FAULT, LIMIT_NS, a_day, evidence_of, risk_of

S, MS = 10**9, 10**6
ORDERS, TILLS, FINANCE = OF = (
    Workload.ORDER_CAPTURE, Workload.POINT_OF_SALE, Workload.FINANCE,
)  # fmt: skip
BOTH = Targets(simulate.TARGETS.workloads[:2])
PLAN = simulate.plan_of(targets=BOTH)
_, SEEN = run(plan=PLAN)
ARRIVALS = arrivals_of(SEEN.operations, PLAN.targets.limits_ns())


def of(name: str, arrivals: Arrivals = ARRIVALS, seen: Evidence = SEEN) -> FitnessFinding:
    (only,) = [
        f for f in fitness(PLAN, seen, RunTimes(PLAN, seen, [arrivals]), 0) if f.name == name
    ]
    return only


def rows_of(workload: Workload, *, before_ns: int) -> np.ndarray:
    mine = (ARRIVALS.workload == workload.code) & (ARRIVALS.intended_ns < before_ns)
    return np.flatnonzero(mine)


@pytest.mark.parametrize(("lacks", "has"), [(ORDERS, TILLS), (TILLS, ORDERS)])
def test_what_one_workload_sent_twice_makes_up_for_nothing_that_another_did_not(
    lacks: Workload, has: Workload
) -> None:
    cut = SEEN.load_stopped_ns - S
    kept = np.ones(len(ARRIVALS), dtype=np.bool_)
    kept[rows_of(lacks, before_ns=cut)[:3]] = False
    twice = rows_of(has, before_ns=cut)[:5]
    rows = np.concatenate([np.flatnonzero(kept), twice])
    found = of("schedule", ARRIVALS.at(rows))
    assert (found.fit, found.measured) == (False, "3 arrivals dropped")
    less = kept.copy()
    less[rows_of(has, before_ns=cut)[:4]] = False
    assert of("schedule", ARRIVALS.where(less)).measured == "7 arrivals dropped"


@pytest.mark.parametrize(("sick", "well"), [(ORDERS, TILLS), (TILLS, ORDERS)])
def test_a_workload_that_was_sick_in_the_baseline_is_the_one_that_is_named(
    sick: Workload, well: Workload
) -> None:
    _, end = baseline(SEEN)
    mine = ARRIVALS.workload == sick.code
    inside = mine & (ARRIVALS.intended_ns >= end - 10 * S) & (ARRIVALS.intended_ns < end)
    due_inside = RunTimes(PLAN, SEEN, []).due(sick).count(end - 10 * S, end)
    found = of("baseline", replace(ARRIVALS, good=ARRIVALS.good & ~mine))
    assert found.measured == f"{sick}: 0 good of {int(inside.sum())} ({due_inside} due)"
    assert well not in found.measured
    nobody = replace(ARRIVALS, good=np.zeros(len(ARRIVALS), np.bool_))
    assert len(of("baseline", nobody).measured.split("; ")) == 2


@pytest.mark.parametrize("fewest", [ORDERS, TILLS])
def test_the_fewest_operations_are_those_of_one_workload(fewest: Workload) -> None:
    begin, end = baseline(SEEN)
    inside = (ARRIVALS.intended_ns >= begin) & (ARRIVALS.intended_ns < end)
    mine = np.flatnonzero(inside & (ARRIVALS.workload == fewest.code))
    kept = np.ones(len(ARRIVALS), dtype=np.bool_)
    kept[mine[29:]] = False
    found = of("operations", ARRIVALS.where(kept))
    assert (found.fit, found.measured) == (False, f"29 in {fewest}, the fewest")
    on_the_edge = ARRIVALS.intended_ns.copy()
    on_the_edge[mine[0]], on_the_edge[mine[1]] = begin, end - 1
    kept[mine[29]] = True
    assert of("operations", replace(ARRIVALS, intended_ns=on_the_edge).where(kept)).fit
    on_the_edge[mine[1]] = end
    assert not of("operations", replace(ARRIVALS, intended_ns=on_the_edge).where(kept)).fit


def again(seq: int, record: int, done: int, outcome: Outcome = Outcome.ACKED) -> Call:
    return Call(0, seq, record, Kind.RESYNC, outcome, 1, sent=done - 1, done=done)


def refused(seq: int) -> Call:
    return replace(acked(0, seq), outcome=Outcome.REFUSED)


def drained(*calls: Call, keys: int | None = None) -> list[int | None]:
    ledger, backlog = in_workloads(list(calls)), Backlog()
    if keys is None:
        backlog.add(ledger)
    else:
        for first in range(0, 40, keys):
            mine = (ledger.record >= first) & (ledger.record < first + keys)
            backlog.add(ledger.where(mine))
    return [backlog.drained_ns(workload) for workload in OF]


@pytest.mark.parametrize("keys", [None, 3, 6, 30])
def test_a_backlog_is_drained_when_the_last_of_it_was_acknowledged(keys: int | None) -> None:
    """Records 0 and 6 are orders, 1 and 7 a till's sales, 2 finance's; nobody sent those again."""
    assert [workload_of(0, n) for n in (0, 6, 1, 7, 2)] == [ORDERS, ORDERS, TILLS, TILLS, FINANCE]
    made = [refused(0), refused(6), refused(1), refused(7), acked(0, 2)]
    assert drained(*made, keys=keys) == [None, None, None]
    late, early = again(10, 0, 90), again(11, 6, 50)
    assert drained(*made, late, early, keys=keys) == [90, None, None]
    other = again(13, 1, 70)
    assert drained(*made, late, early, other, keys=keys) == [90, 70, None]
    assert drained(*made, early, again(10, 0, 20), again(12, 0, 30), keys=keys)[0] == 50


@pytest.mark.parametrize("outcome", [Outcome.REFUSED, Outcome.UNKNOWN, Outcome.NONE])
@pytest.mark.parametrize("keys", [None, 3, 30])
def test_a_backlog_of_which_one_waits_is_not_drained(outcome: Outcome, keys: int | None) -> None:
    made = [refused(0), refused(6), refused(1)]
    waits = again(10, 0, 90, outcome)
    assert drained(*made, waits, again(11, 6, 50), again(13, 1, 70), keys=keys) == [None, 70, None]
    # sent once more and acknowledged: what was not answered before is told by nobody's time
    assert drained(*made, waits, again(12, 0, 95), keys=keys)[0] == 95
    assert drained(*made, replace(waits, done=99), again(12, 0, 95), keys=keys)[0] == 95
    assert drained(acked(0, 0), waits, keys=keys)[0] is None, "nothing was acknowledged again"


def test_a_sync_of_a_record_that_nobody_made_drains_nothing_and_waits_for_nothing() -> None:
    assert drained(refused(0), again(10, 0, 90), again(11, 3, 95, Outcome.REFUSED))[0] == 90
    backlog = Backlog()
    backlog.add(Operations.concatenate([]))
    assert backlog.drained_ns(ORDERS) is None


def test_when_it_was_drained_is_told_after_the_latest_t_f() -> None:
    plan, seen = simulate.evidence(outage_s=6.0, mode="refuse", after_s=15.0)
    fault = seen.timeline.first(MarkName.FAULT_ACTIVE)
    assert fault is not None
    o = seen.operations
    last = int(o.done_ns[(o.kind == Kind.RESYNC) & (o.outcome == Outcome.ACKED)].max())
    found = {w.workload: w.rto for w in Measures(plan, seen).workloads()}
    told = {w: None if rto is None else rto.backlog_drained_ns for w, rto in found.items()}
    assert told == {w: last - fault.latest_ns if w is TILLS else None for w in Workload}


def three() -> tuple[Plan, dict[Workload, int]]:
    kept = tuple(
        replace(t, latency_limit_s=LIMIT_NS / S) for t in simulate.TARGETS.workloads if t.workload in OF
    )  # fmt: skip
    return simulate.plan_of(targets=Targets(kept)), {w.code: LIMIT_NS for w in OF}


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.integers(0, 2**32).map(a_day), st.booleans(), st.sampled_from([None, 1, 5, 64]))
def test_money_is_counted_by_workload_and_a_bad_second_once_for_all_of_them(
    day: tuple[list[MoneyCall], list[Row]], looked: bool, keys: int | None
) -> None:
    plan, _ = three()
    calls, rows = day
    seen = evidence_of(calls, rows if looked else None)
    o = seen.operations
    codes = [
        workload_of(w, r).code for w, r in zip(o.worker.tolist(), o.record.tolist(), strict=True)
    ]
    seen = replace(seen, operations=replace(o, workload=np.array(codes, dtype=np.uint8)))
    found = money(plan, seen if keys is None else in_portions(seen, keys))
    assert [one.workload for one in found.workloads] == list(OF)
    for one in found.workloads:
        assert one.risk is not None
        mine = [c for c in calls if workload_of(c.worker, c.record) is one.workload]
        slow, _ = sums(mine, rows if looked else None, fault=FAULT.earliest_ns, limit=LIMIT_NS)
        for name in CLASSES:
            told = getattr(one.risk, name)
            assert (told.count, told.cents) == slow[name], name
        assert one.risk.gone is None
    _, bad_s = sums(calls, rows if looked else None, fault=FAULT.earliest_ns, limit=LIMIT_NS)
    assert found.bad_s == bad_s
    assert risk_of(found).read_whole is looked


@pytest.mark.parametrize(("per_hour", "stretch_ns", "good"), [(1850, 40, 2), (None, 0, 0)])
def test_a_reliable_transaction_is_one_of_the_baseline_from_edge_to_edge(
    per_hour: int | None, stretch_ns: int, good: int
) -> None:
    """From the earliest instant of its begin, in it, to the latest of its end, which is not."""
    plan = replace(PLAN, targets=replace(BOTH, cost_per_hour_cents=per_hour))
    marks = (Mark(MarkName.BASELINE_BEGUN, 20, 25), Mark(MarkName.BASELINE_ENDED, 50, 60))
    yes, no = np.ones(6, np.bool_), np.zeros(6, np.bool_)
    canary, is_good = no.copy(), yes.copy()
    canary[4], is_good[5] = True, False
    at = np.array([19, 20, 59, 60, 30, 30], dtype=np.int64)
    arrivals = Arrivals(np.ones(6, np.uint8), canary, at, at, is_good, is_good, at, no)
    seen = replace(SEEN, timeline=Timeline(marks))
    measures = Measures(plan, seen)
    measures.__dict__["timed"] = RunTimes(plan, seen, [arrivals]), Backlog()
    cost = money(plan, seen, measures).cost
    assert cost == (None if per_hour is None else Cost(per_hour, stretch_ns, good))
    for lacking in (marks[:1], marks[1:]):
        bare = replace(seen, timeline=Timeline(lacking))
        assert money(plan, bare, Measures(plan, bare)).cost is None


@pytest.mark.parametrize("keys", [None, 1, 2, 64])
def test_lost_for_good_by_a_restore_is_what_it_took_and_nothing_else_that_is_lost(
    keys: int | None,
) -> None:
    """Of five orders: two it took, one of them came back; one was lost after it; two are there."""
    calls = [
        replace(acked(0, n), sent=at, done=at + 1, value=value)
        for n, at, value in ((0, 10, 1), (3, 20, 10), (6, 200, 100), (9, 5, 1000), (12, 210, 5000))
    ]  # fmt: skip
    restored, end = [Row(0, 9, 1, 1)], [Row(0, n, 1, 1) for n in (3, 9, 12)]
    marks = (Mark(MarkName.FAULT_ACTIVE, 1, 2), Mark(MarkName.INGRESS_CLOSED, 90, 90))
    looks = [look("restored", restored, 150), look("first", end, 500), look("second", end, 600)]
    seen = replace(seen_of(calls, *looks), timeline=Timeline(marks))
    found = money(plan_of(), seen if keys is None else in_portions(seen, keys))
    of = {w.workload: w.risk for w in found.workloads}
    orders, tills = of[ORDERS], of[TILLS]
    assert orders is not None
    assert tills is not None
    assert (orders.lost, orders.gone) == (Sum(2, 101), Sum(1, 1))
    assert (tills.lost, tills.gone) == (Sum(), Sum())
    unseen = replace(seen, first=None, second=None)
    assert {w.risk.gone for w in money(plan_of(), unseen).workloads if w.risk} == {None}
