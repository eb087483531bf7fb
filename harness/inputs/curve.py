"""A recorded curve from a CSV file: `t_s,multiplier`, one line a point."""

from __future__ import annotations

import csv
import math
from pathlib import Path

from harness.core.schedule import Shape
from harness.core.shapes import replay
from harness.errors import BadInput

COLUMNS = ("t_s", "multiplier")
_MULTIPLIER_MAX = 100.0


def read_curve(file: Path) -> Shape:
    """The shape that the file records. Every error names file, line and column."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(file, f"cannot be read: {error}") from error
    try:
        rows = [
            (number, row)
            for number, row in enumerate(csv.reader(text.splitlines(), strict=True), start=1)
            if row and not row[0].lstrip().startswith("#")
        ]
    except csv.Error as error:
        raise BadInput(file, f"is not CSV: {error}") from error
    if not rows or tuple(cell.strip() for cell in rows[0][1]) != COLUMNS:
        line = rows[0][0] if rows else 1
        raise BadInput(file, "the first line names the columns", line=line, allowed=COLUMNS)
    points: list[tuple[float, float]] = []
    for line, row in rows[1:]:
        points.append(_point(file, line, row, points[-1][0] if points else None))
    if not points:
        raise BadInput(file, "holds no point", next_step="add a line such as 0,1.0")
    return replay(points)


def _point(file: Path, line: int, row: list[str], before_s: float | None) -> tuple[float, float]:
    if len(row) != len(COLUMNS):
        raise BadInput(file, f"{len(row)} values where two are wanted", line=line)
    t_s = _number(file, line, "t_s", row[0])
    multiplier = _number(file, line, "multiplier", row[1])
    if before_s is None and t_s != 0:
        raise BadInput(file, f"the first point is at {t_s:g}, not at 0", line=line, key="t_s")
    if before_s is not None and t_s <= before_s:
        what = f"{t_s:g} does not come after {before_s:g}"
        raise BadInput(file, what, line=line, key="t_s")
    if not 0 < multiplier <= _MULTIPLIER_MAX:
        what = f"{multiplier:g} is not greater than 0 and at most {_MULTIPLIER_MAX:g}"
        raise BadInput(file, what, line=line, key="multiplier")
    return t_s, multiplier


def _number(file: Path, line: int, key: str, cell: str) -> float:
    try:
        value = float(cell)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise BadInput(file, f"{cell.strip()!r} is not a number", line=line, key=key)
    return value
