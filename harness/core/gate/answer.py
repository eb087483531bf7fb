"""The gate's answer in sentences: the first says whether the release may go live, the rest why."""

from __future__ import annotations

from collections.abc import Sequence

from harness.core.gate.values import Cell, Loss, Part, Question, ScenarioGate
from harness.core.gate.wording import PLATFORM, clean_runs, drills, percent, place
from harness.core.verdict import Verdict

_GRAVITY = {Verdict.MISSED: 0, Verdict.INCONCLUSIVE: 1, Verdict.MET: 2}
_NAMED = 3


def weakest(scenarios: Sequence[ScenarioGate]) -> Cell | None:
    """The gravest; then the one that claims least; then the one nearest to its target."""
    found = [cell for scenario in scenarios for cell in scenario.cells]

    def strength(cell: Cell) -> tuple[int, float, float]:
        left = 1.0
        if cell.target_ns:
            left = 1 - (cell.slowest_ns or cell.target_ns) / cell.target_ns
        return _GRAVITY[cell.verdict], cell.supported, left

    return min(found, key=strength, default=None)


def answer(
    question: Question,
    verdict: Verdict,
    scenarios: Sequence[ScenarioGate],
    losses: Sequence[Loss],
    least: Cell | None,
) -> tuple[str, ...]:
    """Every reason once, the answer first."""
    told = {
        Verdict.MET: _safe,
        Verdict.MISSED: _not_safe,
        Verdict.INVALID: _not_judged,
    }.get(verdict, _not_proven)
    first = told(question, scenarios, losses)
    lines = [first, *(f"lost: {_loss(loss)}" for loss in losses[1:_NAMED])]
    if len(losses) > _NAMED:
        lines.append(f"lost: in {len(losses) - _NAMED} runs more")
    if least is not None and least.runs:
        lines.append(f"weakest: {place(least.scenario, least.workload)}: {least.reason}")
    lines += [f"refused: {s.refused}" for s in scenarios if s.refused]
    for scenario in scenarios:
        lines += _open(scenario)
    return tuple(dict.fromkeys(lines))


def _open(scenario: ScenarioGate) -> list[str]:
    """What does not pass, gravest first; what has the same reason shares a line."""
    alike: dict[str, list[str]] = {}
    parts = [part for part in scenario.parts if part.verdict is not Verdict.MET]
    for part in sorted(parts, key=lambda p: _GRAVITY[p.verdict]):
        alike.setdefault(part.reason, []).append(part.workload or PLATFORM)
    return [f"{scenario.scenario}, {_names(names)}: {why}" for why, names in alike.items()]


def _names(names: list[str]) -> str:
    """At most three by name.

    >>> _names(["a", "b"]), _names(["a", "b", "c", "d", "e"])
    ('a, b', 'a, b, c and 2 more')
    """
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _part(part: Part) -> str:
    return f"{place(part.scenario, part.workload)}: {part.reason}"


def _smoke(question: Question) -> str:
    return " (smoke runs)" if any(t.size == "smoke" for t in question.terms) else ""


def _safe(question: Question, scenarios: Sequence[ScenarioGate], losses: Sequence[Loss]) -> str:
    assert not losses
    policy = question.policy
    fewest = min(s.counted for s in scenarios)
    lost = sum(s.lost for s in scenarios)
    nothing = "nothing acknowledged was lost"
    told = (
        f"Safe{_smoke(question)}: {question.release} met its targets in at least "
        f"{percent(policy.quantile)} of drills, at {percent(policy.confidence)} confidence: "
        f"{len(scenarios)} scenario{'' if len(scenarios) == 1 else 's'}, "
        f"at least {drills(fewest)} each, "
        + (f"{lost:,} acknowledged writes were lost, as the targets allow" if lost else nothing)
    )
    if question.baseline:
        told += f"; no slower than {question.baseline} by more than {percent(policy.margin)}"
        compared = sum(bool(s.comparisons) for s in scenarios)
        some = f" in {compared} of them, and nothing to compare in the others"
        told += some if compared < len(scenarios) else ""
    return told


