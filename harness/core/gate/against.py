"""Comparisons of a gate: the candidate's recovery times against the baseline's, per workload."""

from __future__ import annotations

from collections.abc import Sequence

from harness.core.gate.cells import planned_runs
from harness.core.gate.comparable import Chosen, Series, Terms, WorkloadTerms, why_none
from harness.core.gate.noninferiority import (
    Appointed,
    Compared,
    Interval,
    Rule,
    compare,
    looks,
    quantiles,
    would_pass_at,
)
from harness.core.gate.values import Comparison, Question
from harness.core.gate.wording import percent, time
from harness.core.measured_findings import RTO
from harness.core.operation import Workload
from harness.core.outcome import Outcome
from harness.core.verdict import Verdict, gravest


def refusal(question: Question, terms: Terms, old: Chosen) -> str:
    """Why the baseline cannot be compared: it was drilled, and in another way."""
    if old.runs or not old.excluded:
        return ""
    return f"{terms.scenario}: {question.baseline} is not compared: {why_none(old)}"


def comparisons(
    question: Question, terms: Terms, new: Series, old: Series
) -> tuple[Comparison, ...]:
    """Every workload whose recovery time is gated; all of them must pass."""
    return tuple(
        _comparison(question, terms, target, new, old)
        for target in terms.workloads
        if _is_gated(target.workload, [*new.fit, *old.fit])
    )


def _is_gated(workload: Workload, runs: Sequence[Outcome]) -> bool:
    """One run that gates it is enough: nothing passes by omission."""
    found = [run.of(workload) for run in runs]
    return not runs or any(w is None or RTO in dict(w.checks) for w in found)


def interval(run: Outcome | None, workload: Workload) -> Interval:
    """A drill's recovery time. One that tells none is anything from nothing to for ever."""
    found = None if run is None else run.of(workload)
    if found is None or found.rto_low_ns is None:
        return Interval()
    if found.rto_high_ns is None:
        return Interval(found.rto_low_ns)
    return Interval(found.rto_low_ns, found.rto_high_ns)


def _comparison(
    question: Question, terms: Terms, target: WorkloadTerms, new: Series, old: Series
) -> Comparison:
    policy, workload = question.policy, target.workload
    rule = Rule(policy.margin, target.floor_ns)
    ours = [interval(run, workload) for run in new.drills]
    theirs = [interval(run, workload) for run in old.drills]
    appointed = looks(policy.quantile, policy.confidence, planned_runs(question))
    both = min(len(ours), len(theirs))
    taken = [
        _look(ours, theirs, look, policy.quantile, rule) for look in appointed if look.runs <= both
    ]
    verdict, decisive = _of_all(taken)
    following = next((look for look in appointed if look.runs > both), None)
    open_ = verdict is Verdict.INCONCLUSIVE and following is not None
    next_runs = following.runs if open_ and following is not None else 0
    about = None
    if verdict is Verdict.INCONCLUSIVE:
        to_come = [look for look in appointed if look.runs > both]
        about = would_pass_at(
            ours, theirs, gated=policy.quantile, appointed=to_come, rule=rule
        )  # fmt: skip
    return Comparison(
        scenario=terms.scenario,
        workload=workload,
        verdict=verdict,
        reason=_reason(
            question,
            verdict=verdict,
            decisive=decisive,
            runs=(len(ours), len(theirs)),
            next_runs=next_runs,
            about=about,
        ),
        runs=len(ours),
        baseline_runs=len(theirs),
        quantiles=decisive,
        more=max(0, next_runs - len(ours)),
        baseline_more=max(0, next_runs - len(theirs)),
        about=about,
    )


def _look(
    ours: Sequence[Interval], theirs: Sequence[Interval], look: Appointed, gated: float, rule: Rule
) -> tuple[Compared, ...]:
    return tuple(
        compare(ours, theirs, quantile=q, look=look, rule=rule) for q in quantiles(gated)
    )  # fmt: skip


def _of_all(taken: Sequence[tuple[Compared, ...]]) -> tuple[Verdict, tuple[Compared, ...]]:
    """Slower at any look is slower; else one look at which all quantiles pass is enough."""
    verdicts = [gravest([c.verdict for c in look]) for look in taken]
    for wanted in (Verdict.MISSED, Verdict.MET):
        if wanted in verdicts:
            return wanted, taken[verdicts.index(wanted)]
    return Verdict.INCONCLUSIVE, taken[-1] if taken else ()


def _reason(
    question: Question,
    *,
    verdict: Verdict,
    decisive: tuple[Compared, ...],
    runs: tuple[int, int],
    next_runs: int,
    about: int | None,
) -> str:
    base, margin = question.baseline, percent(question.policy.margin)
    if not decisive:
        return (
            f"too few runs to compare with {base}: {runs[0]} and {runs[1]} of {next_runs} each; "
            f"{_needed(question, runs, next_runs)}"
        )
    worst = next((c for c in decisive if c.verdict is verdict), decisive[-1])
    where = f"{percent(worst.quantile)} of drills, {worst.runs} of each"
    figures = f"within {time(worst.upper_ns)}, allowed {time(worst.limit_ns, up=False)} ({where})"
    if verdict is Verdict.MET:
        return f"no slower than {base} by more than {margin}: {figures}"
    seen = f"{time(worst.candidate_ns)} against {time(worst.baseline_ns)} ({where})"
    if verdict is Verdict.MISSED:
        return f"slower than {base} by more than {margin}: {seen}"
    told = f"not shown to be no slower than {base} by more than {margin}: {figures}"
    told += f"; {_needed(question, runs, next_runs)}" if next_runs else ""
    if about is None:
        return f"{told}; if they go on like this, no number of runs will show it"
    return f"{told}; if they go on like this, {about} of each would show it"


def _needed(question: Question, runs: tuple[int, int], next_runs: int) -> str:
    lacking = (
        (question.release, next_runs - runs[0]),
        (question.baseline, next_runs - runs[1]),
    )
    return " and ".join(f"{k} more of {name}" for name, k in lacking if k > 0) + " needed"
