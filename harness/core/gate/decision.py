"""The gate: from the runs of a release to one answer, by measurement.md, section 7.

    a proven loss or violation, in any run of the release   missed, whatever ran before or after it
    a cell or a comparison that is proven bad               missed
    no run that was fit to judge, and one that was not      invalid
    every cell and every comparison shown                   met; with a baseline, at least one
    anything else                                           inconclusive, with the number that lacks

Nothing is averaged, and every part has to pass: so a release that is bad in one of them passes no
more often than that part lets it, and nothing is corrected for the number of parts.
"""

from __future__ import annotations

from collections.abc import Iterable

from harness.core.gate.against import comparisons, refusal
from harness.core.gate.answer import answer, notes, weakest
from harness.core.gate.cells import cells, planned_runs
from harness.core.gate.comparable import Chosen, Terms, any_configuration, choose, series
from harness.core.gate.values import Comparison, GateDecision, Loss, Part, Question, ScenarioGate
from harness.core.outcome import Outcome
from harness.core.verdict import Verdict

_NOTHING = Chosen((), (), None)


def decide(question: Question, outcomes: Iterable[Outcome]) -> GateDecision:
    """Decide from what the history holds. Pure: the same runs give the same answer."""
    known = tuple(outcomes)
    scenarios = tuple(_scenario(question, terms, known) for terms in question.terms)
    losses = proven_losses(question.release, known)
    verdict = _verdict(question, scenarios, losses)
    least = weakest(scenarios)
    return GateDecision(
        question=question,
        planned=planned_runs(question),
        verdict=verdict,
        reasons=answer(question, verdict, scenarios, losses, least),
        scenarios=scenarios,
        losses=losses,
        weakest=least,
        notes=notes(question, scenarios),
    )


def proven_losses(release: str, outcomes: Iterable[Outcome]) -> tuple[Loss, ...]:
    """In any run of the release: any scenario, size, platform or judge, fit to judge or not."""
    lost = {run.run_id: run for run in outcomes if run.release == release and _has_lost(run)}
    return tuple(
        Loss(
            run_id=run.run_id,
            scenario=run.scenario,
            size=run.size,
            verdict=run.verdict,
            workloads=tuple(w.workload for w in run.workloads if w.proven_loss),
            reason=run.reason,
        )
        for run in sorted(lost.values(), key=lambda r: (r.begun_utc, r.run_id))
    )


def _has_lost(run: Outcome) -> bool:
    return run.proven_loss or any(w.proven_loss for w in run.workloads)


def _scenario(question: Question, terms: Terms, known: tuple[Outcome, ...]) -> ScenarioGate:
    chosen = choose(known, question.release, terms)
    found = series(chosen.runs)
    old, refused = _NOTHING, ""
    compared: tuple[Comparison, ...] = ()
    if question.baseline:
        old = choose(known, question.baseline, any_configuration(terms))
        refused = refusal(question, terms, old)
        if not refused:
            compared = comparisons(question, terms, found, series(old.runs))
    return ScenarioGate(
        scenario=terms.scenario,
        fit=len(found.fit),
        unfit=found.unfit,
        given_up=len(found.drills) - len(found.fit),
        to_repeat=found.to_repeat,
        run_ids=tuple(run.run_id for run in found.fit),
        begun_utc=tuple(run.begun_utc for run in found.fit),
        excluded=chosen.excluded,
        configuration=chosen.configuration,
        baseline_configuration=old.configuration,
        cells=cells(question, terms, found),
        comparisons=compared,
        refused=refused,
        unproven=any(run.unproven for run in found.fit),
        lost=sum(w.lost for run in found.fit for w in run.workloads),
    )


def _verdict(
    question: Question, scenarios: tuple[ScenarioGate, ...], losses: tuple[Loss, ...]
) -> Verdict:
    parts: list[Part] = [part for s in scenarios for part in s.parts]
    if losses or any(part.verdict is Verdict.MISSED for part in parts):
        return Verdict.MISSED
    if not any(s.fit for s in scenarios) and any(s.unfit for s in scenarios):
        return Verdict.INVALID
    shown = all(s.has_workloads and not s.refused and not s.unproven for s in scenarios)
    shown = shown and (not question.baseline or any(s.comparisons for s in scenarios))
    if scenarios and shown and all(part.verdict is Verdict.MET for part in parts):
        return Verdict.MET
    return Verdict.INCONCLUSIVE


__all__ = ["GateDecision", "Question", "decide", "proven_losses"]
