"""Where the command line meets the reports; nobody else in harness knows that they exist."""

from __future__ import annotations

from pathlib import Path

from harness.core.record import RunRecord
from harness.progress import Progress, Silent


def as_text(record: RunRecord, form: str, *, allow_skip: frozenset[str] = frozenset()) -> str:
    """A report as text."""
    if form == "json":
        from reports.json_report import render_json

        return render_json(record)
    if form == "junit":
        from reports.junit import render_junit

        return render_junit(record, allow_skip=allow_skip)
    if form == "markdown":
        from reports.markdown import render_markdown

        return render_markdown(record)
    assert form == "html"
    from reports.html import render_html

    return render_html(record)


def write_again(record: RunRecord, directory: Path, *, allow_skip: frozenset[str]) -> None:
    """The reports beside the evidence, with the skips that the caller allows."""
    from reports.write import write_reports

    write_reports(record, directory, allow_skip=allow_skip)


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
