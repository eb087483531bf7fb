"""Runs with money and with the platform's own alerts, for the pages."""

from __future__ import annotations

from dataclasses import replace

from report_samples import S, record

from harness.core.alerting import AlertWatch, Detection, FirstAlert
from harness.core.money_values import Cost, Money, Risk, Sum, WorkloadMoney
from harness.core.record import RunRecord, WallClock
from harness.core.targets import WorkloadTarget

WATCH = AlertWatch(
    polls=41, answered=38, begun_ns=7_038 * S, ended_ns=7_079 * S, first_answer_ns=7_039 * S,
    before=("Watchdog",), trouble="prometheus:9090 gave no whole answer within 3 s",
    unanswered_ns=3 * S,
)  # fmt: skip
FIRST = FirstAlert("PgPrimaryGone", 5_100_000_000, 6_300_000_000)
LATER = FirstAlert("OrdersBurnRate", 9_000_000_000, 10_000_000_000)
WALL = WallClock(1_795_800_000 * S, "the journal of the experiment")
RISK = Risk(
    lost=Sum(3, 14_400), refused=Sum(120, 576_000), absent=Sum(41, 196_803),
    unanswered=Sum(7, 33_600), delayed=Sum(19, 91_205), gone=Sum(2, 9_600),
)  # fmt: skip


def money_of(target: WorkloadTarget, risk: Risk) -> WorkloadMoney:
    cents = target.revenue_per_operation_cents
    found = risk if cents else Risk(refused=Sum(18, 0))
    return WorkloadMoney(target.workload, cents, round(target.rate_per_s * 120 * cents), found)


def with_money(base: RunRecord, *, risk: Risk = RISK) -> RunRecord:
    """Every workload that carries revenue has the same at risk."""
    targets = base.plan.targets
    return replace(
        base,
        money=Money(
            targets.currency,
            tuple(money_of(t, risk) for t in targets.workloads),
            bad_s=15,
            cost=Cost(1850, 38 * S, 1_672),
        ),
        detection=Detection("prometheus:9090", WATCH, (FIRST, LATER), ("Watchdog",)),
        wall=WALL,
    )


def priced() -> RunRecord:
    """Everything was measured: what was at risk, what it costs, and when somebody noticed."""
    return with_money(record())


def unlooked() -> RunRecord:
    """The stores could not be read, and the alerts could not be asked."""
    risk = replace(RISK, lost=Sum(), absent=Sum(), gone=None, read_whole=False)
    watch = replace(WATCH, answered=0, first_answer_ns=None, before=())
    found = with_money(record(), risk=risk)
    return replace(found, detection=Detection("prometheus:9090", watch, (), ()))
