"""Where the command line meets the reports; nobody else in harness knows that they exist."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from harness.core.record import RunRecord
from harness.progress import Progress, Silent

FORMATS = ("html", "json", "junit", "markdown")


def as_text(record: RunRecord, form: str, *, allow_skip: frozenset[str] = frozenset()) -> str:
    """A report as text."""
    from reports.html import render_html
    from reports.json_report import render_json
    from reports.junit import render_junit
    from reports.markdown import render_markdown

    if form == "junit":
        return render_junit(record, allow_skip=allow_skip)
    renderers: dict[str, Callable[[RunRecord], str]] = {
        "html": render_html,
        "json": render_json,
        "markdown": render_markdown,
    }
    return renderers[form](record)


def write_junit(record: RunRecord, directory: Path, *, allow_skip: frozenset[str]) -> None:
    """Again, with the skips that the caller allows."""
    from harness.evidence import layout

    text = as_text(record, "junit", allow_skip=allow_skip)
    (directory / layout.JUNIT).write_text(text, encoding="utf-8")


def progress(*, silent: bool) -> Progress:
    """On the terminal, or nothing."""
    if silent:
        return Silent()
    from reports.terminal import TerminalProgress

    return TerminalProgress()


def print_verdict(record: RunRecord, directory: Path) -> None:
    """The verdict first, then its reasons, then where the report lies."""
    from reports.terminal import print_verdict as printed

    printed(record, directory)
