"""The readiness matrix as every renderer shows it: words, places and links, made of names alone.

Rows and columns are texts, as many as there are; no enum decides what a page can show.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

from harness.core.instants import instant
from harness.core.readiness.cells import Cell
from harness.core.readiness.coverage import Covered
from harness.core.readiness.matrix import Readiness
from harness.core.readiness.standing import State

Link = Callable[[str], str]  # a run's id -> where its report lies, "" where there is none

CLASS = {
    State.MET: "met",
    State.SMOKE: "smoke",
    State.EXPIRED: "expired",
    State.INCONCLUSIVE: "inconclusive",
    State.NEVER: "never",
    State.MISSED: "missed",
}
WORD = {state: state.value.capitalize() for state in State}
MEANING = {
    State.MET: "a full drill met the season's targets, and its proof is still valid",
    State.SMOKE: "only shortened drills met them: a sign, and no proof",
    State.EXPIRED: "shown once: too long ago, for another release, or at lower demands",
    State.INCONCLUSIVE: "tried, and the evidence supports neither",
    State.NEVER: "nobody knows",
    State.MISSED: "proven: a target was missed, or a record was lost",
}
_ORDER = (
    State.MISSED, State.NEVER, State.INCONCLUSIVE, State.EXPIRED, State.SMOKE, State.MET,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class CellView:
    """One cell. `note` is the small line under the word; `href` "": nothing lies behind it."""

    scenario: str
    column: str
    css: str
    word: str
    note: str
    reason: str
    href: str
    run_id: str
    weakest: bool
    lapses: str
    expires: str
    support: str
    tier: str
    owner: str


@dataclass(frozen=True, slots=True)
class Tally:
    """How many cells are in a state; also the legend."""

    css: str
    word: str
    cells: int
    meaning: str


def day(utc: str) -> str:
    """27 Nov 2026; "" of nothing.

    >>> day("2026-11-07T22:20:12Z")
    '7 Nov 2026'
    """
    if not utc:
        return ""
    found = instant(utc)
    return f"{found.day} {found:%b %Y}"


def default_link(run_id: str) -> str:
    """The page lies beside the run directories."""
    return f"{quote(run_id, safe='')}/report.html"


def cell_views(found: Readiness, link: Link = default_link) -> tuple[CellView, ...]:
    """In the readiness's own order: the weakest first."""
    return tuple(
        _cell(cell, found, link, weakest=place == 0 and cell.state is not State.MET)
        for place, cell in enumerate(found.cells)
    )


def _cell(cell: Cell, found: Readiness, link: Link, *, weakest: bool) -> CellView:
    return CellView(
        scenario=cell.scenario,
        column=cell.column,
        css=CLASS[cell.state],
        word=WORD[cell.state],
        note=_note(cell),
        reason=cell.reason,
        href=link(cell.run_id) if cell.run_id else "",
        run_id=cell.run_id,
        weakest=weakest,
        lapses=cell.lapses,
        expires=day(cell.expires_utc),
        support=support(cell, found.confidence),
        tier=cell.tier,
        owner=cell.owner,
    )


def _note(cell: Cell) -> str:
    if cell.state in {State.MET, State.SMOKE}:
        return f"{'only ' if cell.lapses else ''}to {day(cell.expires_utc)}"
    if cell.state is State.NEVER:
        return "no run" if cell.reason == "no run" else "nothing proven"
    if cell.state is State.EXPIRED:
        return f"{cell.was} {day(cell.run_utc)}"
    return day(cell.run_utc)


def support(cell: Cell, confidence: float) -> str:
    """What so many clean runs claim, in words; never more."""
    runs = f"{cell.runs} {'run' if cell.runs == 1 else 'runs'}"
    if cell.quantile is None:
        return runs if cell.runs else ""
    return f"{runs}: at least {_down(cell.quantile)} of drills would meet it, at {confidence:.0%}"


def _down(share: float) -> str:
    """Whole per cent, rounded down: what is claimed is never more than what is shown."""
    return f"{int(share * 100 + 1e-9)}%"


def matrix(
    found: Readiness, cells: tuple[CellView, ...]
) -> tuple[tuple[str, tuple[CellView | None, ...]], ...]:
    """Rows in the order of the weakest cell in each, so that the worst stands on top."""
    at = {(c.scenario, c.column): c for c in cells}
    first = {name: place for place, name in reversed(list(enumerate(c.scenario for c in cells)))}
    rows = sorted(found.rows, key=lambda row: first.get(row, len(cells)))
    return tuple((row, tuple(at.get((row, c)) for c in found.columns)) for row in rows)


def tallies(found: Readiness) -> tuple[Tally, ...]:
    return tuple(
        Tally(CLASS[state], WORD[state], found.count(state), MEANING[state]) for state in _ORDER
    )


def next_step(found: Readiness) -> str:
    """The order that would strengthen the weakest cell; "" where there is nothing to do."""
    weakest = found.weakest
    if weakest is None or (weakest.state is State.MET and not weakest.lapses):
        return ""
    if weakest.state is State.MISSED:
        return f"mend what {weakest.name} missed, then drill the release that carries it"
    words = ["peakdrill run", weakest.scenario, f"--season {found.season.name}"]
    words += [f"--release {found.subject.release}"] if found.subject.release else []
    words += [f"--tenant {found.tenant}"] if found.tenant else []
    return " ".join(words)


@dataclass(frozen=True, slots=True)
class MapPart:
    """One catalogue: what no drill breaks, what a scenario would break, what was drilled."""

    name: str
    title: str
    undrilled: tuple[Covered, ...]
    unrun: tuple[Covered, ...]
    drilled: tuple[Covered, ...]
    total: int


def map_parts(found: Readiness) -> tuple[MapPart, ...]:
    parts = (
        ("components", "Components", found.components),
        ("failure-modes", "Failure modes", found.failure_modes),
        ("tenants", "Tenants", found.tenants),
    )
    return tuple(
        MapPart(
            name,
            heading,
            _worded(lines, "no drill"),
            _worded(lines, "never run"),
            _worded(lines, "drilled"),
            len(lines),
        )
        for name, heading, lines in parts
    )


def _worded(lines: tuple[Covered, ...], word: str) -> tuple[Covered, ...]:
    return tuple(line for line in lines if line.word == word)


def season_text(found: Readiness) -> str:
    """Its days, and how far away they are."""
    season = found.season
    if not season.begins:
        return "no dates declared"
    days = (instant(season.begins) - instant(found.now_utc)) // dt.timedelta(days=1)
    away = f", in {days} days" if days > 0 else ""
    return f"{day(season.begins)} to {day(season.ends)}{away}"
