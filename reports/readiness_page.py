"""Readiness as a page: one self-contained file, no script, nothing fetched, printable.

An executive reads the answer, the weakest cell and the matrix; an engineer follows a cell down to
the report of the run on which it rests.
"""

from __future__ import annotations

from functools import cache

from jinja2 import Environment

from harness.core.readiness.cells import PLATFORM
from harness.core.readiness.matrix import Readiness
from harness.core.verdict import Verdict
from reports import readiness_pictures, words
from reports import readiness_view as view
from reports.readiness_view import Link, default_link
from reports.templating import page_environment

_CROWDED = 8  # columns: beyond, paper lies on its side and a table gives way to lists earlier
_WORD = {Verdict.MET: "Ready", Verdict.MISSED: "Not ready", Verdict.INCONCLUSIVE: "Not ready"}


def render_readiness(found: Readiness, *, link: Link = default_link) -> str:
    """The whole page. `link`: from a run's id to where its report lies, seen from the page."""
    cells = view.cell_views(found, link)
    return _environment().get_template("readiness.html.j2").render(
        found=found,
        word=_WORD[found.verdict],
        verdict=found.verdict.value,
        cells=cells,
        weakest=cells[0] if cells and cells[0].weakest else None,
        next_step=view.next_step(found),
        matrix=view.matrix(found, cells),
        columns=found.columns,
        crowded=len(found.columns) > _CROWDED,
        tallies=view.tallies(found),
        season_days=view.season_text(found),
        lapsing=[c for c in cells if c.lapses],
        calendar=readiness_pictures.calendar(found),
        parts=view.map_parts(found),
        trends=readiness_pictures.trend_groups(found),
        link=link,
        platform=PLATFORM,
    )  # fmt: skip


@cache
def _environment() -> Environment:
    made = page_environment()
    made.globals.update(WORD=words.WORD)
    made.filters.update(clean=words.clean, day=view.day, per_cent=lambda share: f"{share:.0%}")
    return made
