"""Words and figures, and the doctests of every module of reports."""

from __future__ import annotations

import doctest
import importlib
from dataclasses import replace
from pathlib import Path

import pytest
import report_cases
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core.verdict import Verdict
from harness.evidence import layout
from reports.words import clean, headline, other_reasons, span
from reports.write import render_all, write_reports


@pytest.mark.parametrize("name", ["words", "chart", "json_values", "markdown"])
def test_examples_in_the_documentation_hold(name: str) -> None:
    result = doctest.testmod(importlib.import_module(f"reports.{name}"))
    assert result.attempted
    assert not result.failed


@settings(deadline=None, derandomize=True)
@given(st.text())
def test_clean_text_is_one_printable_line(text: str) -> None:
    cleaned = clean(text)
    assert cleaned == clean(cleaned)
    assert "\n" not in cleaned
    cleaned.encode()


@settings(deadline=None, derandomize=True)
@given(st.floats(0, 1e5), st.floats(0, 1e5))
def test_two_ends_never_look_like_one(a: float, b: float) -> None:
    low, high = sorted((a, b))
    text = span(low, high)
    if high - low > 1e-6:
        first, last = text.removesuffix(" s").split(" to ")
        assert first != last


def test_without_reasons_the_verdict_speaks_for_itself() -> None:
    base = report_cases.met().judgement
    for verdict in Verdict:
        assert headline(replace(base, verdict=verdict, reasons=()))


def test_what_the_table_shows_is_not_said_twice() -> None:
    base = report_cases.missed().judgement
    said = (
        "Not safe: order-capture: 3 of 3,437 acknowledged writes lost",
        "order-capture: 3 of 3,437 acknowledged writes lost",
        "stock-reservation: down for 65.8-66.4 s",
        "point-of-sale: down for 13.7-14.3 s",
        "orders, stock, ledger and partners agree",
    )
    assert other_reasons(replace(base, reasons=said)) == (said[2], said[4])


def test_all_reports_are_written_and_replaced_whole(tmp_path: Path) -> None:
    record = report_cases.met()
    written = write_reports(report_cases.hostile(), tmp_path)
    assert set(written) == {
        layout.REPORT_HTML, layout.REPORT_JSON, layout.JUNIT, layout.SUMMARY,
    }  # fmt: skip
    write_reports(record, tmp_path)
    for name, text in render_all(record).items():
        assert (tmp_path / name).read_text(encoding="utf-8") == text
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(written)


def test_a_report_that_cannot_be_written_leaves_the_older_one(tmp_path: Path) -> None:
    record = report_cases.met()
    with pytest.raises(FileNotFoundError):
        write_reports(record, tmp_path / "nowhere")
