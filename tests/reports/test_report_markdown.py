"""The CI summary: the verdict first, and nothing in it that acts."""

from __future__ import annotations

import re

import pytest
import report_cases
from markdown_it import MarkdownIt

from harness.core.record import RunRecord
from reports.markdown import escape, render_markdown
from reports.words import WORD


def test_the_verdict_comes_first(record: RunRecord) -> None:
    first = render_markdown(record).splitlines()[0]
    assert first.startswith("## ")
    assert WORD[record.judgement.verdict] in first


def test_every_workload_is_one_row_of_eight_cells(record: RunRecord) -> None:
    rows = [r for r in render_markdown(record).splitlines() if r.startswith("|")]
    if record.judgement.workloads:
        assert len(rows) == len(record.judgement.workloads) + 2
    assert {row.count("|") for row in rows} <= {9}


def test_no_markup_of_others_survives(record: RunRecord) -> None:
    html = MarkdownIt("commonmark", {"html": True}).enable("table").render(render_markdown(record))
    tags = set(re.findall(r"<([a-z0-9]+)", html))
    assert tags <= {
        "h2", "p", "ul", "li", "table", "thead", "tbody", "tr", "th", "td", "strong", "code",
    }  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "a|b", "<img src=x onerror=alert(1)>", "@everyone", "#17", "`rm -rf`", "![x](y)",
        "[x](javascript:alert(1))", "https://evil.example", "www.evil.example", "*b*", "_i_",
        "~~s~~", "# head", "- item", "1. item", "a\nb", "$x$", ":tada:", "\\", "&lt;",
    ],
)  # fmt: skip
def test_escaped_text_reads_as_it_was_written(text: str) -> None:
    html = (
        MarkdownIt("commonmark", {"html": True})
        .enable(["table", "strikethrough"])
        .render(escape(text))
    )
    assert re.fullmatch(r"<p>[^<]*</p>\n", html)
    for active in ("@everyone", "#17", "https://", "www.", "|", "$", ":tada:"):
        assert active not in escape(text)


def test_it_says_what_was_not_checked_and_where_the_evidence_is() -> None:
    text = render_markdown(report_cases.met())
    assert "**Not checked**" in text
    assert "peakdrill check 20261122T032215Z7f3a" in text
    assert "stand-in application" in text
