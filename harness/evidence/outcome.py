"""From a judged run to its outcome; the configuration's digest is of canonical bytes."""

from __future__ import annotations

import hashlib

from harness.core.asked import bars_of, method_of
from harness.core.measured_findings import RPO, STORES_AGREE
from harness.core.outcome import Outcome, WorkloadOutcome
from harness.core.plan import Plan, PlatformFacts
from harness.core.targets import WorkloadTarget
from harness.core.verdict import Finding, Judgement, Verdict, WorkloadJudgement
from harness.evidence import canonical

_NS_PER_S = 1_000_000_000


def outcome_of(
    plan: Plan, judgement: Judgement, *, begun_utc: str, evidence_digest: str
) -> Outcome:
    """What the history keeps of a run."""
    workloads = tuple(
        _workload(w, target, plan)
        for w in judgement.workloads
        if (target := plan.targets.of(w.workload)) is not None
    )
    across = any(
        f.check == STORES_AGREE and f.verdict is Verdict.MISSED for f in judgement.findings
    )
    return Outcome(
        run_id=plan.run_id,
        begun_utc=begun_utc,
        scenario=plan.scenario.name,
        fault=plan.instead or plan.scenario.fault.experiment,
        release=plan.release,
        season=plan.targets.season,
        tenant=plan.targets.tenant,
        size=plan.size.value,
        seed=plan.seed,
        peak=plan.peak,
        platform=plan.platform.name,
        kind=plan.platform.kind,
        heading=plan.platform.heading,
        configuration=configuration_of(plan.platform),
        unproven=bool(plan.platform.unproven),
        judge=judgement.judge,
        verdict=judgement.verdict,
        reason=judgement.reasons[0] if judgement.reasons else "",
        proven_loss=across or any(w.proven_loss for w in workloads),
        workloads=workloads,
        checks=_checks(judgement.findings),
        not_checked=judgement.not_checked,
        capabilities=tuple(sorted(plan.scenario.requires)),
        evidence_digest=evidence_digest,
        method=method_of(plan.scenario),
    )


def configuration_of(facts: PlatformFacts) -> str:
    """SHA-256 of everything that a platform says of itself, hex."""
    return hashlib.sha256(canonical.dumps(facts)).hexdigest()


def _workload(judged: WorkloadJudgement, target: WorkloadTarget, plan: Plan) -> WorkloadOutcome:
    rto, rpo = judged.rto, judged.rpo
    counts = rpo.gated if rpo else None
    return WorkloadOutcome(
        workload=judged.workload,
        verdict=judged.verdict,
        checks=_checks(judged.findings),
        rate_per_s=target.rate_per_s * plan.peak,
        rto_target_ns=round(target.rto_s * _NS_PER_S),
        rto_low_ns=rto.low_ns if rto else None,
        rto_high_ns=rto.high_ns if rto else None,
        rto_observed_until_ns=rto.observed_until_ns if rto else None,
        rpo_target_ns=None if target.rpo_s is None else round(target.rpo_s * _NS_PER_S),
        rpo_achieved_ns=counts.achieved_ns if counts else 0,
        acked=counts.acked if counts else 0,
        lost=counts.lost if counts else 0,
        violations=counts.violations if counts else 0,
        lost_value_cents=counts.lost_value_cents if counts else 0,
        proven_loss=any(f.check == RPO and f.verdict is Verdict.MISSED for f in judged.findings),
        bars=bars_of(target),
        rpo_widened_by_ns=counts.widened_by_ns if counts else 0,
        waiting=counts.waiting if counts else 0,
    )


def _checks(findings: tuple[Finding, ...]) -> tuple[tuple[str, Verdict], ...]:
    return tuple((f.check, f.verdict) for f in findings)
