"""Readiness for a terminal: the answer first, then the weakest cells, the matrix, the map.

Plain lines of at most 100 columns, without an escape sequence; names are made clean and cut.
"""

from __future__ import annotations

import textwrap

from harness.core.readiness.cells import Cell
from harness.core.readiness.matrix import Readiness
from harness.core.readiness.standing import State
from reports.readiness_view import WORD, map_parts, next_step, season_text, support
from reports.words import clean

WIDTH = 100
_WEAKEST_SHOWN = 8
_SIGN = {
    State.MET: "met",
    State.SMOKE: "smoke",
    State.EXPIRED: "expired",
    State.INCONCLUSIVE: "unsure",
    State.NEVER: "never",
    State.MISSED: "MISSED",
}


def readiness_lines(found: Readiness) -> tuple[str, ...]:
    """Everything, line by line."""
    lines = [*_wrapped(found.answer), ""]
    lines += _wrapped(
        f"season {found.season.name}, {season_text(found)}; release "
        f"{found.subject.release or '(unnamed)'}, {found.subject.runs} runs of it; "
        f"a proof holds for {found.valid_days} days"
    )
    for note in found.notes:
        lines += _wrapped(f"note: {note}")
    following = next_step(found)
    if following:
        lines += _wrapped(f"next: {following}")
    lines += ["", *_weakest(found), "", *_matrix(found), "", *_map(found)]
    return tuple(line.rstrip() for line in lines)


def _weakest(found: Readiness) -> list[str]:
    weak = [c for c in found.cells if c.state is not State.MET or c.lapses]
    if not weak:
        return ["every cell is met to the season's end"]
    lines = ["weakest first"]
    for cell in weak[:_WEAKEST_SHOWN]:
        lines += _cell(cell, found.confidence)
    if len(weak) > _WEAKEST_SHOWN:
        lines.append(f"  and {len(weak) - _WEAKEST_SHOWN} more; --out FILE.html shows all of them")
    return lines


def _cell(cell: Cell, confidence: float) -> list[str]:
    place = f"{cell.scenario} / {cell.column}"
    told = [WORD[cell.state].lower(), cell.reason, support(cell, confidence)]
    if cell.lapses:
        told.append(f"expires {cell.lapses}, on {cell.expires_utc[:10]}")
    if cell.run_id:
        told.append(f"run {cell.run_id}")
    return _wrapped(f"  {_cut(place, 46)}: {'; '.join(t for t in told if t)}", indent="      ")


def _matrix(found: Readiness) -> list[str]:
    """Scenarios by workloads; in pieces, where there are more columns than fit a line."""
    first, width = 23, 11
    per_line = (WIDTH - first) // width
    lines: list[str] = []
    for start in range(0, len(found.columns), per_line):
        columns = found.columns[start : start + per_line]
        if lines:
            lines.append("")
        heads = [_two_lines(c, width - 1) for c in columns]
        lines += [
            " " * first + "".join(f"{head[level]:<{width}}" for head in heads) for level in (0, 1)
        ]
        for row in found.rows:
            cells = [found.cell(row, c) for c in columns]
            signs = [_sign(cell) for cell in cells]
            name = f"{_cut(row, first - 1):<{first}}"
            lines.append(name + "".join(f"{s:<{width}}" for s in signs))
    if any(c.lapses for c in found.cells):
        lines.append("* its proof ends before the season does")
    return lines


def _sign(cell: Cell | None) -> str:
    if cell is None:
        return "-"
    return _SIGN[cell.state] + ("*" if cell.lapses else "")


def _two_lines(name: str, width: int) -> tuple[str, str]:
    """A heading broken at a hyphen."""
    text = clean(name)
    if len(text) <= width:
        return "", text
    head, _, tail = text.partition("-")
    return (_cut(f"{head}-", width), _cut(tail, width)) if tail else ("", _cut(text, width))


def _map(found: Readiness) -> list[str]:
    lines = ["what no drill covers"]
    for part in map_parts(found):
        if not part.total:
            continue
        lines.append(f"  {part.title.lower()}: {len(part.drilled)} of {part.total} drilled")
        for told, entries in (("no drill", part.undrilled), ("never run", part.unrun)):
            if entries:
                named = "; ".join(entry.title for entry in entries)
                lines += _wrapped(f"    {told}: {named}", indent="      ")
    return lines


def _cut(text: str, width: int) -> str:
    shown = clean(text)
    return shown if len(shown) <= width else f"{shown[: width - 3]}..."


def _wrapped(text: str, indent: str = "  ") -> list[str]:
    lead = text[: len(text) - len(text.lstrip(" "))]
    return textwrap.wrap(
        clean(text), WIDTH, initial_indent=lead, subsequent_indent=indent, break_on_hyphens=False
    )
