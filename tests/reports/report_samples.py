"""A run made by hand, from which `report_cases` makes the others."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from harness.core import checks
from harness.core.operation import Workload
from harness.core.plan import Limits, Plan, PlatformFacts, Size
from harness.core.record import RunRecord, Series
from harness.core.scenario import Scenario, automatic, experiment, load
from harness.core.schedule import Shape
from harness.core.targets import Targets, WorkloadTarget
from harness.core.timeline import Mark, MarkName, Timeline
from harness.core.verdict import (
    Finding,
    FitnessFinding,
    Judgement,
    RecoveryPoint,
    RecoveryTime,
    Verdict,
    WorkloadJudgement,
    WriteCounts,
    gravest,
)

S = 1_000_000_000
BEGIN_NS = 7_000 * S
BASELINE_S, END_S = 40, 140
ORIGIN_NS = BEGIN_NS + BASELINE_S * S

TARGETS = (
    (Workload.ORDER_CAPTURE, "critical", 60.0, 0.0, 0, 2.0, 10.0, 4800),
    (Workload.POINT_OF_SALE, "critical", 60.0, 0.0, 0, 2.0, 4.0, 3150),
    (Workload.STOCK_RESERVATION, "critical", 60.0, 0.0, 0, 2.0, 2.0, 4800),
    (Workload.FULFILMENT, "high", 120.0, 0.0, 0, 5.0, 2.0, 4800),
    (Workload.MARKETPLACE, "high", 120.0, 0.0, 0, 5.0, 3.0, 3990),
    (Workload.FINANCE, "medium", 900.0, 300.0, None, 10.0, 1.0, 0),
)


def targets() -> Targets:
    return Targets(
        tuple(
            WorkloadTarget(
                workload=w, tier=tier, owner="commerce", rto_s=rto, rpo_s=rpo, lost_max=lost,
                latency_limit_s=limit, rate_per_s=rate, revenue_per_operation_cents=cents,
            )
            for w, tier, rto, rpo, lost, limit, rate, cents in TARGETS
        )
    )  # fmt: skip


def plan() -> Plan:
    return Plan(
        run_id="20261122T032215Z7f3a",
        scenario=Scenario(
            name="node-loss", owner="platform", load=load("weekend-promotion"),
            fault=experiment("node-loss", node="primary"), recovery=automatic(within_s=120),
            checks=[checks.rto, checks.rpo, checks.stores_agree],
            requires={"nodes", "database.standby", "ingress"},
            story="A node is lost at the height of a weekend promotion.\n\n"
            "Claim   The standby takes over by itself: orders are accepted again within the\n"
            "        declared RTO, and not one acknowledged order is lost.",
        ),
        targets=targets(),
        platform=PlatformFacts(
            name="embedded", kind="shop", heading="stand-in application", disposable=True,
            capabilities=("nodes", "database", "database.standby", "ingress"),
            versions=(("postgresql", "18.6"), ("patroni", "4.1.5"), ("traefik", "3.7.15")),
            loops_s=(("patroni loop_wait", 2.0), ("traefik health check", 1.0)),
            notes=(
                "process death, not power loss",
                "node C (etcd, S3, Traefik, Valkey, the filestore) is never killed",
            ),
        ),
        size=Size.FULL, peak=2.0,
        shape=Shape("weekend-promotion", ((0.0, 0.8), (30.0, 1.2), (120.0, 1.0))),
        seed=20261122, workers=1,
        limits=Limits(30, 20, 900, 10, 120, 60, 5),
        experiment_file="experiment.yaml", release="2026.47-rc1",
    )  # fmt: skip


@dataclass(frozen=True)
class Outage:
    """How one workload fared, in seconds after the fault."""

    first_bad_s: float = 0.2
    back_s: float | None = 14.3
    lost: int = 0
    lost_before: int = 0
    value_cents: int = 0


def series_of(
    target: WorkloadTarget, outage: Outage, begin_s: int = -BASELINE_S, end_s: int = END_S
) -> Series:
    random = np.random.default_rng(target.workload.code)
    at = np.arange(begin_s, end_s, dtype=np.float64)
    shape = np.interp(at + BASELINE_S, [0, 30, 120], [0.8, 1.2, 1.0])
    scheduled = np.round(target.rate_per_s * 2 * shape + random.uniform(-0.5, 0.5, len(at)))
    scheduled = scheduled.astype(np.int64)
    back = end_s if outage.back_s is None else outage.back_s
    away = (at + 1 > outage.first_bad_s) & (at + 1 <= back) & (outage.back_s != 0)
    edge = (at <= back) & (at + 1 > back) & (outage.back_s != 0)
    good = np.where(away, 0, np.where(edge, scheduled // 3, scheduled))
    p50 = random.lognormal(np.log(18), 0.12, len(at))
    p99 = p50 * random.lognormal(np.log(2.4), 0.2, len(at))
    drain = edge | ((at > back) & (at < back + 3))
    p50, p99 = np.where(drain, p50 * 6, p50), np.where(drain, p99 * 20, p99)
    nothing = away & (at > 0)
    return Series(
        workload=target.workload, begin_s=float(begin_s), scheduled=scheduled,
        offered=scheduled.copy(), good=good.astype(np.int64),
        shed=np.zeros(len(at), dtype=np.int64),
        latency_p50_ms=np.where(nothing, np.nan, p50),
        latency_p99_ms=np.where(nothing, np.nan, p99),
    )  # fmt: skip


def recovery_time(target: WorkloadTarget, outage: Outage) -> RecoveryTime:
    back = outage.back_s
    return RecoveryTime(
        target_ns=round(target.rto_s * S),
        low_ns=round((END_S - 1 if back is None else max(0.0, back - 0.6)) * S),
        high_ns=None if back is None else round((back or 0.11) * S),
        recovered=back is not None,
        observed_until_ns=END_S * S,
        resolution_ns=round(0.11 * S),
        widened_by_ns=round(0.012 * S),
        outage_low_ns=None if back is None else round(max(0.0, back - 0.9) * S),
        outage_high_ns=None if back is None else round(back * S),
        first_success_ns=None if back is None else round(back * S),
        first_bad_ns=None if back == 0 else round(outage.first_bad_s * S),
        flaps=0,
        down_ns=round(((END_S if back is None else back) // 1) * S),
        degraded_ns=0 if back is None else S,
        backlog_drained_ns=None if back is None else round((back + 2.2) * S),
    )


def recovery_point(series: Series, target: WorkloadTarget, outage: Outage) -> RecoveryPoint:
    acked = int(series.good.sum())
    gated = WriteCounts(
        acked=acked, unknown=int(target.rate_per_s * 4), refused=int(target.rate_per_s * 9),
        lost=outage.lost, replayed=outage.lost_before - outage.lost,
        absent=int(target.rate_per_s * 3), recovered=int(target.rate_per_s),
        lost_value_cents=outage.value_cents,
        achieved_ns=round(0.4 * S) if outage.lost else 0,
        recovery_point_ns=-round(0.3 * S) if outage.lost else None,
    )  # fmt: skip
    first_time = outage.lost_before or outage.lost
    before = replace(
        gated, lost=first_time, replayed=0, achieved_ns=round(0.6 * S) if first_time else 0
    )
    keys = tuple(f"lost pd-r1-0-{17 + n}" for n in range(min(outage.lost, 20)))
    return RecoveryPoint(
        target_ns=None if target.rpo_s is None else round(target.rpo_s * S),
        lost_max=target.lost_max, gated=gated, before_replay=before, gated_read_back="second",
        examples=keys, not_applicable_reason=target.rpo_not_applicable_reason,
    )  # fmt: skip


def judged(target: WorkloadTarget, outage: Outage, series: Series) -> WorkloadJudgement:
    rto, rpo = recovery_time(target, outage), recovery_point(series, target, outage)
    late = not rto.recovered or (rto.high_ns or 0) > rto.target_ns
    back = f"back after {outage.back_s} s" if rto.recovered else "not back when the load stopped"
    found = (
        Finding("rto", target.workload, Verdict.MISSED if late else Verdict.MET,
                f"{back}; {target.rto_s:.0f} s are allowed"),
        Finding("rpo", target.workload, Verdict.MISSED if outage.lost else Verdict.MET,
                f"{outage.lost} of {rpo.gated.acked:,} acknowledged writes lost; none may be"),
    )  # fmt: skip
    return WorkloadJudgement(target.workload, gravest([f.verdict for f in found]), rto, rpo, found)


FITNESS = (
    FitnessFinding("baseline-long-enough", True, "40 s", "at least 30 s"),
    FitnessFinding("baseline-operations", True, "fewest 64 (finance-reporting)", "at least 30"),
    FitnessFinding("generator-lag", True, "p99.9 3.1 ms", "at most 600 ms"),
    FitnessFinding("no-arrival-dropped", True, "0 dropped", "0"),
    FitnessFinding("ledger-whole", True, "9,412 slots, 0 torn", "0 torn", voids_loss=True),
    FitnessFinding("effect-observed", True, "observed", "observed"),
    FitnessFinding("fault-gone", True, "observed", "observed"),
    FitnessFinding("platform-whole-before", True, "whole", "whole"),
    FitnessFinding("clock-error", True, "0 ms", "at most 5% of the target"),
)


def mark(name: MarkName, at_s: float, width_s: float = 0.0, note: str = "") -> Mark:
    at_ns = ORIGIN_NS + round(at_s * S)
    return Mark(name, at_ns - round(width_s * S), at_ns, note)


def timeline() -> Timeline:
    return Timeline(
        (
            mark(MarkName.LOAD_BEGUN, -40),
            mark(MarkName.BASELINE_BEGUN, -38),
            mark(MarkName.FAULT_ARMED, -1.2),
            mark(MarkName.FAULT_ACTIVE, 0, 0.004, "every process of node A is gone"),
            mark(MarkName.DETECTED, 9.8, 0.2, "the leader's key ran out"),
            mark(MarkName.FAILED_OVER, 12.9, 0.2, "pg2 takes writes"),
            mark(MarkName.SERVICE_WELL, 24.6),
            mark(MarkName.FAULT_RELEASED, 25.1),
            mark(MarkName.FAULT_HEALED, 37.4, 0.5, "pg1 streams again"),
            mark(MarkName.PROTECTED, 41.0, 0.5),
            mark(MarkName.LOAD_STOPPED, END_S),
            mark(MarkName.READ_BACK_FIRST, END_S + 5),
            mark(MarkName.SETTLED, END_S + 7),
            mark(MarkName.READ_BACK_SECOND, END_S + 8),
        )
    )


def record(
    outages: dict[Workload, Outage] | None = None, *reasons: str, end_s: int = END_S
) -> RunRecord:
    """A judged run of all six workloads."""
    outages = outages or {}
    the_plan = plan()
    drawn, workloads = [], []
    for number, target in enumerate(the_plan.targets.workloads):
        outage = outages.get(target.workload, Outage(back_s=round(14.3 + number * 0.31, 2)))
        series = series_of(target, outage, end_s=end_s)
        drawn.append(series)
        workloads.append(judged(target, outage, series))
    agree = Finding("stores-agree", None, Verdict.MET, "all stores agree on all 3,912 records")
    verdict = gravest([agree.verdict, *(w.verdict for w in workloads)])
    acked = sum(w.rpo.gated.acked for w in workloads if w.rpo)
    judgement = Judgement(
        run_id=the_plan.run_id, scenario="node-loss", judge="v1", verdict=verdict,
        reasons=reasons or (
            f"Safe for Saturday: all six workloads came back in time, {acked:,} writes and none lost.",
            "The slowest was finance-reporting, back after 15.2 to 15.9 s; 900 s are allowed.",
        ),
        workloads=tuple(workloads), findings=(agree,), fitness=FITNESS,
        not_checked=(
            "Loss of power: the processes died, the disks and the kernel lived on.",
            "The loss of node C: etcd, S3, Traefik, Valkey and the filestore.",
        ),
        notes=(f"The true share lost is below {300 / acked:.2g}%, at 95% confidence.",),
    )  # fmt: skip
    return RunRecord(
        plan=the_plan, judgement=judgement, timeline=timeline(), series=tuple(drawn),
        origin_ns=ORIGIN_NS, load_begun_ns=BEGIN_NS, load_stopped_ns=ORIGIN_NS + end_s * S,
        begun_utc="2026-11-22T03:22:15Z",
        evidence_digest="9f2c1c6ad1c0b6cd19a3ef5ea8f7d5c1b0f2f4f0a9d1f6b4c4c0a1d2e3f4a5b6",
        directory="20261122T032215Z7f3a",
        chaos_steps=(("lose the node under the primary", "succeeded"), ("hold", "succeeded")),
    )  # fmt: skip
