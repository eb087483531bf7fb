"""The report for programs: `peakdrill/run/v1`, as published in `schema/run-v1.schema.json`.

Canonical: the same record gives the same bytes. Times are seconds; those of marks count from
the fault (`timeline.origin`), and floats carry six significant digits. Money is exact.
"""

from __future__ import annotations

import json

from harness.core.plan import Plan
from harness.core.record import RunRecord
from harness.core.timeline import Mark
from harness.core.verdict import (
    Finding,
    RecoveryPoint,
    RecoveryTime,
    WorkloadJudgement,
    WriteCounts,
)
from reports.json_money import money_and_detection
from reports.json_recovery import recovery
from reports.json_values import Plain, exact_money, in_seconds, rounded
from reports.view import WRITE_CLASSES, counted, has_fault

SCHEMA = "peakdrill/run/v1"


def render_json(record: RunRecord) -> str:
    """The whole report as canonical JSON, with one newline at its end."""
    return json.dumps(report(record), sort_keys=True, indent=2, allow_nan=False) + "\n"


def report(record: RunRecord) -> dict[str, Plain]:
    """The same as a tree of plain values."""
    judgement = record.judgement
    return {
        "schema": SCHEMA,
        "run_id": judgement.run_id,
        "scenario": judgement.scenario,
        "platform": record.plan.platform.name,
        "verdict": judgement.verdict.value,
        "judge": judgement.judge,
        "reasons": [*judgement.reasons],
        "workloads": {w.workload.value: _workload(w, record.plan) for w in judgement.workloads},
        "findings": [_finding(f) for f in judgement.findings],
        "fitness": _fitness(record),
        "timeline": _timeline(record),
        **recovery(record),
        **money_and_detection(record),
        "evidence": {"digest": record.evidence_digest, "directory": record.directory},
        "not_checked": list(judgement.not_checked),
        "notes": list(judgement.notes),
        "currency": record.plan.targets.currency,
        "plan": _plan(record),
    }


def _workload(judged: WorkloadJudgement, plan: Plan) -> Plain:
    target = plan.targets.of(judged.workload)
    return {
        "verdict": judged.verdict.value,
        "rto": _rto(judged.rto, target.rto_s if target else None, plan.scenario.rto_clock),
        "rpo": _rpo(judged.rpo, target.rpo_s if target else None),
        "findings": [_finding(f) for f in judged.findings],
        "failback": None if judged.failback is None else _rto(judged.failback, None, "fault"),
    }


def _rto(rto: RecoveryTime | None, declared_s: float | None, clock: str) -> Plain:
    """`recovered` null: not measured. `high_s` null as well where it did not recover."""
    if rto is None:
        target_s = None if declared_s is None else rounded(declared_s)
        return {"target_s": target_s, "low_s": None, "high_s": None, "recovered": None}
    latent = clock == "outage" and rto.outage_low_ns is not None
    return {
        "target_s": in_seconds(rto.target_ns),
        "low_s": in_seconds(rto.outage_low_ns if latent else rto.low_ns),
        "high_s": in_seconds(rto.outage_high_ns if latent else rto.high_ns),
        "recovered": rto.recovered,
        "clock": clock,
        "fault_low_s": in_seconds(rto.low_ns),
        "fault_high_s": in_seconds(rto.high_ns),
        "observed_until_s": in_seconds(rto.observed_until_ns),
        "resolution_s": in_seconds(rto.resolution_ns),
        "widened_by_s": in_seconds(rto.widened_by_ns),
        "outage_low_s": in_seconds(rto.outage_low_ns),
        "outage_high_s": in_seconds(rto.outage_high_ns),
        "first_bad_s": in_seconds(rto.first_bad_ns),
        "first_success_s": in_seconds(rto.first_success_ns),
        "flaps": rto.flaps,
        "down_s": in_seconds(rto.down_ns),
        "degraded_s": in_seconds(rto.degraded_ns),
        "backlog_drained_s": in_seconds(rto.backlog_drained_ns),
        "well_at_end": rto.well_at_end,
        "shed": rto.shed,
        "full_low_s": in_seconds(rto.full_low_ns),
        "full_high_s": in_seconds(rto.full_high_ns),
        "burn_rate_alert_s": in_seconds(rto.burn_rate_alert_ns),
    }


