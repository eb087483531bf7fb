"""A gate on a terminal: the answer first, then why, then a row a cell; every name cleaned."""

from __future__ import annotations

import textwrap

from harness.core.gate.next_drill import drills_to_make
from harness.core.gate.values import Cell, Comparison, GateDecision, ScenarioGate
from harness.core.gate.wording import drills, percent, time
from reports.words import clean

COLUMNS = 100
_CELLS = (25, 14, 8, 10, 12, 11, 9)
_COMPARED = (25, 14, 10, 15, 15, 10)


def gate_text(decision: GateDecision) -> str:
    """The whole answer."""
    lines = [*_wrapped(clean(decision.reasons[0]), "")]
    lines += [line for told in decision.reasons[1:] for line in _wrapped(clean(told), "  ")]
    for scenario in decision.scenarios:
        lines += ["", *_scenario(decision, scenario)]
    if decision.notes:
        lines.append("")
        lines += [line for note in decision.notes for line in _wrapped(f"note: {clean(note)}", "")]
    return "\n".join(lines)


def plan_text(decision: GateDecision, minutes: dict[str, float]) -> str:
    """What will be run, before anything is. `minutes`: of one drill of a scenario, at the most."""
    lines, total = [], 0.0
    for scenario in decision.scenarios:
        number = drills_to_make(decision, scenario)
        each = minutes.get(scenario.scenario, 0.0)
        total += number * each
        lines.append(
            f"  {clean(scenario.scenario)}: {scenario.counted} of {decision.planned} there; "
            f"{number} to make, {each:.0f} min each at the most"
        )
    head = f"to be made if all are clean: {_hours(total)} at the most; one that is not fit to "
    return "\n".join([f"{head}judge is repeated twice", *lines])


def _hours(minutes: float) -> str:
    return f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.1f} h"


def _scenario(decision: GateDecision, scenario: ScenarioGate) -> list[str]:
    sure = percent(decision.question.policy.confidence)
    head = f"{clean(scenario.scenario)}: {drills(scenario.counted)} of {decision.planned}"
    head += f", {len(scenario.unfit)} not fit to judge" if scenario.unfit else ""
    head += f", {len(scenario.excluded)} not counted" if scenario.excluded else ""
    lines = [
        head,
        _row(_CELLS, ("", "verdict", "met", "supports", "90/95/99%", "slowest", "target")),
    ]
    lines += [_cell(cell) for cell in scenario.cells]
    lines.append(f"  supports: the share of drills that these runs claim, at {sure} confidence;")
    lines.append("  90/95/99%: clean runs more that these shares would take, fixed beforehand")
    if scenario.comparisons:
        titles = ("", "verdict", "quantile", "within", "allowed", "of each")
        lines += ["", f"against {clean(decision.question.baseline)}", _row(_COMPARED, titles)]
        lines += [row for comparison in scenario.comparisons for row in _comparison(comparison)]
    if scenario.run_ids:
        ids = scenario.run_ids
        lines.append(
            f"  runs: {clean(ids[0])} to {clean(ids[-1])}"
            if len(ids) > 1
            else f"  run: {clean(ids[0])}"
        )
    return lines


def _cell(cell: Cell) -> str:
    more = "/".join("-" if k is None else str(k) for _, k in cell.stronger)
    return _row(
        _CELLS,
        (
            cell.workload or "platform-wide",
            cell.verdict.value,
            f"{cell.clean}/{cell.runs}",
            percent(cell.supported),
            more,
            time(cell.slowest_ns),
            time(cell.target_ns),
        ),
    )


def _comparison(comparison: Comparison) -> list[str]:
    if not comparison.quantiles:
        runs = f"{comparison.runs}, {comparison.baseline_runs}"
        titles = (comparison.workload.value, comparison.verdict.value, "-", "-", "-", runs)
        return [_row(_COMPARED, titles)]
    return [
        _row(
            _COMPARED,
            (
                comparison.workload.value if number == 0 else "",
                found.verdict.value,
                percent(found.quantile),
                time(found.upper_ns),
                time(found.limit_ns, up=False),
                str(found.runs),
            ),
        )
        for number, found in enumerate(comparison.quantiles)
    ]


def _row(widths: tuple[int, ...], cells: tuple[str, ...]) -> str:
    return "  " + "".join(f"{c:<{w}}" for c, w in zip(cells, widths, strict=True)).rstrip()


def _wrapped(text: str, indent: str) -> list[str]:
    return textwrap.wrap(
        text, COLUMNS, initial_indent=indent, subsequent_indent=f"{indent}  ",
        break_long_words=True, break_on_hyphens=False,
    ) or [""]  # fmt: skip
