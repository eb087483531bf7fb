"""Put the reports beside the evidence. Rendered first, written after: all of them or none."""

from __future__ import annotations

from pathlib import Path

from harness.core.record import RunRecord
from harness.evidence import layout
from reports.html import render_html
from reports.json_report import render_json
from reports.junit import render_junit
from reports.markdown import render_markdown


def render_all(record: RunRecord, *, allow_skip: frozenset[str] = frozenset()) -> dict[str, str]:
    """The text of every report, by the name of its file."""
    return {
        layout.REPORT_HTML: render_html(record),
        layout.REPORT_JSON: render_json(record),
        layout.JUNIT: render_junit(record, allow_skip=allow_skip),
        layout.SUMMARY: render_markdown(record),
    }


def write_reports(
    record: RunRecord, directory: Path, *, allow_skip: frozenset[str] = frozenset()
) -> dict[str, Path]:
    """Write every report into `directory`; an older one is replaced whole. Returns their paths."""
    written = {}
    for name, text in render_all(record, allow_skip=allow_skip).items():
        file = directory / name
        fresh = file.with_name(f".{name}.new")
        fresh.write_text(text, encoding="utf-8", newline="\n")
        fresh.replace(file)
        written[name] = file
    return written
