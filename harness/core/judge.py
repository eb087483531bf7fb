"""The judgement: from a plan and its evidence to a verdict, and nothing else (judge v1).

Per workload and check met < inconclusive < missed, and the gravest wins. An unfit instrument voids
met, never a proven miss. A check that crashes is inconclusive with its reason, never a pass.
"""

from __future__ import annotations

from dataclasses import replace

from harness.core import checks
from harness.core.evidence import Evidence
from harness.core.failback import FAILBACK
from harness.core.fitness import EFFECT, INTERRUPTED, LEDGER, READ_BACK
from harness.core.measured_findings import RECOVERY, RPO, RTO, STORES_AGREE
from harness.core.measures import Measures
from harness.core.plan import Plan
from harness.core.platform_findings import accesses, cost_of_restore, platform_findings
from harness.core.reasons import not_checked, notes, reasons
from harness.core.verdict import (
    AccessJudgement,
    Finding,
    FitnessFinding,
    Judgement,
    Verdict,
    WorkloadJudgement,
    gravest,
)


def judge(plan: Plan, evidence: Evidence, measures: Measures | None = None) -> Judgement:
    """Judge one run. Pure: the same plan and evidence give the same judgement, to the byte.

    `measures`: of the same plan and evidence, for whoever needs them afterwards.
    """
    if evidence.observation.skipped:
        return _skipped(plan, evidence.observation.skipped)
    measures = measures or Measures(plan, evidence)
    fit = measures.fitness()
    workloads = tuple(_void_workload(w, fit) for w in measures.workloads())
    platform = tuple(_void(f, fit) for f in platform_findings(measures, workloads))
    verdict = _verdict(workloads, platform, fit)
    cost = cost_of_restore(measures)
    told = reasons(verdict, workloads, platform, fit, first=cost.told_first)
    return Judgement(
        run_id=plan.run_id,
        scenario=plan.scenario.name,
        judge=plan.judge,
        verdict=verdict,
        reasons=told,
        workloads=workloads,
        findings=platform,
        fitness=fit,
        not_checked=not_checked(plan),
        notes=(*notes(plan, evidence, workloads), *cost.notes),
        access=tuple(_void_access(a, fit) for a in accesses(measures)),
        restoration=cost.restoration,
        unprotected=cost.unprotected,
    )


def _skipped(plan: Plan, why: str) -> Judgement:
    """The platform lacks a capability: every check is inconclusive, never green."""
    names = [c.name for c in plan.scenario.checks]
    workloads = tuple(
        WorkloadJudgement(
            t.workload,
            Verdict.INCONCLUSIVE,
            None,
            None,
            tuple(
                Finding(name, t.workload, Verdict.INCONCLUSIVE, why)
                for name in names
                if name in (RTO, RPO) and not (name == RPO and t.rpo_s is None)
            ),
        )
        for t in plan.targets.workloads
    )
    platform = [name for name in names if name not in (RTO, RPO)]
    return Judgement(
        run_id=plan.run_id,
        scenario=plan.scenario.name,
        judge=plan.judge,
        verdict=Verdict.INCONCLUSIVE,
        reasons=(why,),
        workloads=workloads,
        findings=tuple(Finding(name, None, Verdict.INCONCLUSIVE, why) for name in platform),
        fitness=(),
        not_checked=not_checked(plan),
        notes=(),
    )


def _void(finding: Finding, fit: tuple[FitnessFinding, ...]) -> Finding:
    """What unfitness leaves of a finding: never a pass, and a miss only where it is proven."""
    unfit = {f.name for f in fit if not f.fit}
    if not unfit:
        return finding
    if finding.verdict is Verdict.MISSED and not unfit & _VOIDS.get(finding.check, _VOIDS_LOSS):
        return finding
    return replace(finding, verdict=Verdict.INVALID)


def _void_access(judged: AccessJudgement, fit: tuple[FitnessFinding, ...]) -> AccessJudgement:
    found = Finding(checks.access_revoked.name, None, judged.verdict, judged.reason)
    return replace(judged, verdict=_void(found, fit).verdict)


# what makes a miss unproven: of writes, the ledger and the stores; of time, the watch; of what was
# looked at, only that the recovery was cut short, unless no recovery could have undone it
_VOIDS_LOSS = {"fitness", LEDGER, READ_BACK}
_VOIDS_TIME = {"fitness", LEDGER, EFFECT, INTERRUPTED}
_VOIDS_SEEN = {"fitness", INTERRUPTED}
_OF_TIME = (RTO, RECOVERY, FAILBACK)
_OF_WRITES = (RPO, STORES_AGREE)
_NEVER_MENDED = (checks.secrets_hidden.name, checks.backups_locked.name)
_VOIDS_EVEN_SO = {"fitness"}
_VOIDS = (
    dict.fromkeys(checks.ALL, _VOIDS_SEEN)
    | dict.fromkeys(_OF_WRITES, _VOIDS_LOSS)
    | dict.fromkeys(_OF_TIME, _VOIDS_TIME)
    | dict.fromkeys(_NEVER_MENDED, _VOIDS_EVEN_SO)
)


def _void_workload(judged: WorkloadJudgement, fit: tuple[FitnessFinding, ...]) -> WorkloadJudgement:
    findings = tuple(_void(f, fit) for f in judged.findings)
    return replace(judged, findings=findings, verdict=_combined([f.verdict for f in findings]))


def _combined(verdicts: list[Verdict]) -> Verdict:
    """The gravest of what may be judged; `invalid` where something was voided and none missed."""
    if Verdict.INVALID in verdicts and Verdict.MISSED not in verdicts:
        return Verdict.INVALID
    return gravest([v for v in verdicts if v is not Verdict.INVALID])


def _verdict(
    workloads: tuple[WorkloadJudgement, ...],
    platform: tuple[Finding, ...],
    fit: tuple[FitnessFinding, ...],
) -> Verdict:
    verdicts = [f.verdict for w in workloads for f in w.findings] + [f.verdict for f in platform]
    if Verdict.MISSED not in verdicts and any(not f.fit for f in fit):
        return Verdict.INVALID
    return _combined(verdicts)
