"""Money: what the orders were worth that a fault kept from being served (measurement.md, 11).

Every order stands in one class and is counted once, however many calls it took:

    lost        acknowledged, and not in the store at the last look            low and high
    refused     provably without effect                                        low and high
    absent      no certain answer, and not in the store at the last look       low and high
    unanswered  no certain answer, and in the store, or nobody could look      high
    delayed     acknowledged, but later than the latency limit                 high

Integers in cents only; what is shown of them is rounded nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.core.evidence import Evidence
from harness.core.looks import Piece
from harness.core.measures import Measures
from harness.core.money_values import Cost, Money, Risk, Sum, WorkloadMoney
from harness.core.operation import Workload
from harness.core.operations import type_bool
from harness.core.orders import Orders, orders_of
from harness.core.plan import Plan
from harness.core.records import Records
from harness.core.restoration import End, Restore, restored_at
from harness.core.targets import WorkloadTarget
from harness.core.timeline import Mark, MarkName
from harness.core.windows import BIN_NS


def money(plan: Plan, evidence: Evidence, measures: Measures | None = None) -> Money:
    """Pure: the same plan and evidence give the same money. `measures`: where they are made."""
    measures = measures or Measures(plan, evidence)
    targets, currency = plan.targets.workloads, plan.targets.currency
    cost = _cost(plan, evidence, measures)
    fault = measures.fault
    if fault is None:
        nothing = tuple(_of(t, plan, None) for t in targets)
        return Money(currency, nothing, cost=cost)
    tally = _Tally(targets, measures.restore, fault)
    for piece in measures.pieces():
        orders = orders_of(piece.portion.calls, piece.records, plan.targets.limits_ns())
        tally.add(piece, orders)
    return Money(
        currency=currency,
        workloads=tuple(_of(t, plan, tally.risks[t.workload]) for t in targets),
        bad_s=len(tally.bad_s),
        cost=cost,
    )


class _Tally:
    """What was at risk, counted up piece by piece."""

    def __init__(
        self, targets: tuple[WorkloadTarget, ...], restore: Restore | None, fault: Mark
    ) -> None:
        self._restore, self._fault = restore, fault
        self.risks: dict[Workload, Risk | None] = dict.fromkeys(t.workload for t in targets)
        self.bad_s: set[int] = set()  # after t_F, as `Money` counts them

    def add(self, piece: Piece, orders: Orders) -> None:
        classes = _classes(piece.records, orders, piece.end, self._fault)
        gone = _gone(self._restore, piece)
        for workload, before in self.risks.items():
            found = _risk(workload, piece, classes, gone)
            self.risks[workload] = found if before is None else before + found
        self.bad_s.update(_bad_s(piece.records, orders, classes, self._fault))


def _of(target: WorkloadTarget, plan: Plan, risk: Risk | None) -> WorkloadMoney:
    cents = target.revenue_per_operation_cents
    per_minute = round(target.rate_per_s * plan.peak * 60 * cents)
    return WorkloadMoney(target.workload, cents, per_minute, risk)


@dataclass(frozen=True, slots=True)
class _Classes:
    """One mask a class, as long as `Records`; no record is in two of them."""

    lost: type_bool
    refused: type_bool
    absent: type_bool
    unanswered: type_bool
    delayed: type_bool


def _classes(records: Records, orders: Orders, end: End | None, fault: Mark) -> _Classes:
    """The class of every order that was hit; what was over before the fault was not."""
    since_ns = fault.earliest_ns
    counted = ~records.canary & ~orders.ours
    nothing = np.zeros(len(records), dtype=np.bool_)
    lost = (end.classes.lost if end is not None else nothing) & counted
    gone_from_store = ~end.held.present if end is not None else nothing
    hit = (orders.intended_ns >= since_ns) | (orders.done_ns > since_ns) | orders.in_flight
    waiting = (end.classes.waiting if end is not None else nothing) & counted
    unserved = counted & hit & ~orders.good & ~lost & ~waiting
    delayed = unserved & (orders.answered | orders.handed_over)
    uncertain = unserved & ~delayed & orders.uncertain
    return _Classes(
        lost=lost,
        refused=unserved & ~delayed & ~uncertain,
        absent=uncertain & gone_from_store,
        unanswered=uncertain & ~gone_from_store,
        delayed=delayed | waiting,
    )


def _gone(restore: Restore | None, piece: Piece) -> type_bool | None:
    """Records that a restore took and that are still lost at the end; None: nobody looked."""
    if restore is None or piece.end is None:
        return None
    seen = restored_at(restore, piece.portion)
    taken = np.zeros(len(piece.records), dtype=np.bool_)
    place = piece.records.keys.find(seen.records.worker, seen.records.seq)
    taken[place[seen.classes.lost]] = True
    return taken & piece.end.classes.lost


def _risk(workload: Workload, piece: Piece, classes: _Classes, gone: type_bool | None) -> Risk:
    records = piece.records
    mine = records.workload == workload.code

    def total(mask: type_bool) -> Sum:
        if not mask.any():
            return Sum()
        hits = mask & mine
        cents = int(records.value_cents[hits].sum(dtype=np.int64))
        return Sum(int(np.count_nonzero(hits)), cents)

    return Risk(
        lost=total(classes.lost),
        refused=total(classes.refused),
        absent=total(classes.absent),
        unanswered=total(classes.unanswered),
        delayed=total(classes.delayed),
        gone=None if gone is None else total(classes.lost & gone),
        read_whole=piece.end is not None,
    )


def _bad_s(records: Records, orders: Orders, classes: _Classes, fault: Mark) -> list[int]:
    """Seconds after t_F in which an order was due that carries revenue and was not served well."""
    unserved = classes.refused | classes.absent | classes.unanswered | classes.delayed
    hits = unserved & (records.value_cents > 0)
    at = (orders.intended_ns[hits] - fault.earliest_ns) // BIN_NS
    found: list[int] = np.unique(np.maximum(at, 0)).tolist()
    return found


def _cost(plan: Plan, evidence: Evidence, measures: Measures) -> Cost | None:
    """The declared cost over the baseline, and the good arrivals of it."""
    per_hour = plan.targets.cost_per_hour_cents
    begun = evidence.timeline.first(MarkName.BASELINE_BEGUN)
    ended = evidence.timeline.first(MarkName.BASELINE_ENDED)
    if per_hour is None or begun is None or ended is None:
        return None
    since_ns, until_ns = begun.earliest_ns, ended.latest_ns
    good = sum(
        int(np.count_nonzero(part.good & ~part.canary))
        for part in measures.times.parts(since_ns, until_ns)
    )
    return Cost(per_hour, max(0, until_ns - since_ns), good)
