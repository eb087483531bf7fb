"""Cells of a gate: does at least the declared share of drills meet the target of this workload?

A drill that was met is clean; one that was missed is a miss; one that is inconclusive is neither,
and counts with the misses against the claim: a doubtful drill that is left out would be a choice of
the good ones. Of the contrary (too many miss) only proven misses speak.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from harness.core.gate import miss_rate, sequential
from harness.core.gate.comparable import Series, Terms, counted
from harness.core.gate.noninferiority import looks
from harness.core.gate.values import Cell, Question
from harness.core.gate.wording import drills, percent
from harness.core.operation import Workload
from harness.core.outcome import Outcome
from harness.core.statistics import clean_runs_needed
from harness.core.verdict import Verdict, gravest

STRONGER = (0.90, 0.95, 0.99)
_DECIDED = (Verdict.MET, Verdict.INCONCLUSIVE, Verdict.MISSED)


def planned_runs(question: Question) -> int:
    """Clean runs a scenario that pass: appointed by the policy, never by what was seen."""
    policy = question.policy
    needed = clean_runs_needed(policy.quantile, policy.confidence)
    if question.sequential:
        needed = sequential.more_clean_runs(0, 0, policy.quantile, policy.confidence) or needed
    if question.baseline:  # bounds of both must exist at the first look
        needed = looks(policy.quantile, policy.confidence, needed)[0].runs
    return needed


def cells(question: Question, terms: Terms, found: Series) -> tuple[Cell, ...]:
    """Every workload that the targets name, then the platform."""
    places: list[Workload | None] = [w.workload for w in terms.workloads]
    return tuple(_cell(question, terms, found, place) for place in [*places, None])


def verdict_of(run: Outcome, place: Workload | None) -> Verdict:
    """What one fit run says of one cell. What it does not speak of is inconclusive."""
    if place is not None:
        found = run.of(place)
        told = Verdict.INCONCLUSIVE if found is None else found.verdict
        return told if told in _DECIDED else Verdict.INCONCLUSIVE
    across = gravest([v for _, v in run.checks if v in _DECIDED]) if run.checks else Verdict.MET
    if across is Verdict.MET and run.verdict is not Verdict.MET:
        explained = any(w.verdict is not Verdict.MET for w in run.workloads)
        return Verdict.MET if explained else Verdict.INCONCLUSIVE
    return across


def _cell(question: Question, terms: Terms, found: Series, place: Workload | None) -> Cell:
    policy = question.policy
    missed, undecided = counted(found.drills, lambda run: verdict_of(run, place))
    runs, against = len(found.drills), missed + undecided
    verdict, more = _decided(question, runs, missed, against)
    unproven = any(run.unproven for run in found.fit)
    if verdict is Verdict.MET and unproven:
        verdict = Verdict.INCONCLUSIVE
    share = miss_rate.supported_quantile(against, runs, policy.confidence)
    cell = Cell(
        scenario=terms.scenario,
        workload=place,
        verdict=verdict,
        reason="",
        runs=runs,
        missed=missed,
        undecided=undecided,
        supported=share,
        more=None if unproven else more,
        stronger=tuple(
            (q, miss_rate.more_clean_runs(against, runs, q, policy.confidence)) for q in STRONGER
        ),
        slowest_ns=_slowest(found.fit, place),
        target_ns=next((w.rto_target_ns for w in terms.workloads if w.workload is place), None),
        evidence=sequential.evidence_for(against, runs, policy.quantile)
        if question.sequential
        else None,
    )
    return _told(question, cell, unproven=unproven)


def _decided(
    question: Question, runs: int, missed: int, against: int
) -> tuple[Verdict, int | None]:
    """The verdict by the declared rule, and the clean runs that it lacks."""
    quantile, confidence = question.policy.quantile, question.policy.confidence
    if question.sequential:
        refuted = sequential.refuted(missed, runs, quantile, confidence)
        more = sequential.more_clean_runs(against, runs, quantile, confidence)
    else:
        refuted = miss_rate.at_least(missed, runs, confidence) > 1 - quantile
        first = planned_runs(question)
        look = miss_rate.look_for(against, miss_rate.plan_of_looks(quantile, confidence, first))
        more = None if look is None else max(0, look.runs - runs)
    if refuted:
        return Verdict.MISSED, more
    return (Verdict.MET if more == 0 else Verdict.INCONCLUSIVE), more


def _slowest(fit: Sequence[Outcome], place: Workload | None) -> int | None:
    """The longest recovery that was seen, by its high end; None where one has no end."""
    if place is None:
        return None
    highs = [found.rto_high_ns if (found := run.of(place)) else None for run in fit]
    known = [high for high in highs if high is not None]
    return max(known) if known and len(known) == len(highs) else None


def _told(question: Question, cell: Cell, *, unproven: bool) -> Cell:
    policy = question.policy
    asked, sure = percent(policy.quantile), percent(policy.confidence)
    told = f"{cell.clean} of {drills(cell.runs)} met" if cell.runs else "no drill counts"
    told += f", {cell.missed} missed" if cell.missed else ""
    told += f", {cell.undecided} neither" if cell.undecided else ""
    if cell.verdict is Verdict.MISSED:
        told += f": fewer than {asked} meet their target, at {sure} confidence"
    elif cell.runs:
        told += f": at least {percent(cell.supported)} do, at {sure} confidence"
    if unproven and cell.verdict is not Verdict.MISSED:
        told += "; by an adapter that nobody has run (unproven), which is never a pass"
    elif cell.verdict is Verdict.INCONCLUSIVE:
        told += f"; {_more(cell.more, asked)}"
    return replace(cell, reason=told)


def _more(more: int | None, asked: str) -> str:
    if more is None:
        return f"no number of clean runs that could be made would show {asked}"
    return f"{more} more clean run{'' if more == 1 else 's'} needed for {asked}"
