"""The terminal: progress while a drill runs, and its verdict first when it is over.

On a terminal one live picture; elsewhere (CI, a file) plain lines at a slow rhythm, without a
single escape sequence. Names are text: nothing in them is read as markup.
"""

from __future__ import annotations

import atexit
import sys
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from harness.core.operation import Workload
from harness.core.record import RunRecord
from harness.core.verdict import Verdict
from harness.evidence import layout
from harness.progress import LiveView, WorkloadRate
from reports.money_view import money_lines
from reports.recovery_view import recovery_lines
from reports.view import workloads
from reports.words import SIGN, clean, figure, headline, other_reasons, seconds

COLOUR = {
    Verdict.MET: "bold green",
    Verdict.MISSED: "bold red",
    Verdict.INCONCLUSIVE: "bold yellow",
    Verdict.INVALID: "bold magenta",
    Verdict.ERROR: "bold magenta",
}
PLAIN_EVERY_S = 10.0
_METER = 14
_SHOWN = 5


class TerminalProgress:
    """`harness.progress.Progress` on standard error, so that `--json` stays alone on stdout."""

    def __init__(
        self, console: Console | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._console = console or Console(file=sys.stderr, highlight=False)
        self._animated = self._console.is_terminal and not self._console.is_dumb_terminal
        self._ascii = _ascii_only(self._console)
        self._clock = clock
        self._begun_s = clock()
        self._phase = ""
        self._limit_s: float | None = None
        self._phase_begun_s = self._begun_s
        self._view: LiveView | None = None
        self._back_s: dict[Workload, float] = {}
        self._was_well: dict[Workload, bool] = {}
        self._last_line_s = float("-inf")
        self._live: Live | None = None

    def phase(self, name: str, limit_s: float | None = None) -> None:
        """A new wait begins; it ends within `limit_s`."""
        self._phase, self._limit_s = clean(name), limit_s
        self._phase_begun_s = self._clock()
        if not self._animated:
            limit = f" (at most {seconds(limit_s)})" if limit_s is not None else ""
            self._line(f"{self._phase}{limit}")
            return
        if self._live is None:
            self._live = Live(
                get_renderable=self.picture, console=self._console, refresh_per_second=4,
                transient=True,
            )  # fmt: skip
            self._live.start()
            atexit.register(self.close)  # whatever happens: the cursor comes back

    def tick(self, view: LiveView) -> None:
        """The last full seconds of the load."""
        self._view = view
        for rate in view.rates:
            self._follow(rate, view.since_fault_s)
        due = self._clock() - self._last_line_s >= PLAIN_EVERY_S
        if not self._animated and due:
            self._line(self._sentence(view))

    def say(self, text: str) -> None:
        """One line that stays."""
        if self._animated:
            self._console.print(Text(clean(text), style="dim"))
        else:
            self._line(clean(text))

    def close(self) -> None:
        """The live picture ends; what was said stays. Harmless when repeated."""
        if self._live is not None:
            self._live.stop()
            self._live = None
            atexit.unregister(self.close)

    def picture(self) -> RenderableType:
        """The live picture: phase and limit, then a row a workload."""
        elapsed_s = self._clock() - self._phase_begun_s
        head = Text.assemble((self._phase, "bold"), f"  {_whole(elapsed_s)}")
        if self._limit_s is not None:
            head.append(f" of at most {_whole(self._limit_s)}", "dim")
        if self._view is None or not self._view.rates:
            return head
        if self._view.since_fault_s is not None:
            head.append(f"   {_whole(self._view.since_fault_s)} since the fault", "bold")
        return Group(head, self._rates(self._view))

    def _rates(self, view: LiveView) -> Table:
        """A row a workload; the meter only where there is room for it."""
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
        roomy = self._console.width >= 100
        table.add_column("workload", no_wrap=True, overflow="crop")
        table.add_column("offered/s", justify="right", no_wrap=True, overflow="crop")
        table.add_column("good/s", justify="right", no_wrap=True, overflow="crop")
        if roomy:
            table.add_column("", no_wrap=True, overflow="crop")
        table.add_column("since the fault, of the target", overflow="fold")
        for rate in view.rates:
            meter = [_meter(rate, ascii_only=self._ascii)] if roomy else []
            table.add_row(
                rate.workload.value,
                f"{rate.offered_per_s:.1f}",
                f"{rate.good_per_s:.1f}",
                *meter,
                self._standing(rate, view.since_fault_s),
            )
        return table

    def _standing(self, rate: WorkloadRate, since_fault_s: float | None) -> Text:
        """Time since the fault against the target; what it looks like live is not the verdict."""
        target = seconds(rate.rto_target_s)
        if since_fault_s is None:
            return Text("well" if rate.well else "not well yet", "green" if rate.well else "yellow")
        if not rate.well:
            text = Text(f"away  {_whole(since_fault_s)} of {target}")
            late = since_fault_s > rate.rto_target_s
            text.stylize("bold red" if late else "yellow")
            return text.append(", beyond its target" if late else "")
        back_s = self._back_s.get(rate.workload)
        if back_s is None:
            return Text("well", "green")
        return Text(f"well again after about {_whole(back_s)}", "green").append(
            f" of {target}", "dim"
        )

    def _follow(self, rate: WorkloadRate, since_fault_s: float | None) -> None:
        if since_fault_s is None:
            return
        if rate.well and not self._was_well.get(rate.workload, True):
            self._back_s[rate.workload] = since_fault_s
        self._was_well[rate.workload] = rate.well

    def _sentence(self, view: LiveView) -> str:
        offered = sum(rate.offered_per_s for rate in view.rates)
        good = sum(rate.good_per_s for rate in view.rates)
        text = f"{self._phase}: {figure(good)} good of {figure(offered)} offered a second"
        if view.since_fault_s is None:
            return text
        away = [
            f"{r.workload.value} (target {seconds(r.rto_target_s)})"
            for r in view.rates
            if not r.well
        ]
        state = f"away: {', '.join(away)}" if away else "all workloads well"
        return f"{text}, {_whole(view.since_fault_s)} since the fault; {state}"

    def _line(self, text: str) -> None:
        self._last_line_s = self._clock()
        _print(self._console, Text(f"[{self._last_line_s - self._begun_s:5.0f} s] {text}"))


def print_verdict(record: RunRecord, directory: Path, *, console: Console | None = None) -> None:
    """The verdict first, then why, then the numbers, then where the evidence lies."""
    console = console or Console(highlight=False)
    judgement = record.judgement
    colour = COLOUR[judgement.verdict]
    _print(console, Text(""))
    _print(
        console,
        Text.assemble(
            (f"{SIGN[judgement.verdict]} {judgement.verdict.value.upper()}", colour),
            (f" - {headline(judgement)}", "bold"),
        ),
    )
    for reason in other_reasons(judgement):
        _print(console, Text(f"  {reason}"))
    _print(console, Text(""))
    if judgement.workloads:
        console.print(_numbers(record, ascii_only=_ascii_only(console)))
        _print(console, Text(""))
    for text in (*recovery_lines(record), *money_lines(record)):
        _print(console, Text(clean(text)))
    _paragraphs(record, console)
    report = directory / layout.REPORT_HTML
    _print(console, Text.assemble(("report    ", "dim"), clean(str(report))), whole=True)
    digest = f"{clean(record.evidence_digest)[:16]}..., peakdrill check {clean(str(directory))}"
    _print(console, Text.assemble(("evidence  ", "dim"), digest), whole=True)


def _numbers(record: RunRecord, *, ascii_only: bool) -> Table:
    """Narrow enough for 80 columns."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("workload", no_wrap=True, overflow="crop")
    table.add_column("verdict", no_wrap=True, overflow="crop")
    table.add_column("recovered after", justify="right", overflow="fold")
    table.add_column("target", justify="right", no_wrap=True, overflow="crop")
    table.add_column("lost of acked", justify="right", overflow="fold")
    for view in workloads(record):
        sign = "" if ascii_only else f"{SIGN[view.verdict]} "
        table.add_row(
            view.name,
            Text(f"{sign}{view.verdict.value}", COLOUR[view.verdict]),
            view.rto_text,
            view.rto_target_text,
            view.lost_text,
        )
    return table


def _paragraphs(record: RunRecord, console: Console) -> None:
    """What stands behind the numbers; the report has all of it."""
    judgement = record.judgement
    examples = [e for w in judgement.workloads if w.rpo for e in w.rpo.examples]
    lines = [f"found: {', '.join(examples[:_SHOWN])}"] if examples else []
    lines += [f"note: {text}" for text in judgement.notes[:_SHOWN]]
    if len(judgement.notes) > _SHOWN:
        lines.append(f"note: {len(judgement.notes) - _SHOWN} more in the report")
    lines += [f"not checked: {text}" for text in judgement.not_checked]
    for text in lines:
        _print(console, Text(clean(text)))
    if lines:
        _print(console, Text(""))


def _print(console: Console, text: Text, *, whole: bool = False) -> None:
    """`whole`: a path is never cut by the width, so that it can be copied."""
    if _ascii_only(console):
        text = Text(text.plain.encode("ascii", "replace").decode())
    if whole or not console.is_terminal:
        console.print(text, soft_wrap=True)
    else:
        console.print(text)


def _ascii_only(console: Console) -> bool:
    return not console.encoding.lower().startswith("utf")


def _whole(value_s: float) -> str:
    return f"{max(0.0, value_s):.0f} s"


def _meter(rate: WorkloadRate, *, ascii_only: bool) -> Text:
    """Good as a share of offered."""
    share = rate.good_per_s / rate.offered_per_s if rate.offered_per_s > 0 else 0.0
    filled = round(min(1.0, max(0.0, share)) * _METER)
    full, empty = ("#", ".") if ascii_only else ("━", "╌")
    return Text(full * filled, "blue").append(empty * (_METER - filled), "dim")
