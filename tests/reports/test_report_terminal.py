"""The terminal: verdict first, live where there is a terminal, plain where there is none."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import report_cases
from rich.console import Console

from harness.core.operation import Workload
from harness.core.record import RunRecord
from harness.progress import LiveView, Progress, WorkloadRate
from reports.terminal import TerminalProgress, print_verdict


@dataclass
class Clock:
    now_s: float = 0.0

    def __call__(self) -> float:
        return self.now_s


def plain() -> Console:
    return Console(file=io.StringIO(), force_terminal=False, width=80, highlight=False)


def live() -> Console:
    return Console(file=io.StringIO(), force_terminal=True, width=120, highlight=False)


def written(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def view(since_fault_s: float | None, *, well: bool) -> LiveView:
    rates = tuple(WorkloadRate(w, 20.0, 20.0 if well else 3.0, 60.0, well) for w in Workload)
    return LiveView("watching", 50.0, since_fault_s, rates)


def test_the_verdict_is_the_first_thing_said(record: RunRecord) -> None:
    console = plain()
    print_verdict(record, Path("runs/r1"), console=console)
    lines = [line for line in written(console).splitlines() if line.strip()]
    assert record.judgement.verdict.value.upper() in lines[0]
    assert any("report" in line and "runs/r1/report.html" in line for line in lines)
    assert "\x1b" not in written(console)


def test_numbers_fit_eighty_columns() -> None:
    for case in (report_cases.met, report_cases.null_run):
        console = plain()
        print_verdict(case(), Path("r"), console=console)
        table = [r for r in written(console).splitlines() if r.startswith(tuple(Workload))]
        assert len(table) == 6
        assert max(map(len, table)) <= 80


def test_a_long_path_is_never_cut() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=40, highlight=False)
    path = Path("/data") / ("x" * 100)
    print_verdict(report_cases.met(), path, console=console)
    assert str(path / "report.html") in written(console)


def test_names_are_text_and_cannot_paint(record: RunRecord) -> None:
    console = plain()
    print_verdict(record, Path("[red]r[/red]"), console=console)
    assert "[red]r[/red]" in written(console)
    for forbidden in ("\x1b", "\x00", "\u202e"):
        assert forbidden not in written(console)


def test_a_poor_terminal_gets_plain_letters() -> None:
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding="ascii")
    console = Console(file=file, force_terminal=True, width=80, highlight=False)
    print_verdict(report_cases.missed(), Path("r"), console=console)
    progress = TerminalProgress(console)
    progress.tick(view(3.0, well=False))
    console.print(progress.picture())
    file.flush()
    assert b"MISSED" in raw.getvalue()


def test_without_a_terminal_a_line_every_ten_seconds_and_no_escapes() -> None:
    clock, console = Clock(), plain()
    progress: Progress = TerminalProgress(console, clock=clock)
    progress.phase("watching the recovery", 120)
    for second in range(60):
        clock.now_s = float(second)
        progress.tick(view(float(second), well=second > 25))
    progress.say("the load has stopped")
    progress.close()
    lines = written(console).splitlines()
    assert "\x1b" not in written(console)
    assert 6 <= len(lines) <= 9
    assert "at most 120 s" in lines[0]
    assert "away: order-capture (target 60 s)" in lines[1]
    assert "all workloads well" in lines[-2]


@contextmanager
def running(clock: Clock) -> Iterator[tuple[TerminalProgress, Console]]:
    console = live()
    progress = TerminalProgress(console, clock=clock)
    try:
        yield progress, console
    finally:
        progress.close()


def shown(progress: TerminalProgress) -> str:
    console = plain()
    console.width = 120
    console.print(progress.picture())
    return written(console)


def test_the_live_picture_shows_phase_limit_rates_and_time_against_the_target() -> None:
    clock = Clock()
    with running(clock) as (progress, _):
        progress.phase("watching the recovery", 120)
        clock.now_s = 12.0
        assert "watching the recovery  12 s of at most 120 s" in shown(progress)
        progress.tick(view(9.0, well=False))
        assert "9 s since the fault" in shown(progress)
        assert "away  9 s of 60 s" in shown(progress)
        progress.tick(view(14.0, well=True))
        assert "well again after about 14 s of 60 s" in shown(progress)
        progress.tick(view(70.0, well=False))
        assert "beyond its target" in shown(progress)


def test_before_the_fault_nothing_counts() -> None:
    with running(Clock()) as (progress, _):
        progress.phase("baseline", 30)
        progress.tick(view(None, well=True))
        assert "since the fault," in shown(progress)  # the column's head
        assert "away" not in shown(progress)


def test_closing_gives_the_cursor_back_and_may_be_repeated() -> None:
    with running(Clock()) as (progress, console):
        progress.phase("baseline", 30)
        progress.close()
        progress.close()
        assert written(console).endswith("\x1b[2K") or "\x1b[?25h" in written(console)
