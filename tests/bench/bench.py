"""`make bench`: the table, from one run on one machine. Nothing of it is ever a test of time."""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import platform
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

from tests.bench import (
    distributing,
    edges,
    generating,
    judging,
    ledgers,
    platforms,
    reconciling,
)
from tests.bench.children import ROOT
from tests.bench.rows import Held, Job, Row

_EMBEDDED = ("embedded platform: cold, from its snapshot, memory at rest", "10 s, 4 s, 600 MB")
_DRILL = ("drill: a smoke run beyond its load and recovery", "at most 20 s")


def measured(job: Job, *, with_platform: bool) -> Iterator[Row]:
    """Every row, as it is measured. A measurement that fails is a row that says so."""
    spent = [0.0]

    def cost() -> list[Row]:
        row, spent[0] = generating.cost(job)
        return [row]

    yield from _tried("load generation", cost)
    yield from _tried("latency in a stall", lambda: [generating.stalled(job)])
    yield from _tried("edges", lambda: [edges.edges(job)])
    if spent[0]:
        yield from _tried("ledger", lambda: ledgers.ledger(job, spent[0]))
    yield from _tried("reconciliation", lambda: reconciling.reconciliation(job))
    yield from _tried("RTO and RPO", lambda: [judging.recovery(job)])
    yield from _tried("report", lambda: [judging.report(job)])
    if with_platform:
        yield from _tried("embedded platform", lambda: [platforms.embedded(job)])
        yield from _tried("drill overhead", lambda: [platforms.overhead(job)])
    else:
        yield from (platforms.not_asked(*what) for what in (_EMBEDDED, _DRILL))
    yield from _tried("command line", lambda: [platforms.starts(job)])
    if spent[0]:
        yield from _tried("distributed", lambda: [distributing.distributed(job, spent[0])])


def _tried(what: str, body: Callable[[], list[Row]]) -> list[Row]:
    try:
        return body()
    except Exception as error:  # noqa: BLE001  the other rows are still worth having
        return [Row(what, "-", "-", "-", Held.UNSEEN, f"{type(error).__name__}: {error}")]


def machine() -> str:
    """Cores, memory and processor; no name and no path of it."""
    info = Path("/proc/cpuinfo").read_text()
    model = next((s.split(":", 1)[1].strip() for s in info.splitlines() if "model name" in s), "?")
    total = int(Path("/proc/meminfo").read_text().split()[1]) / 2**20
    load = os.getloadavg()[0]
    return (
        f"{os.cpu_count()} cores ({model}), {total:.0f} GB of memory, Linux "
        f"{platform.release().split('-')[0]}, Python {platform.python_version()}; load average "
        f"{load:.1f} when it began"
    )


def table(rows: list[Row]) -> str:
    """
    >>> print(table([Row("a", "1 s", "2 s", "b 3 s", Held.NO, "slow")]))
    | what | target | reached | beside | |
    |---|---|---|---|---|
    | a | 1 s | 2 s | b 3 s | not reached: slow |
    """
    lines = ["| what | target | reached | beside | |", "|---|---|---|---|---|"]
    for row in rows:
        said = f"{row.held}: {row.why}" if row.why else str(row.held)
        lines.append(f"| {row.what} | {row.target} | {row.reached} | {row.beside} | {said} |")
    return "\n".join(lines)


def headline(rows: list[Row]) -> str:
    """
    >>> headline([Row("a", "", "", "", Held.YES), Row("b", "", "", "", Held.UNSEEN)])
    '1 of 2 targets reached, 0 not, 1 not measured.'
    """
    counted = {held: sum(row.held is held for row in rows) for held in Held}
    return (
        f"{counted[Held.YES]} of {len(rows)} targets reached, {counted[Held.NO]} not, "
        f"{counted[Held.UNSEEN]} not measured."
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", choices=["quick", "full"], default="quick")
    parser.add_argument("--out", type=Path, default=ROOT / ".tmp" / "bench")
    parser.add_argument("--without-platform", action="store_true", help="no stack is started")
    asked = parser.parse_args()
    out = asked.out.absolute()
    scratch = out / "scratch"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    here, begun = machine(), time.monotonic()
    job = Job(scratch, asked.size == "full", lambda text: print(text, file=sys.stderr, flush=True))
    rows: list[Row] = []
    try:
        for row in measured(job, with_platform=not asked.without_platform):
            rows.append(row)
            job.say(f"{time.monotonic() - begun:5.0f} s  {row.what}: {row.reached} ({row.held})")
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    text = f"{headline(rows)}\n\n{here}; size {asked.size}, {dt.datetime.now(dt.UTC):%Y-%m-%d}.\n"
    text += f"\n{table(rows)}\n"
    (out / "table.md").write_text(text)
    (out / "table.json").write_text(
        json.dumps([asdict(row) for row in rows], indent=1, default=str)
    )
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
