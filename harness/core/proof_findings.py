"""From what was looked at to a finding: the checks that are judged from proofs and from steps.

Nothing passes by omission. A kind of which there is no proof was not looked at; a proof that could
not be had (`ok` is None) is no pass; one that speaks against the platform outweighs all others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from harness.core import checks
from harness.core.checks import Check
from harness.core.evidence import Evidence
from harness.core.plan import Plan
from harness.core.proofs import Proof, StepRecord
from harness.core.timeline import MarkName
from harness.core.verdict import Finding, Verdict
from harness.core.wording import seconds

_NOT_FROM_PROOFS = frozenset(
    c.name
    for c in (*checks.EVERY_DRILL, checks.access_revoked, checks.runbook_done)
)  # fmt: skip
AUTOMATIC = "automatic"


def proof_checks(plan: Plan) -> tuple[Check, ...]:
    """The scenario's checks that are judged from proofs: all that nothing else judges."""
    return tuple(c for c in plan.scenario.checks if c.name not in _NOT_FROM_PROOFS)


def gate_proofs(check: Check, proofs: Sequence[Proof]) -> Finding:
    """One check from its proofs.

    >>> sound = Proof("audit-kept", "audit", "log", True, "audit log: 41 lines, all there", 1)
    >>> gate_proofs(checks.audit_kept, [sound]).reason
    'audit-kept: nothing was looked at: configuration'
    """
    mine = [p for p in proofs if p.check == check.name]
    against = [p for p in mine if p.ok is False]
    if against:
        return _finding(check, Verdict.MISSED, _told(against))
    kinds = (
        check.kinds or checks.ALL.get(check.name, check).kinds
    )  # a plan from before there were any
    seen = Counter(p.kind for p in mine)
    unseen = [kind for kind in kinds if not seen[kind]]
    if unseen or not kinds:
        what = ", ".join(unseen) or "no kind of proof is known for it"
        return _finding(check, Verdict.INCONCLUSIVE, f"nothing was looked at: {what}")
    unknown = [p for p in mine if p.ok is None]
    if unknown:
        return _finding(check, Verdict.INCONCLUSIVE, f"not found out: {_told(unknown)}")
    if len(mine) == 1:
        return _finding(check, Verdict.MET, mine[0].told)
    counted = ", ".join(f"{number:,} {kind}" for kind, number in sorted(seen.items()))
    return _finding(check, Verdict.MET, f"{len(mine):,} looked at ({counted}), all sound")


def gate_runbook(plan: Plan, evidence: Evidence) -> Finding:
    """Every step of the runbook was observed, and the runbook came to its end.

    An inspection that knows the runbook says which of its steps nobody came to.
    """
    check, steps = checks.runbook_done, evidence.steps
    failed = [s for s in steps if not s.done]
    if failed:
        more = f" (and {len(failed) - 1:,} more)" if len(failed) > 1 else ""
        told = f"{failed[0].name} of {failed[0].runbook} was not seen: {failed[0].told}{more}"
        return _finding(check, Verdict.MISSED, told)
    seen = [p for p in evidence.proofs if p.check == check.name]
    if any(p.ok is False for p in seen):
        told = _told([p for p in seen if p.ok is False])
        return _finding(check, Verdict.MISSED, told)
    asked = [r for r in (plan.scenario.recovery, plan.scenario.failback) if r is not None]
    named = [r.runbook for r in asked if r.runbook != AUTOMATIC]
    unseen = [name for name in named if not any(s.runbook == name for s in steps)]
    if unseen or not steps:
        what = ", ".join(unseen) or "the recovery has no runbook"
        return _finding(check, Verdict.INCONCLUSIVE, f"no step was taken: {what}")
    if any(p.ok is None for p in seen):
        told = _told([p for p in seen if p.ok is None])
        return _finding(check, Verdict.INCONCLUSIVE, f"not found out: {told}")
    unended = _unended(plan, evidence)
    if unended:
        return _finding(check, Verdict.INCONCLUSIVE, f"{unended} was not seen to end")
    recovery = [s for s in steps if s.runbook == plan.scenario.recovery.runbook] or list(steps)
    return _finding(check, Verdict.MET, f"{len(recovery):,} steps, {_last(recovery, evidence)}")


def against_unnamed(plan: Plan, proofs: Sequence[Proof]) -> tuple[str, ...]:
    """What speaks against the platform under a check that the scenario does not name."""
    named = {c.name for c in plan.scenario.checks}
    return tuple(
        f"{p.check}, which the scenario does not name: {p.told}"
        for p in proofs
        if p.ok is False and p.check not in named
    )


def _unended(plan: Plan, evidence: Evidence) -> str:
    """The runbook whose last mark is missing, or ""."""
    timeline, scenario = evidence.timeline, plan.scenario
    ended = timeline.first(MarkName.RECOVERY_ENDED) is not None
    if scenario.recovery.runbook != AUTOMATIC and not ended:
        return scenario.recovery.runbook
    if scenario.failback is not None and timeline.first(MarkName.FAILBACK_ENDED) is None:
        return scenario.failback.runbook
    return ""


def _last(steps: Sequence[StepRecord], evidence: Evidence) -> str:
    """When the last one was seen, after the fault; after the first step where none took effect."""
    last_ns = max(s.ended_ns for s in steps)
    fault = evidence.timeline.first(MarkName.FAULT_ACTIVE)
    begun_ns = fault.earliest_ns if fault else min(s.begun_ns for s in steps)
    of = "the fault" if fault else "the first began"
    return f"the last seen {seconds(max(0, last_ns - begun_ns), up=True)} s after {of}"


def _told(proofs: Sequence[Proof]) -> str:
    more = f" (and {len(proofs) - 1:,} more)" if len(proofs) > 1 else ""
    return f"{proofs[0].told}{more}"


def _finding(check: Check, verdict: Verdict, told: str) -> Finding:
    return Finding(check.name, None, verdict, f"{check.name}: {told}")
