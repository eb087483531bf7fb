"""Money: it agrees with a slow oracle, its parts add up, and no order is counted twice."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core.arrivals import arrivals_of
from harness.core.evidence import Evidence, Part, ReadBack, Survivors
from harness.core.judge import judge
from harness.core.money import money
from harness.core.money_values import Cost, Money, Risk, Sum
from harness.core.operation import Detail, Flag, Kind, Outcome, Workload
from harness.core.operations import SLOT, Operations
from harness.core.orders import orders_of
from harness.core.plan import Plan
from harness.core.records import records_of
from harness.core.targets import Targets
from harness.core.timeline import Mark, MarkName, Timeline
from tests.core import simulate
from tests.core.judged_runs import ORDERS_ALONE, run
from tests.core.oracle_money import CLASSES, Call, sums
from tests.core.oracle_point import Row
from tests.core.simulate import MS, ORDERS, Defects, Restore, S

FAULT = Mark(MarkName.FAULT_ACTIVE, 100 * S, 100 * S + 5 * MS)
LIMIT_NS = 2 * S
PLAN, BARE = run()
OUTCOMES = [Outcome.ACKED] * 5 + [Outcome.REFUSED, Outcome.UNKNOWN, Outcome.NONE]
LATER = [Kind.ADVANCE, Kind.ATTACH, Kind.CANCEL, Kind.TOUCH, Kind.RESYNC, Kind.READ]
STAGES = {Kind.CREATE: [1, 2], Kind.ADVANCE: [2, 3, 4], Kind.CANCEL: [9], Kind.RESYNC: [1]}
laws = settings(max_examples=300, deadline=None, derandomize=True)


def a_chain(random: Random, worker: int, seq: int) -> list[Call]:
    """One order around the fault, in a hurry or late, cut short or sent again."""
    canary, dropped = random.random() < 0.2, random.random() < 0.05
    intended = random.randint(90, 115) * S + random.choice([0, 1, 10 * MS])
    at, calls = intended, []
    kinds = [Kind.CREATE, *random.choices(LATER, k=random.randint(0, 3))]
    for place, kind in enumerate(kinds):
        outcome = random.choice(OUTCOMES)
        done = at + random.choice([0, 1, 5 * MS, S, LIMIT_NS, LIMIT_NS + 1])
        calls.append(
            Call(
                worker, seq + place, seq, kind, outcome, random.choice(STAGES.get(kind, [0])),
                digest=1, sent=at, done=0 if outcome is Outcome.NONE else done,
                value=random.choice([0, 100 + seq]) if kind is Kind.CREATE else 0, canary=canary,
                intended=intended, dropped=dropped,
                final=random.random() < (0.8 if place == len(kinds) - 1 else 0.1),
            )
        )  # fmt: skip
        at = done
    return calls


def a_day(seed: int) -> tuple[list[Call], list[Row]]:
    random, calls = Random(seed), []
    for worker in range(2):
        seq = 0
        while seq < 40 and random.random() < 0.95:
            chain = a_chain(random, worker, seq)
            calls += chain
            seq += len(chain)
    made = [(c.worker, c.seq) for c in calls if c.kind is Kind.CREATE and random.random() < 0.7]
    rows = [Row(*key, stage=random.choice([1, 2, 3, 4, 9]), digest=1, expected=0) for key in made]
    return calls, rows


def operations(calls: list[Call]) -> Operations:
    parts = []
    for worker in range(2):
        mine = [c for c in calls if c.worker == worker]
        slots = np.zeros(len(mine), dtype=SLOT)
        for slot, call in zip(slots, mine, strict=True):
            flags = (Flag.CANARY if call.canary else 0) | (Flag.FINAL if call.final else 0)
            for name, value in {
                "sent_ns": call.sent, "intended_ns": call.intended, "digest": call.digest,
                "seq": call.seq, "record": call.record, "value_cents": call.value,
                "workload": ORDERS.code, "kind": call.kind, "stage": call.stage, "flags": flags,
                "done_ns": call.done, "outcome": call.outcome, "state": 2,
                "detail": Detail.SHED_BY_CLIENT if call.dropped else Detail.NONE,
            }.items():  # fmt: skip
                slot[name] = value
        parts.append(Operations.from_slots(worker, slots))
    return Operations.concatenate(parts)


def look(rows: list[Row]) -> ReadBack:
    def column(name: str, dtype: type) -> np.ndarray:
        return np.array([getattr(r, name) for r in rows], dtype=dtype)

    return ReadBack(
        "second", 200 * S, True, "",
        Survivors(
            workload=np.full(len(rows), ORDERS.code, dtype=np.uint8),
            worker=column("worker", np.uint16), seq=column("seq", np.uint32),
            stage=column("stage", np.uint8), digest=column("digest", np.uint64),
            document=column("document", np.uint64), parts=column("parts", np.uint8) | Part.LINES,
            expected_parts=column("expected", np.uint8),
        ),
        0, (),
    )  # fmt: skip


def evidence_of(calls: list[Call], rows: list[Row] | None) -> Evidence:
    seen = None if rows is None else look(rows)
    return replace(
        BARE, operations=operations(calls), first=seen, second=seen, timeline=Timeline((FAULT,))
    )


def risk_of(found: Money) -> Risk:
    risk = found.risk
    assert risk is not None
    return risk


days = st.integers(0, 2**32).map(a_day)


@laws
@given(days, st.booleans())
def test_it_agrees_with_the_slow_oracle(day: tuple[list[Call], list[Row]], looked: bool) -> None:
    calls, rows = day
    found = money(PLAN, evidence_of(calls, rows if looked else None))
    slow, bad_s = sums(calls, rows if looked else None, fault=FAULT.earliest_ns, limit=LIMIT_NS)
    risk = risk_of(found)
    for name in CLASSES:
        one = getattr(risk, name)
        assert (one.count, one.cents) == slow[name], name
    assert found.bad_s == bad_s
    assert risk.read_whole is looked


@laws
@given(days)
def test_no_order_is_counted_twice_and_the_parts_are_the_whole(
    day: tuple[list[Call], list[Row]],
) -> None:
    calls, rows = day
    seen = evidence_of(calls, rows)
    risk = risk_of(money(PLAN, seen))
    whole = sum((getattr(risk, name) for name in CLASSES), Sum())
    assert whole == risk.high
    assert risk.low.count <= whole.count
    assert risk.low.cents <= whole.cents
    orders = [c for c in calls if c.kind is Kind.CREATE and not c.canary]
    assert whole.count <= len(orders)
    assert whole.cents <= sum(c.value for c in orders)


@laws
@given(days)
def test_a_second_look_at_half_of_the_orders_and_at_the_rest_gives_the_whole(
    day: tuple[list[Call], list[Row]],
) -> None:
    calls, rows = day
    halves = ([c for c in calls if c.worker == w] for w in range(2))
    parts = [risk_of(money(PLAN, evidence_of(half, rows))) for half in halves]
    assert parts[0] + parts[1] == risk_of(money(PLAN, evidence_of(calls, rows)))


@laws
@given(days)
def test_good_is_what_the_recovery_time_calls_good(day: tuple[list[Call], list[Row]]) -> None:
    """Canaries, reads and dropped arrivals aside, both read the same chains."""
    kept = [c for c in day[0] if not c.canary and c.kind is not Kind.READ]
    records = records_of(operations(kept))
    found = orders_of(operations(kept), records, PLAN.targets.limits_ns())
    seen = arrivals_of(operations(kept), PLAN.targets.limits_ns())
    assert sorted(zip(found.intended_ns, found.done_ns, found.good, strict=True)) == sorted(
        zip(seen.intended_ns, seen.done_ns, seen.good, strict=True)
    )


@laws
@given(days)
def test_without_revenue_nothing_is_at_risk(day: tuple[list[Call], list[Row]]) -> None:
    calls = [replace(c, value=0) for c in day[0]]
    found = money(PLAN, evidence_of(calls, day[1]))
    risk = risk_of(found)
    assert (risk.low.cents, risk.high and risk.high.cents, found.bad_s) == (0, 0, 0)


def simulated(**given: object) -> tuple[Plan, Evidence, Money]:
    plan, seen = simulate.evidence(**given)
    return plan, seen, money(plan, seen)


def of(found: Money, workload: Workload) -> Risk:
    (risk,) = [w.risk for w in found.workloads if w.workload is workload]
    assert risk is not None
    return risk


def test_an_outage_of_refusals_is_provably_not_served() -> None:
    _, _, found = simulated(outage_s=8.0, mode="refuse")
    orders = of(found, ORDERS)
    assert orders.refused.count > 60  # ten a second for eight seconds, five in a hundred read
    assert orders.refused.cents == orders.refused.count * 4800
    assert orders.lost == orders.delayed == Sum()
    assert of(found, Workload.MARKETPLACE).high == Sum()
    assert 8 <= found.bad_s <= 10


def test_a_sale_that_its_till_handed_over_later_is_delayed() -> None:
    _, _, found = simulated(outage_s=8.0, mode="refuse")
    tills = of(found, Workload.POINT_OF_SALE)
    assert tills.low == Sum()
    assert tills.high is not None
    assert tills.high == tills.delayed
    assert tills.delayed.cents == tills.delayed.count * 3150 > 0


def test_what_hung_until_the_time_out_is_absent_or_nobody_knows() -> None:
    _, _, found = simulated(outage_s=12.0, mode="hang")
    orders = of(found, ORDERS)
    assert orders.absent.count > 0  # every other one is in the simulated store
    assert orders.unanswered.count > 0
    assert orders.delayed.count > 0  # answered when the platform was back, beyond the limit
    assert orders.low.cents < (orders.high or Sum()).cents


def test_what_was_lost_is_worth_what_the_verdict_says() -> None:
    plan, seen, found = simulated(defects=Defects(lost=3, unconfirmed=2))
    judged = {w.workload: w.rpo.gated for w in judge(plan, seen).workloads if w.rpo}
    assert of(found, ORDERS).lost == Sum(5, 5 * 4800)
    for workload in found.workloads:
        assert workload.risk is not None
        assert workload.risk.lost.cents == judged[workload.workload].lost_value_cents


def test_what_a_restore_took_for_good_is_part_of_what_was_lost() -> None:
    plan, seen = run(restore=Restore(gone=3))
    closed = Mark(MarkName.INGRESS_CLOSED, FAULT.earliest_ns, FAULT.earliest_ns)
    fault = seen.timeline.first(MarkName.FAULT_ACTIVE)
    assert fault is not None
    closed = replace(closed, earliest_ns=fault.latest_ns, latest_ns=fault.latest_ns)
    seen = replace(seen, timeline=Timeline((*seen.timeline.marks, closed)))
    risk = risk_of(money(plan, seen))
    (counted,) = judge(plan, seen).restoration
    assert risk.gone == risk.lost == Sum(3, 3 * 4800)
    assert counted.gone_value_cents == 3 * 4800
    assert risk_of(money(*run())).gone is None


def test_stores_that_nobody_could_read_bound_nothing() -> None:
    plan, seen = run(outage_s=6.0, mode="hang")
    risk = risk_of(money(plan, replace(seen, first=None, second=None)))
    assert risk.high is None
    assert risk.absent == risk.lost == Sum()
    assert risk.unanswered.count > 0


def test_where_no_effect_was_seen_nothing_was_at_risk_and_that_is_not_zero() -> None:
    found = money(*run(null=True))
    assert found.risk is None
    assert [w.per_order_cents for w in found.workloads] == [4800]


def test_what_a_minute_and_an_order_earn_is_what_was_declared() -> None:
    plan = simulate.plan_of(targets=ORDERS_ALONE, peak=2.0)
    (orders,) = money(*run(plan=plan)).workloads
    assert (orders.per_order_cents, orders.per_minute_cents) == (4800, 10 * 2 * 60 * 4800)


def test_the_cost_of_a_reliable_transaction_is_counted_in_the_baseline() -> None:
    targets = Targets(ORDERS_ALONE.workloads, cost_per_hour_cents=1850)
    plan, seen = run(plan=simulate.plan_of(targets=targets))
    cost = money(plan, seen).cost
    assert cost is not None
    begun, ended = (
        seen.timeline.first(name) for name in (MarkName.BASELINE_BEGUN, MarkName.BASELINE_ENDED)
    )
    assert begun is not None
    assert ended is not None
    assert cost.stretch_ns == ended.latest_ns - begun.earliest_ns
    assert 95 <= cost.good <= 105  # ten a second for ten seconds; canaries are no trade
    exact = 1850 * cost.stretch_ns / (3600 * S) / cost.good * 1e6
    assert cost.per_million_cents == pytest.approx(exact, abs=0.51)


def test_no_cost_is_told_where_none_was_declared_or_nothing_was_good() -> None:
    assert money(*run()).cost is None
    assert Cost(1850, 10 * S, 0).per_million_cents is None


@given(st.integers(0, 10**9), st.integers(1, 10**7), st.integers(1, 10**12))
def test_cents_are_rounded_once_and_to_the_nearest(rate: int, good: int, stretch: int) -> None:
    found = Cost(rate, stretch, good).per_million_cents
    assert found is not None
    assert abs(2 * found * 3600 * S * good - 2 * rate * stretch * 10**6) <= 3600 * S * good


def test_what_the_generator_dropped_is_no_loss_of_the_platform() -> None:
    order = Call(
        0, 0, 0, Kind.CREATE, Outcome.REFUSED, 1, sent=101 * S, done=101 * S, value=4800,
        intended=101 * S, dropped=True,
    )  # fmt: skip
    assert risk_of(money(PLAN, evidence_of([order], []))).high == Sum()
    sent = replace(order, dropped=False)
    assert risk_of(money(PLAN, evidence_of([sent], []))).refused == Sum(1, 4800)
