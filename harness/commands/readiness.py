"""`peakdrill readiness`: are we ready for the season? Reads the history; runs nothing."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import click

from harness.commands.options import FILE
from harness.errors import Refused

if TYPE_CHECKING:
    from harness.core.readiness.matrix import Readiness
    from harness.history.store import History


@click.command()
@click.option("--season", help="Default: the one that the targets declare, else the next one.")
@click.option("--release", help="What is to go into the season. Default: that of the newest run.")
@click.option("--tenant", default="", help="Whose runs and whose targets.")
@click.option("--targets", type=FILE, help="Default: ./targets.yaml, else the example.")
@click.option(
    "--history",
    metavar="STORE",
    help="postgresql://USER@HOST/DATABASE, or a file. Default: $PEAKDRILL_HISTORY, else "
    "RUNS/history.sqlite.",
)
@click.option("--runs", type=FILE, default="runs", show_default=True, help="Where runs lie.")
@click.option("--out", type=FILE, metavar="FILE.html", help="The page, in one file.")
@click.option("--json", "as_json", is_flag=True, help="JSON on stdout, and nothing else.")
def readiness(
    *,
    season: str | None,
    release: str | None,
    tenant: str,
    targets: Path | None,
    history: str | None,
    runs: Path,
    out: Path | None,
    as_json: bool,
) -> int:
    """Say whether every scenario was met for every workload, and until when that holds.

    Exits 0 only where every cell is met by full drills to the season's end, 1 where any was
    missed, else 3.
    """
    from harness.commands.history_options import opened
    from harness.many_runs.readiness_now import readiness_now
    from reports.readiness_json import render_readiness_json
    from reports.readiness_text import readiness_lines

    now_utc = f"{dt.datetime.now(dt.UTC):%Y-%m-%dT%H:%M:%SZ}"
    with opened(history, runs) as store:
        found = readiness_now(
            store, targets_file=targets, season=season, now_utc=now_utc, release=release,
            tenant=tenant,
        )  # fmt: skip
        if out is not None:
            _write(out, found, _links(store, found, runs, out))
    if as_json:
        click.echo(render_readiness_json(found), nl=False)
    else:
        click.echo("\n".join(readiness_lines(found)))
    if out is not None:
        click.echo(str(out), err=True)
    return found.verdict.exit_code


def _links(store: History, found: Readiness, runs: Path, page: Path) -> Callable[[str], str]:
    """Run -> its report as seen from the page; "" where no report lies on this machine."""
    from harness.evidence import layout

    where: dict[str, str] = {}
    for run in found.runs:
        for folder in (store.directory_of(run.run_id), runs / run.run_id):
            report = None if folder is None else folder / layout.REPORT_HTML
            if report is not None and report.is_file():
                seen = os.path.relpath(report.resolve(), page.resolve().parent)
                where.setdefault(run.run_id, quote(seen))
    return lambda run_id: where.get(run_id, "")


def _write(out: Path, found: Readiness, link: Callable[[str], str]) -> None:
    """Rendered first, written after, and replaced whole."""
    from reports.readiness_page import render_readiness

    text = render_readiness(found, link=link)
    fresh = out.with_name(f".{out.name}.new")
    try:
        fresh.write_text(text, encoding="utf-8", newline="\n")
        fresh.replace(out)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise Refused(
            f"cannot write {out}: {error.strerror}", next_step="name another file with --out"
        ) from error
