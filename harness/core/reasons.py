"""The verdict in sentences, for the person at 3 a.m.: the first one says whether we are safe."""

from __future__ import annotations

from harness.core import checks
from harness.core.evidence import Evidence
from harness.core.measured_findings import doubt
from harness.core.operation import Workload
from harness.core.plan import Plan, Size
from harness.core.timeline import MarkName
from harness.core.verdict import (
    Finding,
    FitnessFinding,
    Verdict,
    WorkloadJudgement,
)
from harness.core.wording import noun

_NAMED_FIRST = 2


def reasons(
    verdict: Verdict,
    workloads: tuple[WorkloadJudgement, ...],
    platform: tuple[Finding, ...],
    fit: tuple[FitnessFinding, ...],
    *,
    first: tuple[str, ...] = (),
) -> tuple[str, ...]:
    """The answer, then what must be told `first`, then a line per workload, then the platform's."""
    unfit = [f"{f.name}: {f.measured} (asked: {f.limit})" for f in fit if not f.fit]
    lines = [_line(w) for w in workloads if w.findings]
    others = [f.reason for f in platform]
    told = [_answer(verdict, workloads, platform, fit), *first, *unfit, *lines, *others]
    return tuple(dict.fromkeys(told))


def _line(judged: WorkloadJudgement) -> str:
    """One workload's findings in one sentence, its name once."""
    name = f"{judged.workload}: "
    return name + "; ".join(f.reason.removeprefix(name) for f in judged.findings)


def _answer(
    verdict: Verdict,
    workloads: tuple[WorkloadJudgement, ...],
    platform: tuple[Finding, ...],
    fit: tuple[FitnessFinding, ...],
) -> str:
    findings = [*(f for w in workloads for f in w.findings), *platform]
    if verdict is Verdict.MET:
        return f"Safe: {_counted(len(workloads))} met; tightest, {_line(_tightest(workloads))}"
    if verdict is Verdict.MISSED:
        return f"Not safe: {_listed([f for f in findings if f.verdict is Verdict.MISSED])}"
    if verdict is Verdict.INVALID:
        told = "; ".join(f"{f.name}: {f.measured}" for f in fit if not f.fit)
        return f"Not judged: {_first_unfit(fit) or told}"
    doubtful = [f for f in findings if f.verdict is Verdict.INCONCLUSIVE]
    return f"Not proven: {_listed(doubtful)}" if doubtful else "Not proven: nothing was checked"


def _counted(number: int) -> str:
    return f"all {number} workloads" if number > 1 else "the one workload"


def _listed(findings: list[Finding]) -> str:
    named = "; ".join(f.reason for f in findings[:_NAMED_FIRST])
    more = len(findings) - _NAMED_FIRST
    return f"{named}; and {more} more" if more > 0 else named


def _first_unfit(fit: tuple[FitnessFinding, ...]) -> str:
    """The condition that explains the others, in plain words."""
    unfit = {f.name: f for f in fit if not f.fit}
    if "uninterrupted" in unfit:
        return f"the run was interrupted: {unfit['uninterrupted'].measured}"
    if "effect" in unfit:
        return "no effect was observed: the fault did not take hold, so nothing was put to the test"
    return ""


def _tightest(workloads: tuple[WorkloadJudgement, ...]) -> WorkloadJudgement:
    """The workload that came nearest to its objective, in whole parts of a hundred."""

    def used_percent(judged: WorkloadJudgement) -> int:
        found = judged.rto
        if found is None or found.high_ns is None or not found.target_ns:
            return -1
        return found.high_ns * 100 // found.target_ns

    return max(workloads, key=used_percent)


def not_checked(plan: Plan) -> tuple[str, ...]:
    """What this verdict says nothing about."""
    named = {check.name for check in plan.scenario.checks}
    told = [
        f"{check.name}: not named by the scenario"
        for check in checks.EVERY_DRILL
        if check.name not in named
    ]
    for target in plan.targets.workloads:
        if target.rpo_s is None:
            why = target.rpo_not_applicable_reason or "no reason given"
            told.append(f"{target.workload} rpo: not applicable: {why}")
    declared = {t.workload for t in plan.targets.workloads}
    told += [f"{w}: no targets declared" for w in Workload if w not in declared]
    return tuple(told)


def notes(
    plan: Plan, evidence: Evidence, workloads: tuple[WorkloadJudgement, ...]
) -> tuple[str, ...]:
    """What a reader must know to read the figures rightly."""
    told = [f"size: {Size.SMOKE}"] if plan.size is Size.SMOKE else []
    told += plan.platform.notes
    restored = evidence.timeline.first(MarkName.RESTORED) is not None
    for judged in workloads:
        told += _notes_of(judged, restored=restored)
    if not evidence.observation.whole_after:
        told.append(f"platform not whole at the end: {evidence.observation.whole_after_why}")
    return tuple(told)


def _notes_of(judged: WorkloadJudgement, *, restored: bool) -> list[str]:
    found, workload = judged.rpo, judged.workload
    if found is None or found.target_ns is None:
        return []
    counts = found.gated
    told = [doubt(workload, found)]
    if counts.acked and not counts.lost:
        told.append(
            f"{workload}: 0 of {counts.acked:,} {noun(workload)} lost bounds the rate of loss "
            f"below 3/{counts.acked:,} at 95%"
        )
    if not counts.lost_is_suffix:
        why = (
            "what replay did not bring back, or split brain"
            if restored
            else "that points to split brain rather than to lag"
        )
        told.append(f"{workload}: later writes survived where earlier ones are lost: {why}")
    if counts.duplicate_by_retry:
        told.append(f"{workload}: {counts.duplicate_by_retry:,} executed twice after a retry")
    return [note for note in told if note]
