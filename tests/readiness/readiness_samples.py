"""Outcomes and claims made by hand, and the readiness that follows from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from harness.core import checks
from harness.core.instants import days_after
from harness.core.operation import Workload
from harness.core.outcome import Outcome, WorkloadOutcome
from harness.core.policy import Policy, Season
from harness.core.readiness.cells import Claim
from harness.core.readiness.matrix import Readiness, readiness
from harness.core.readiness.trend import Series
from harness.core.scenario import Scenario, automatic, experiment, load
from harness.core.targets import Targets, WorkloadTarget
from harness.core.verdict import Verdict

S = 1_000_000_000
NOW = "2027-10-01T12:00:00Z"
SEASON = Season("black-friday", "2027-11-22", "2027-11-30")
POLICY = Policy(valid_days=90, seasons=(SEASON,), tenants=("north", "south"))
RTO_S = {
    Workload.ORDER_CAPTURE: 60.0, Workload.POINT_OF_SALE: 60.0, Workload.STOCK_RESERVATION: 60.0,
    Workload.FULFILMENT: 120.0, Workload.MARKETPLACE: 120.0, Workload.FINANCE: 900.0,
}  # fmt: skip
TIERS = ("critical", "critical", "critical", "high", "high", "medium")
ALL = tuple(Workload)


def scenario(name: str = "node-loss", **changes: object) -> Scenario:
    made = Scenario(
        name=name, owner="platform", load=load("weekend-promotion"),
        fault=experiment(name, node="primary"), recovery=automatic(within_s=120),
        checks=[checks.rto, checks.rpo, checks.stores_agree],
        requires={"nodes", "database.standby", "ingress"}, story="A claim.",
    )  # fmt: skip
    return replace(made, **changes)  # type: ignore[arg-type]


def targets(workloads: Sequence[Workload] = ALL, **changes: object) -> Targets:
    made = [
        WorkloadTarget(
            workload=w, tier=tier, owner="commerce", rto_s=RTO_S[w], rpo_s=0.0, lost_max=0,
            latency_limit_s=2.0, rate_per_s=10.0,
        )
        for w, tier in zip(ALL, TIERS, strict=True)
        if w in workloads
    ]  # fmt: skip
    return Targets(tuple(replace(t, **changes) for t in made), season="black-friday")  # type: ignore[arg-type]


def claim(name: str = "node-loss", **changes: object) -> Claim:
    return Claim(scenario(name, **changes), targets())


def part(workload: Workload = Workload.ORDER_CAPTURE, **changes: object) -> WorkloadOutcome:
    made = WorkloadOutcome(
        workload=workload, verdict=Verdict.MET,
        checks=(("rto", Verdict.MET), ("rpo", Verdict.MET)), rate_per_s=10.0,
        rto_target_ns=round(RTO_S[workload] * S), rto_low_ns=20 * S, rto_high_ns=21 * S,
        rto_observed_until_ns=80 * S, rpo_target_ns=0, rpo_achieved_ns=0, acked=900, lost=0,
        violations=0, lost_value_cents=0, proven_loss=False,
    )  # fmt: skip
    return replace(made, **changes)  # type: ignore[arg-type]


def lost(workload: Workload = Workload.ORDER_CAPTURE, records: int = 3) -> WorkloadOutcome:
    """A proven loss."""
    return part(
        workload, verdict=Verdict.MISSED, lost=records, proven_loss=True, rpo_achieved_ns=2 * S,
        checks=(("rto", Verdict.MET), ("rpo", Verdict.MISSED)),
    )  # fmt: skip


def slow(workload: Workload = Workload.ORDER_CAPTURE, low_s: float = 70.0) -> WorkloadOutcome:
    """Beyond its target."""
    return part(
        workload, verdict=Verdict.MISSED, rto_low_ns=round(low_s * S),
        rto_high_ns=round((low_s + 1) * S), checks=(("rto", Verdict.MISSED), ("rpo", Verdict.MET)),
    )  # fmt: skip


def unsure(workload: Workload = Workload.ORDER_CAPTURE) -> WorkloadOutcome:
    """Its interval holds the target."""
    return part(
        workload, verdict=Verdict.INCONCLUSIVE, rto_low_ns=59 * S, rto_high_ns=61 * S,
        checks=(("rto", Verdict.INCONCLUSIVE), ("rpo", Verdict.MET)),
    )  # fmt: skip


def void(workload: Workload = Workload.ORDER_CAPTURE) -> WorkloadOutcome:
    checked = (("rto", Verdict.INVALID), ("rpo", Verdict.INVALID))
    return part(workload, verdict=Verdict.INVALID, checks=checked)


def run(
    begun_utc: str = "2027-09-20T10:00:00Z",
    *parts: WorkloadOutcome,
    name: str = "node-loss",
    **changes: object,
) -> Outcome:
    """A full run of 2027.9.0 that met everything, but for the parts that are given."""
    given = {p.workload: p for p in parts}
    workloads = tuple(given.get(w, part(w)) for w in ALL)
    verdicts = [w.verdict for w in workloads]
    worst = (Verdict.MISSED, Verdict.INVALID, Verdict.INCONCLUSIVE, Verdict.MET)
    made = Outcome(
        run_id=begun_utc.replace("-", "").replace(":", "") + "a1b2", begun_utc=begun_utc,
        scenario=name, fault=name, release="2027.9.0", season="black-friday", tenant="",
        size="full", seed=1, peak=1.0, platform="embedded", kind="shop",
        heading="stand-in application", configuration="c" * 64, unproven=False, judge="v1",
        verdict=next(v for v in worst if v in verdicts), reason="",
        proven_loss=any(w.proven_loss for w in workloads), workloads=workloads,
        checks=(("stores-agree", Verdict.MET), ("recovery", Verdict.MET)), not_checked=(),
        capabilities=(), evidence_digest="d" * 64,
    )  # fmt: skip
    return replace(made, **changes)  # type: ignore[arg-type]


def found(
    runs: Sequence[Outcome],
    claims: Sequence[Claim] | None = None,
    *,
    now: str = NOW,
    policy: Policy = POLICY,
    season: Season = SEASON,
    **asked: str,
) -> Readiness:
    return readiness(
        runs, [claim()] if claims is None else claims, policy, season=season, now_utc=now, **asked
    )


SIX = (
    "node-loss", "page-corruption", "logical-corruption", "archive-gap", "credential-compromise",
    "ransomware",
)  # fmt: skip


def mixed() -> Readiness:
    """Every state at once."""
    older = {"release": "2027.7.0", "configuration": "b" * 64}
    runs = [
        run("2027-07-10T10:00:00Z", **older),
        run("2027-07-12T10:00:00Z", slow(), **older),
        run("2027-08-20T10:00:00Z"),
        run("2027-09-20T10:00:00Z"),
        run("2027-09-21T10:00:00Z", part(rto_low_ns=33 * S, rto_high_ns=34 * S)),
        run("2027-09-22T10:00:00Z", name="page-corruption", size="smoke"),
        run("2027-09-23T10:00:00Z", unsure(Workload.FULFILMENT), name="page-corruption"),
        run("2027-09-24T10:00:00Z", lost(Workload.POINT_OF_SALE), name="logical-corruption"),
        run("2027-06-01T10:00:00Z", slow(), name="archive-gap", **older),
        run("2027-09-25T10:00:00Z", name="credential-compromise", size="smoke"),
        run("2027-09-26T10:00:00Z", *map(void, ALL), name="credential-compromise"),
        run("2027-09-27T10:00:00Z", name="node-loss", tenant="north"),
    ]
    return found(runs, [claim(name) for name in SIX])


def ready() -> Readiness:
    runs = [run(f"2027-09-2{day}T10:00:00Z", name=name) for day, name in enumerate(SIX)]
    return found(runs, [claim(name) for name in SIX])


def lapsing() -> Readiness:
    """All met today, and some of it ends before the season."""
    runs = [run(f"2027-0{8 + n % 2}-1{n}T10:00:00Z", name=name) for n, name in enumerate(SIX)]
    return found(runs, [claim(name) for name in SIX])


def untested() -> Readiness:
    return found([], [claim(name) for name in SIX])


HOSTILE = (
    "<script>alert('x')</script>", '"><img src=x onerror=alert(1)>', "order\u202eerutpac",
    "a" * 180, "very-long-" * 12 + "name", "né\x1b[31mtoile", "{{ 7 * 7 }}", "'; DROP TABLE runs;",
    "&lt;b&gt;", "platform\n\nReady",
)  # fmt: skip


def crowd() -> Readiness:
    """Ten workloads with hostile names, ten scenarios likewise, two hundred runs."""
    base = mixed()
    cells = [
        replace(
            base.cells[(3 * r + c) % len(base.cells)], scenario=row, column=column,
            reason=f"{HOSTILE[c]} was {HOSTILE[r]}", owner=HOSTILE[c], run_id=HOSTILE[r],
        )
        for r, row in enumerate(HOSTILE)
        for c, column in enumerate(HOSTILE)
    ]  # fmt: skip
    lines = [
        replace(
            base.runs[n % len(base.runs)], run_id=f"run-{n}-{HOSTILE[n % 10]}",
            scenario=HOSTILE[n % 10], release=HOSTILE[n % 7], use=HOSTILE[n % 3],
            begun_utc=days_after("2027-01-01T00:00:00Z", n),
        )
        for n in range(200)
    ]  # fmt: skip
    return replace(
        base, cells=tuple(cells), rows=HOSTILE, columns=HOSTILE, runs=tuple(lines),
        season=replace(base.season, name=HOSTILE[0]), tenant=HOSTILE[1],
        answer=f"Not ready for {HOSTILE[0]}: weakest: {HOSTILE[2]}.",
        subject=replace(base.subject, release=HOSTILE[1], heading=HOSTILE[4]),
        components=tuple(replace(c, title=HOSTILE[n % 10]) for n, c in enumerate(base.components)),
        trend=_crowded_trend(base), notes=HOSTILE,
    )  # fmt: skip


def _crowded_trend(base: Readiness) -> tuple[Series, ...]:
    first = base.trend[0]
    many = tuple(
        replace(first.points[0], release=HOSTILE[n % 10], runs=first.points[0].runs * 20)
        for n in range(10)
    )
    return tuple(
        replace(first, scenario=HOSTILE[n // 5], workload=HOSTILE[n % 10], points=many)
        for n in range(20)
    )
