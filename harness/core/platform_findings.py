"""The checks of the platform as a whole, and what a restore cost it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from harness.core import checks
from harness.core.access import gate_access
from harness.core.failback import FAILBACK, gate_failback
from harness.core.measured_findings import RECOVERY, RPO, STORES_AGREE, gate_recovery, gate_stores
from harness.core.measures import Measures, guarded
from harness.core.proof_findings import against_unnamed, gate_proofs, gate_runbook, proof_checks
from harness.core.restoration import restoration, unprotected
from harness.core.timeline import MarkName
from harness.core.verdict import (
    AccessJudgement,
    Finding,
    RestorationCounts,
    UnprotectedWindow,
    Verdict,
    WorkloadJudgement,
)
from harness.core.wording import gap

ACCESS = checks.access_revoked.name
RUNBOOK = checks.runbook_done.name


def platform_findings(
    measures: Measures, workloads: tuple[WorkloadJudgement, ...]
) -> list[Finding]:
    """Every check of the scenario that no workload answers for, in the order of the reports."""
    plan = measures.plan
    found = [*_of_stores(measures), *_of_time(measures, workloads), *_of_recovery(measures)]
    if plan.platform.unproven:
        told = f"nobody has run this platform's adapter yet: {', '.join(plan.platform.unproven)}"
        found.append(Finding("proven-adapter", None, Verdict.INCONCLUSIVE, told))
    return found


def _of_stores(measures: Measures) -> list[Finding]:
    evidence, chosen, found = measures.evidence, measures.plan.scenario.checks, []
    if checks.stores_agree in chosen:
        last = evidence.second or evidence.first
        body = partial(gate_stores, last, settled=measures.settled)
        found.append(guarded(STORES_AGREE, None, body))
    if checks.rpo in chosen:
        strangers = guarded(RPO, None, measures.gate_strangers)
        found += [strangers] if strangers.verdict is not Verdict.MET else []
    return found


def _of_time(measures: Measures, workloads: tuple[WorkloadJudgement, ...]) -> list[Finding]:
    scenario, found = measures.plan.scenario, []
    if checks.rto in scenario.checks:
        timed = [(w.workload, w.rto) for w in workloads if w.rto is not None]
        within_s = scenario.recovery.within_s
        found.append(guarded(RECOVERY, None, lambda: gate_recovery(timed, within_s)))
    back = scenario.failback
    if back is not None:
        ways = [(w.workload, w.failback) for w in workloads if w.failback is not None]
        found.append(guarded(FAILBACK, None, lambda: gate_failback(back, measures.evidence, ways)))
    return found


def _of_recovery(measures: Measures) -> list[Finding]:
    """What the runbook and the inspections saw, and what the attacker's log says."""
    plan, evidence = measures.plan, measures.evidence
    chosen = {c.name for c in plan.scenario.checks}
    found = [
        guarded(check.name, None, partial(gate_proofs, check, evidence.proofs))
        for check in proof_checks(plan)
    ]
    if ACCESS in chosen:
        try:
            found += gate_access(measures.access)
        except Exception as error:  # noqa: BLE001 - see `guarded`
            why = f"platform: the check {ACCESS} crashed: {type(error).__name__}: {error}"
            found.append(Finding(ACCESS, None, Verdict.INCONCLUSIVE, why))
    if RUNBOOK in chosen:
        found.append(guarded(RUNBOOK, None, lambda: gate_runbook(plan, evidence)))
    return found


def accesses(measures: Measures) -> tuple[AccessJudgement, ...]:
    """The table of the attacker's log; where it cannot be had, its finding says why."""
    try:
        return measures.access
    except Exception:  # noqa: BLE001 - see `guarded`
        return ()


@dataclass(frozen=True, slots=True)
class Cost:
    """What a restore cost: reported, not gated."""

    restoration: tuple[RestorationCounts, ...]
    unprotected: UnprotectedWindow | None
    notes: tuple[str, ...]
    told_first: tuple[str, ...] = ()  # right after the answer


def cost_of_restore(measures: Measures) -> Cost:
    """What was lost and brought back, and since when nothing was protected.

    None of it decides the verdict, so a crash is a note; what is not known is not told as zero.
    """
    plan, evidence = measures.plan, measures.evidence
    notes = list(against_unnamed(plan, evidence.proofs))
    try:
        declared = tuple(t.workload for t in plan.targets.workloads)
        lost = restoration(
            measures.restore,
            ((piece.portion, piece.end) for piece in measures.pieces()),
            declared,
            fault=evidence.timeline.first(MarkName.FAULT_ACTIVE),
            run_id=plan.run_id,
        )
        window = unprotected(evidence, ((piece.records, piece.end) for piece in measures.pieces()))
    except Exception as error:  # noqa: BLE001 - see `guarded`
        why = f"what the restore cost is not known: {type(error).__name__}: {error}"
        return Cost((), None, (*notes, why))
    if evidence.timeline.first(MarkName.RESTORED) is not None and not lost:
        look = evidence.restored
        why = "nobody looked after it" if look is None else f"not read whole: {look.why_incomplete}"
        notes.append(f"what the restore itself lost is not known: {why}")
    first = (gap(window, plan.targets.currency),) if window is not None else ()
    return Cost(lost, window, tuple(notes), first)
