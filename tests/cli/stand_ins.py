"""A session that judges at once: for tests of the command line alone."""

from __future__ import annotations

from pathlib import Path

from harness.core import checks
from harness.core.plan import Limits, Plan, PlatformFacts, Size
from harness.core.record import RunRecord
from harness.core.scenario import Scenario, automatic, experiment, load
from harness.core.schedule import Shape
from harness.core.timeline import Timeline
from harness.core.verdict import Judgement, Verdict
from harness.inputs import places
from harness.inputs.targets_file import read_targets

SCENARIO = Scenario(
    name="node-loss",
    owner="platform",
    load=load("steady"),
    fault=experiment("node-loss", node="primary"),
    recovery=automatic(within_s=120),
    checks=[checks.rto],
    requires={"nodes"},
    story="A node is lost.",
)

FACTS = PlatformFacts(
    name="embedded",
    kind="shop",
    heading="stand-in application",
    disposable=True,
    capabilities=("nodes",),
    versions=(("postgresql", "18"),),
    loops_s=(("patroni", 2.0),),
    notes=("process death, not power loss",),
)


def plan() -> Plan:
    return Plan(
        run_id="r1",
        scenario=SCENARIO,
        targets=read_targets(places.SHIPPED / "targets.yaml"),
        platform=FACTS,
        size=Size.SMOKE,
        peak=2.0,
        shape=Shape("steady", ((0.0, 1.0),)),
        seed=7,
        workers=1,
        limits=Limits(10, 5, 60, 10, 60, 30, 5),
        experiment_file="experiment.yaml",
    )


def judgement(verdict: Verdict) -> Judgement:
    return Judgement(
        run_id="r1",
        scenario="node-loss",
        judge="v1",
        verdict=verdict,
        reasons=(f"because it is {verdict.value}",),
        workloads=(),
        findings=(),
        fitness=(),
        not_checked=(),
        notes=(),
    )


def record(verdict: Verdict) -> RunRecord:
    return RunRecord(
        plan=plan(),
        judgement=judgement(verdict),
        timeline=Timeline(()),
        series=(),
        origin_ns=0,
        load_begun_ns=0,
        load_stopped_ns=0,
        begun_utc="2026-11-22T03:00:00Z",
        evidence_digest="0" * 64,
        directory="r1",
    )


def judged(verdict: Verdict, out: Path) -> tuple[RunRecord, Path]:
    return record(verdict), out / "r1"