def _not_safe(question: Question, scenarios: Sequence[ScenarioGate], losses: Sequence[Loss]) -> str:
    head = f"Not safe{_smoke(question)}: {question.release}"
    if losses:
        again = "" if len(losses) == 1 else f", and {len(losses) - 1} more"
        return f"{head} lost what it had acknowledged, and no later run takes that back: " + (
            _loss(losses[0]) + again
        )
    bad = [part for s in scenarios for part in s.parts if part.verdict is Verdict.MISSED]
    more = f"; and {len(bad) - 1} more" if len(bad) > 1 else ""
    return f"{head}: {_part(bad[0])}{more}"


def _not_proven(
    question: Question, scenarios: Sequence[ScenarioGate], losses: Sequence[Loss]
) -> str:
    assert not losses
    head = f"Not proven{_smoke(question)}: {question.release}"
    if not scenarios:
        return f"{head}: no scenario was asked for"
    refused = next((s.refused for s in scenarios if s.refused), "")
    needed = [
        f"{clean_runs(s.lacking)} of {s.scenario}" for s in scenarios if s.lacking
    ]  # fmt: skip
    needed += [
        f"{k} more of {s.scenario} on {question.baseline}"
        for s in scenarios
        if (k := max([c.baseline_more for c in s.comparisons], default=0))
    ]
    if needed:
        more = f", and {len(needed) - _NAMED} more such" if len(needed) > _NAMED else ""
        return f"{head}: {', '.join(needed[:_NAMED])}{more} needed" + (
            f"; refused: {refused}" if refused else ""
        )
    if refused:
        return f"{head}: refused: {refused}"
    open_ = [part for s in scenarios for part in s.parts if part.verdict is not Verdict.MET]
    if not open_ and question.baseline and all(s.has_workloads for s in scenarios):
        return f"{head}: no RTO is gated, so that nothing is compared with {question.baseline}"
    return f"{head}: {_part(open_[0])}" if open_ else f"{head}: nothing was checked"


def _not_judged(
    question: Question, scenarios: Sequence[ScenarioGate], losses: Sequence[Loss]
) -> str:
    assert not losses
    unfit = [run_id for s in scenarios for run_id in s.unfit]
    return (
        f"Not judged{_smoke(question)}: none of the {drills(len(unfit))} of {question.release} was "
        f"fit to judge: {', '.join(unfit[:_NAMED])}"
    )


def _loss(loss: Loss) -> str:
    where = ", ".join(loss.workloads) or "across the stores"
    told = f"{loss.scenario} {loss.run_id} ({loss.size}, {where})"
    return f"{told}: {loss.reason.rstrip('.')}" if loss.reason else told


def notes(question: Question, scenarios: Sequence[ScenarioGate]) -> tuple[str, ...]:
    """What a reader must know to read the figures rightly."""
    told = []
    if any(t.size == "smoke" for t in question.terms):
        told.append("smoke: short runs; full ones watch for longer and say more")
    for s in scenarios:
        told += _not_counted(s)
        if s.unfit:
            word = "run was" if len(s.unfit) == 1 else "runs were"
            ids = ", ".join(s.unfit)
            told.append(f"{s.scenario}: {len(s.unfit)} {word} not fit to judge: {ids}")
        if s.given_up:
            told.append(
                f"{s.scenario}: {drills(s.given_up)} stayed unfit after two repeats: inconclusive"
            )
        both = (s.configuration, s.baseline_configuration)
        if question.baseline and None not in both and both[0] != both[1]:
            told.append(
                f"{s.scenario}: {question.release} was drilled on another configuration than "
                f"{question.baseline}: what is compared is the release with its configuration"
            )
        told += _not_compared(question, s)
    return tuple(told)


def _not_counted(scenario: ScenarioGate) -> list[str]:
    """Every run by name, under its reason."""
    by_reason: dict[str, list[str]] = {}
    for run in scenario.excluded:
        by_reason.setdefault(run.why, []).append(run.run_id)
    return [
        f"{scenario.scenario}: not counted: {', '.join(ids)}: {why}"
        for why, ids in by_reason.items()
    ]


def _not_compared(question: Question, scenario: ScenarioGate) -> list[str]:
    if not question.baseline or scenario.refused:
        return []
    compared = {c.workload for c in scenario.comparisons}
    left = [c.workload for c in scenario.cells if c.workload and c.workload not in compared]
    return [f"{scenario.scenario}: {', '.join(left)}: RTO is not gated, nothing to compare"] * bool(
        left
    )
