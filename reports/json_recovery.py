"""What a recovery left behind, for programs: steps, proofs, access, the cost of a restore."""

from __future__ import annotations

from harness.core.proofs import Proof, StepRecord
from harness.core.record import RunRecord
from harness.core.verdict import AccessJudgement, RestorationCounts, UnprotectedWindow
from reports.json_values import Plain, exact_money, in_seconds


def recovery(record: RunRecord) -> dict[str, Plain]:
    """Lists are empty, and `unprotected` is null, where the run had none of it."""
    judgement, origin_ns = record.judgement, record.origin_ns
    return {
        "runbook": [_step(s, origin_ns) for s in record.steps],
        "proofs": [_proof(p, origin_ns) for p in record.proofs],
        "access": [_access(a) for a in judgement.access],
        "restoration": {r.workload.value: _restoration(r) for r in judgement.restoration},
        "unprotected": _unprotected(judgement.unprotected),
    }


def _step(step: StepRecord, origin_ns: int) -> Plain:
    return {
        "runbook": step.runbook,
        "name": step.name,
        "title": step.title,
        "decision": step.decision,
        "role": step.role,
        "begun_s": in_seconds(step.begun_ns - origin_ns),
        "ended_s": in_seconds(step.ended_ns - origin_ns),
        "done": step.done,
        "told": step.told,
    }


def _proof(proof: Proof, origin_ns: int) -> Plain:
    return {
        "check": proof.check,
        "kind": proof.kind,
        "subject": proof.subject,
        "ok": proof.ok,
        "told": proof.told,
        "seen_s": in_seconds(proof.seen_ns - origin_ns),
    }


def _access(found: AccessJudgement) -> Plain:
    return {
        "credential": found.credential,
        "verdict": found.verdict.value,
        "reason": found.reason,
        "tries": found.tries,
        "accepted": found.accepted,
        "denied": found.denied,
        "unanswered": found.unanswered,
        "denied_since": found.denied_since,
        "accepted_since_revoked": found.accepted_since_revoked,
        "first_accepted_s": in_seconds(found.first_accepted_ns),
        "last_accepted_low_s": in_seconds(found.last_accepted_low_ns),
        "last_accepted_high_s": in_seconds(found.last_accepted_high_ns),
        "revoked_low_s": in_seconds(found.revoked_low_ns),
        "revoked_high_s": in_seconds(found.revoked_high_ns),
    }


def _restoration(found: RestorationCounts) -> Plain:
    back, gone = found.back_value_cents, found.gone_value_cents
    return {
        "acked": found.acked,
        "lost": found.lost,
        "back": found.back,
        "gone": found.gone,
        "spoiled": found.spoiled,
        "waiting": found.waiting,
        "lost_value": exact_money(found.lost_value_cents),
        "back_value": None if back is None else exact_money(back),
        "gone_value": None if gone is None else exact_money(gone),
        "recovery_point_s": in_seconds(found.recovery_point_ns),
        "last_lost_s": in_seconds(found.last_lost_ns),
        "span_s": in_seconds(found.span_ns),
        "examples": list(found.examples),
    }


def _unprotected(found: UnprotectedWindow | None) -> Plain:
    if found is None:
        return None
    return {
        "since_s": in_seconds(found.since_ns),
        "until_s": in_seconds(found.until_ns),
        "length_s": in_seconds(found.length_ns),
        "acked": found.acked,
        "value": exact_money(found.value_cents),
        "lost": found.lost,
        "told": found.told,
    }
