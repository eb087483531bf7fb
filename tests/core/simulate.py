"""A planned outage as evidence: what a ledger and a read-back would hold, without a platform.

Pure and seeded: the same arguments give the same evidence. The truth is in the arguments (when
the node was lost, for how long, which records were spoilt), so a test knows what must be found.

    plan, evidence = simulate.evidence()                          # an honest node loss, all met
    plan, evidence = simulate.evidence(defects=Defects(lost=3))   # three acknowledged orders gone
    plan, evidence = simulate.evidence(null=True)                 # nothing took effect
    plan, evidence = simulate.evidence(restore=Restore(gone=2))   # restored, replayed but for two

Steps, proofs and the attacker's uses are planted by `simulated_recovery`.
"""

from __future__ import annotations

import numpy as np

from harness.core import checks
from harness.core.evidence import Evidence, LedgerHealth, Observation, ReadBack
from harness.core.operation import Workload
from harness.core.plan import Limits, Plan, PlatformFacts, Size
from harness.core.scenario import Scenario, automatic, experiment, load
from harness.core.schedule import Shape, arrivals_ns, canary_ns
from harness.core.targets import Targets, WorkloadTarget
from harness.core.timeline import Mark, MarkName, Timeline
from tests.core.simulated_calls import (
    MS,
    ORDERS,
    RUN_ID,
    Call,
    Outage,
    S,
    canary_of,
    chain_of,
    fill,
    number,
    operations,
    resyncs_of,
)
from tests.core.simulated_stores import Defects, Planter, Restore, Row, store_of, survivors

__all__ = [
    "MS", "ORDERS", "RUN_ID", "SCENARIO", "TARGETS", "Defects", "Restore", "Row", "S", "evidence",
]  # fmt: skip

STEADY = Shape("steady", ((0.0, 1.0),))
BEGUN_NS = 1_000 * S  # the schedule's zero on the run's clock

TARGETS = Targets(
    (
        WorkloadTarget(
            ORDERS, "critical", "commerce", 60, 0, 0, 2, 10, revenue_per_operation_cents=4800
        ),
        WorkloadTarget(
            Workload.POINT_OF_SALE, "critical", "stores", 60, 0, 0, 2, 4,
            revenue_per_operation_cents=3150,
        ),
        WorkloadTarget(
            Workload.STOCK_RESERVATION, "critical", "supply", 60, 0, 0, 2, 2,
            revenue_per_operation_cents=4800,
        ),
        WorkloadTarget(
            Workload.FULFILMENT, "high", "warehouse", 120, 0, 0, 5, 2,
            revenue_per_operation_cents=4800,
        ),
        WorkloadTarget(
            Workload.MARKETPLACE, "high", "commerce", 120, 0, 0, 5, 3,
            revenue_per_operation_cents=3990,
        ),
        WorkloadTarget(
            Workload.FINANCE, "medium", "finance", 900, 300, None, 10, 1, staleness_s=60
        ),
    )
)  # fmt: skip

SCENARIO = Scenario(
    name="node-loss",
    owner="platform",
    load=load("steady"),
    fault=experiment("node-loss", node="primary"),
    recovery=automatic(within_s=120),
    checks=[checks.rto, checks.rpo, checks.stores_agree],
    requires={"nodes", "database.standby", "ingress"},
    tags={"peak"},
    story="A node is lost at the height of a weekend promotion.",
)

FACTS = PlatformFacts(
    name="embedded",
    kind="shop",
    heading="stand-in application",
    disposable=True,
    capabilities=("nodes", "database", "database.standby", "ingress", "application"),
    versions=(("PostgreSQL", "18.1"), ("Patroni", "4.1")),
    loops_s=(("patroni loop_wait", 2.0), ("traefik health check", 1.0)),
    notes=("process death, not power loss",),
)


def plan_of(
    *,
    targets: Targets = TARGETS,
    scenario: Scenario = SCENARIO,
    size: Size = Size.SMOKE,
    peak: float = 1.0,
    seed: int = 1,
    workers: int = 1,
    baseline_s: float = 10.0,
    observe_s: float = 60.0,
    facts: PlatformFacts = FACTS,
    shape: Shape = STEADY,
) -> Plan:
    """The plan of a simulated run."""
    limits = Limits(
        baseline_s=baseline_s, effect_s=10.0, observe_s=observe_s, window_s=10.0, heal_s=60.0,
        settle_s=30.0, server_timeout_s=5.0,
    )  # fmt: skip
    return Plan(
        run_id=RUN_ID, scenario=scenario, targets=targets, platform=facts, size=size, peak=peak,
        shape=shape, seed=seed, workers=workers, limits=limits, experiment_file="experiment.yaml",
    )  # fmt: skip


