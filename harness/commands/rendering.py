"""Where the command line meets the reports; nobody else in harness knows that they exist."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from harness.core.record import RunRecord
from harness.progress import Progress, Silent

if TYPE_CHECKING:
    from harness.evidence.export import Index


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


def render_all(record: RunRecord, allow_skip: frozenset[str]) -> dict[str, str]:
    """Every report as text, by the name of its file."""
    from reports.write import render_all as rendered

    return rendered(record, allow_skip=allow_skip)


def write_again(record: RunRecord, directory: Path, *, allow_skip: frozenset[str]) -> None:
    """The reports beside the evidence, with the skips that the caller allows; signed again."""
    from harness.evidence import signing
    from reports.write import write_reports

    who = signing.who_signs(directory)  # a key that cannot be read replaces no report
    write_reports(replace(record, directory=record.plan.run_id), directory, allow_skip=allow_skip)
    if who is not None:
        signing.sign_reports(directory, who, signed_utc=signing.now_utc(), allow_skip=allow_skip)


def clean(text: str) -> str:
    """On one line, and without what moves a cursor."""
    from reports.words import clean as cleaned

    return cleaned(text)


def bundle_page(index: Index) -> str:
    """The first page of an auditor's bundle."""
    from reports.bundle_page import render_bundle

    return render_bundle(index)


def bundle_headline(index: Index) -> str:
    from reports.bundle_page import headline

    return headline(index)


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
