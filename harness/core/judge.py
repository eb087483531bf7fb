"""The judgement: from a plan and its evidence to a verdict, and nothing else (judge v1).

Per workload and check met < inconclusive < missed, and the gravest wins. An unfit instrument voids
met, never a proven miss. A check that crashes is inconclusive with its reason, never a pass.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from harness.core import checks
from harness.core.evidence import Evidence
from harness.core.fitness import EFFECT, INTERRUPTED, LEDGER, READ_BACK
from harness.core.gates import RECOVERY, RPO, RTO, STORES_AGREE, gate_recovery, gate_stores
from harness.core.measures import Measures, guarded
from harness.core.plan import Plan
from harness.core.reasons import not_checked, notes, reasons
from harness.core.verdict import (
    Finding,
    FitnessFinding,
    Judgement,
    Verdict,
    WorkloadJudgement,
    gravest,
)


def judge(plan: Plan, evidence: Evidence) -> Judgement:
    """Judge one run. Pure: the same plan and evidence give the same judgement, to the byte."""
    if evidence.observation.skipped:
        return _skipped(plan, evidence.observation.skipped)
    measures = Measures(plan, evidence)
    fit = measures.fitness()
    workloads = tuple(_void_workload(w, fit) for w in measures.workloads())
    platform = tuple(_void(f, fit) for f in _platform_findings(plan, evidence, measures, workloads))
    verdict = _verdict(workloads, platform, fit)
    told = reasons(verdict, workloads, platform, fit)
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
        notes=notes(plan, evidence, workloads),
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
    platform = [STORES_AGREE] if STORES_AGREE in names else []
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


def _platform_findings(
    plan: Plan,
    evidence: Evidence,
    measures: Measures,
    workloads: tuple[WorkloadJudgement, ...],
) -> list[Finding]:
    chosen, found = plan.scenario.checks, []
    if checks.stores_agree in chosen:
        last = evidence.second or evidence.first
        settled = evidence.second is not None and evidence.observation.replay_ended_ns is not None
        body = partial(gate_stores, last, settled=settled)
        found.append(guarded(STORES_AGREE, None, body))
    if checks.rpo in chosen:
        strangers = guarded(RPO, None, measures.gate_strangers)
        found += [strangers] if strangers.verdict is not Verdict.MET else []
    if checks.rto in chosen:
        timed = [(w.workload, w.rto) for w in workloads if w.rto is not None]
        within_s = plan.scenario.recovery.within_s
        found.append(guarded(RECOVERY, None, lambda: gate_recovery(timed, within_s)))
    if plan.platform.unproven:
        told = f"nobody has run this platform's adapter yet: {', '.join(plan.platform.unproven)}"
        found.append(Finding("proven-adapter", None, Verdict.INCONCLUSIVE, told))
    return found


def _void(finding: Finding, fit: tuple[FitnessFinding, ...]) -> Finding:
    """What unfitness leaves of a finding: never a pass, and a miss only where it is proven."""
    unfit = {f.name for f in fit if not f.fit}
    if not unfit:
        return finding
    if finding.verdict is Verdict.MISSED and not unfit & _VOIDS.get(finding.check, _VOIDS_LOSS):
        return finding
    return replace(finding, verdict=Verdict.INVALID)


_VOIDS_LOSS = {"fitness", LEDGER, READ_BACK}
_VOIDS_TIME = {"fitness", LEDGER, EFFECT, INTERRUPTED}
_VOIDS = {RTO: _VOIDS_TIME, RECOVERY: _VOIDS_TIME}


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
