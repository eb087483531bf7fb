"""A gate as the summary of a CI job: the answer, why, then a row a cell.

Whatever came from outside is written as character references, as in `reports.markdown`.
"""

from __future__ import annotations

from harness.core.gate.values import Cell, Comparison, GateDecision, ScenarioGate
from harness.core.gate.wording import percent, time
from harness.core.verdict import Verdict
from reports.markdown import escape
from reports.words import SIGN, WORD

_CELLS = (
    "Workload",
    "Verdict",
    "Met",
    "Supports",
    "Clean runs more for 90/95/99%",
    "Slowest",
    "Target",
)
_COMPARED = ("Workload", "Verdict", "Share of drills", "Within", "Allowed", "Runs of each")


def render_gate_markdown(decision: GateDecision) -> str:
    """The summary, ready for a CI job's page."""
    question, policy = decision.question, decision.question.policy
    lines = [f"## {_verdict(decision.verdict)}: {escape(decision.reasons[0])}", ""]
    lines += [f"- {escape(reason)}" for reason in decision.reasons[1:]]
    kind = "**Smoke runs.** " if decision.smoke else ""
    against = f", against {escape(question.baseline)}" if question.baseline else ""
    test = "looked at after every run" if question.sequential else "with appointed looks"
    told = (
        f"{kind}Release {escape(question.release)}{against}: at least {percent(policy.quantile)} "
        f"of drills, {percent(policy.confidence)} confidence, margin {percent(policy.margin)}, "
        f"{test}, {decision.planned} clean runs a scenario."
    )
    lines += ["", told]
    for scenario in decision.scenarios:
        lines += ["", *_scenario(decision, scenario)]
    if decision.notes:
        lines += ["", "**Notes**", "", *(f"- {escape(note)}" for note in decision.notes)]
    return "\n".join(lines) + "\n"


def _verdict(verdict: Verdict) -> str:
    return f"{SIGN[verdict]} {WORD[verdict]}"


def _scenario(decision: GateDecision, scenario: ScenarioGate) -> list[str]:
    lines = [f"### {escape(scenario.scenario)}", "", *_table(_CELLS), *map(_cell, scenario.cells)]
    if scenario.comparisons:
        rows = [row for comparison in scenario.comparisons for row in _comparison(comparison)]
        title = f"Recovery time against {escape(decision.question.baseline)}:"
        lines += ["", title, "", *_table(_COMPARED), *rows]
    if scenario.run_ids:
        lines += ["", f"Runs: {escape(', '.join(scenario.run_ids))}"]
    return lines


def _table(titles: tuple[str, ...]) -> list[str]:
    return [f"| {' | '.join(titles)} |", "|:--|:--" + "|--:" * (len(titles) - 2) + "|"]


def _row(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(escape(cell) for cell in cells) + " |"


def _cell(cell: Cell) -> str:
    more = "/".join("-" if k is None else str(k) for _, k in cell.stronger)
    told = (f"{cell.clean}/{cell.runs}", percent(cell.supported), more)
    times = (time(cell.slowest_ns), time(cell.target_ns))
    name = cell.workload or "platform-wide"
    return f"| {escape(name)} | {_verdict(cell.verdict)} " + _row((*told, *times))


def _comparison(comparison: Comparison) -> list[str]:
    name = escape(comparison.workload)
    if not comparison.quantiles:
        told = ("-", "-", "-", f"{comparison.runs}, {comparison.baseline_runs}")
        return [f"| {name} | {_verdict(comparison.verdict)} " + _row(told)]
    return [
        f"| {name} | {_verdict(found.verdict)} "
        + _row(
            (
                percent(found.quantile),
                time(found.upper_ns),
                time(found.limit_ns, up=False),
                str(found.runs),
            )
        )
        for found in comparison.quantiles
    ]