def evidence(
    *,
    outage_s: float = 8.0,
    mode: str = "refuse",
    after_s: float = 25.0,
    hit: frozenset[Workload] = frozenset(Workload) - {Workload.MARKETPLACE},
    defects: Defects | None = None,
    null: bool = False,
    plan: Plan | None = None,
    restore: Restore | None = None,
) -> tuple[Plan, Evidence]:
    """A node loss at the end of the baseline, and the platform's return after `outage_s`.

    The load goes on for `after_s` beyond that. `mode` says how calls fail meanwhile: "refuse"
    at once, or "hang" until the client gives up. `null`: nothing happens and no effect is seen.
    `restore`: the outage is a closed ingress, behind which the data goes back to an earlier instant.
    """
    plan = plan or plan_of()
    fault_ns = BEGUN_NS + round(plan.limits.baseline_s * S) + 400 * MS
    end_ns = fault_ns + round(outage_s * S)
    stopped_ns = end_ns + round(after_s * S)
    outage = Outage(
        fault_ns, fault_ns if null else end_ns, mode, frozenset() if null else hit,
        random=np.random.default_rng(plan.seed),
    )  # fmt: skip
    arrivals, canaries = _schedule(plan, stopped_ns)
    calls = _calls(plan, arrivals, canaries, outage)
    ends = number(calls, plan.workers)
    fill(calls)
    first, second = Planter(defects or Defects(), calls, store_of(calls), ends, fault_ns).plant()
    restored = None
    if restore is not None:
        rows, first, second = restore.plant(calls, fault_ns, first, second)
        restored = _read_back("restored", fault_ns + round(restore.look_s * S), rows, None)
    return plan, Evidence(
        operations=operations(calls),
        ledgers=tuple(LedgerHealth(k, True, end, 0, 0, 2 * MS, 3 * MS) for k, end in enumerate(ends)),
        timeline=_timeline(fault_ns, end_ns, stopped_ns, null=null),
        observation=Observation(
            whole_before=True, whole_before_why="", whole_after=True, whole_after_why="",
            effect_observed=not null, heal_observed=not null, workers_lost=(), clock_error_ns=0,
            interrupted="", skipped="", replay_ended_ns=stopped_ns + 7 * S,
        ),
        first=_read_back("first", stopped_ns + 6 * S, first, defects),
        second=_read_back("second", stopped_ns + 8 * S, second, defects),
        load_begun_ns=BEGUN_NS,
        load_stopped_ns=stopped_ns,
        arrivals_ns=arrivals,
        canaries_ns=canaries,
        restored=restored,
    )  # fmt: skip


type_schedule = dict[Workload, np.ndarray]


def _schedule(plan: Plan, stopped_ns: int) -> tuple[type_schedule, type_schedule]:
    until_s = (stopped_ns - BEGUN_NS) / S
    arrivals = {
        t.workload: arrivals_ns(
            rate_per_s=t.rate_per_s * plan.peak, shape=plan.shape, until_s=until_s,
            seed=plan.seed, workload_code=t.workload.code,
        )
        for t in plan.targets.workloads
    }  # fmt: skip
    canaries = {
        t.workload: canary_ns(
            rate_per_s=t.canary_per_s, until_s=until_s, workload_code=t.workload.code
        )
        for t in plan.targets.workloads
    }
    return arrivals, canaries


def _calls(
    plan: Plan, arrivals: type_schedule, canaries: type_schedule, outage: Outage
) -> list[Call]:
    calls: list[Call] = []
    chain = 0
    for target in plan.targets.workloads:
        for n, due_ns in enumerate(arrivals[target.workload].tolist()):
            calls += chain_of(target, n, chain, BEGUN_NS + due_ns, outage)
            chain += 1
        for due_ns in canaries[target.workload].tolist():
            calls.append(canary_of(target.workload, chain, BEGUN_NS + due_ns, outage))
            chain += 1
    return calls + resyncs_of(calls, outage)


def _timeline(fault_ns: int, end_ns: int, stopped_ns: int, *, null: bool) -> Timeline:
    def mark(name: MarkName, at_ns: int, width_ns: int = 0) -> Mark:
        return Mark(name, at_ns, at_ns + width_ns)

    begun = [
        mark(MarkName.LOAD_BEGUN, BEGUN_NS),
        mark(MarkName.BASELINE_BEGUN, BEGUN_NS),
        mark(MarkName.BASELINE_ENDED, fault_ns - 300 * MS),
        mark(MarkName.FAULT_ARMED, fault_ns - 200 * MS),
    ]
    if null:
        return Timeline((
            *begun, mark(MarkName.NO_EFFECT, fault_ns + 10 * S), mark(MarkName.LOAD_STOPPED, stopped_ns),
        ))  # fmt: skip
    later = (
        mark(MarkName.FAULT_ACTIVE, fault_ns, 5 * MS),
        mark(MarkName.DETECTED, fault_ns + (end_ns - fault_ns) // 2),
        mark(MarkName.FAILED_OVER, end_ns - 100 * MS),
        mark(MarkName.FAULT_RELEASED, end_ns + S),
        mark(MarkName.FAULT_HEALED, end_ns + S + 500 * MS),
        mark(MarkName.PROTECTED, end_ns + 2 * S),
    )
    seen = [m for m in later if m.latest_ns < stopped_ns]
    return Timeline((*begun, *seen, mark(MarkName.LOAD_STOPPED, stopped_ns)))


def _read_back(name: str, taken_ns: int, rows: list[Row], defects: Defects | None) -> ReadBack:
    return ReadBack(
        name=name, taken_ns=taken_ns, complete=True, why_incomplete="", survivors=survivors(rows),
        foreign=defects.foreign if defects else 0, disagreements=(),
    )  # fmt: skip