def _counts(counts: WriteCounts | None) -> dict[str, Plain]:
    """Every class; null where nothing was read back, which is not zero."""
    found: dict[str, Plain] = {
        row.field: None if counts is None else counted(counts, row.field) for row in WRITE_CLASSES
    }
    found["achieved_s"] = None if counts is None else in_seconds(counts.achieved_ns)
    found["achieved_widened_by_s"] = None if counts is None else in_seconds(counts.widened_by_ns)
    found["recovery_point_s"] = None if counts is None else in_seconds(counts.recovery_point_ns)
    found["lost_value"] = None if counts is None else exact_money(counts.lost_value_cents)
    found["lost_is_suffix"] = None if counts is None else counts.lost_is_suffix
    return found


def _rpo(rpo: RecoveryPoint | None, declared_s: float | None) -> Plain:
    """`target_s` null: not applicable. Counts null: not measured."""
    if rpo is None:
        target_s = None if declared_s is None else rounded(declared_s)
        before = {"target_s": target_s, **_counts(None)}
        return {**before, "before_replay": before, "lost_max": None, "read_back": None,
                "examples": [], "not_applicable_reason": ""}  # fmt: skip
    target = in_seconds(rpo.target_ns)
    return {
        "target_s": target,
        **_counts(rpo.gated),
        "before_replay": {"target_s": target, **_counts(rpo.before_replay)},
        "lost_max": rpo.lost_max,
        "read_back": rpo.gated_read_back,
        "examples": list(rpo.examples),
        "not_applicable_reason": rpo.not_applicable_reason,
    }


def _finding(finding: Finding) -> Plain:
    return {
        "check": finding.check,
        "workload": finding.workload.value if finding.workload else None,
        "verdict": finding.verdict.value,
        "reason": finding.reason,
    }


def _fitness(record: RunRecord) -> Plain:
    conditions = record.judgement.fitness
    return {
        "fit": all(c.fit for c in conditions) if conditions else None,
        "conditions": [
            {
                "name": c.name,
                "fit": c.fit,
                "measured": c.measured,
                "limit": c.limit,
                "voids_loss": c.voids_loss,
            }
            for c in conditions
        ],
    }


def _timeline(record: RunRecord) -> Plain:
    def mark(found: Mark) -> Plain:
        return {
            "name": found.name.value,
            "earliest_s": in_seconds(found.earliest_ns - record.origin_ns),
            "latest_s": in_seconds(found.latest_ns - record.origin_ns),
            "note": found.note,
        }

    return {
        "origin": "fault-active" if has_fault(record) else "load-begun",
        "begun_utc": record.begun_utc,
        "load_begun_s": in_seconds(record.load_begun_ns - record.origin_ns),
        "load_stopped_s": in_seconds(record.load_stopped_ns - record.origin_ns),
        "marks": [mark(m) for m in record.timeline.marks],
        "steps": [{"activity": name, "status": status} for name, status in record.chaos_steps],
    }


def _plan(record: RunRecord) -> Plain:
    plan = record.plan
    facts = plan.platform
    return {
        "size": plan.size.value,
        "peak": rounded(plan.peak),
        "shape": plan.shape.name,
        "seed": plan.seed,
        "workers": plan.workers,
        "workers_in": plan.workers_in.value,
        "window_s": rounded(plan.limits.window_s),
        "release": plan.release,
        "targets": plan.targets.source,
        "season": plan.targets.season,
        "platform": {
            "name": facts.name,
            "kind": facts.kind,
            "heading": facts.heading,
            "capabilities": [*sorted(facts.capabilities)],
            "unproven": [*facts.unproven],
            "notes": [*facts.notes],
            "versions": dict(sorted(facts.versions)),
        },
    }
