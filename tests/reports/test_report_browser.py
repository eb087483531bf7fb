"""The page in a real browser: what a person sees, on a screen, on a telephone, on paper."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
import report_cases
from page_in_browser import CONTRAST, Browser

from harness.core.record import RunRecord
from reports.html import render_html
from reports.words import WORD, clean

pytestmark = pytest.mark.browser

A4_WIDTH_PX = 695  # of what is inside the margins, at 96 dots an inch
DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.fixture(scope="module", params=report_cases.ALL, ids=list(report_cases.ALL))
def opened(request: pytest.FixtureRequest, browser: Browser) -> RunRecord:
    """Each run's page, opened once; every test looks at it on a screen of its own."""
    record: RunRecord = report_cases.ALL[request.param]()
    browser.show(render_html(record))
    return record


def test_it_asks_for_nothing_and_complains_of_nothing(browser: Browser, opened: RunRecord) -> None:
    assert browser.console() == []
    assert [url for url in browser.requests() if not url.startswith(("file:", "data:"))] == []


def test_the_first_screen_says_the_verdict_and_why(browser: Browser, opened: RunRecord) -> None:
    for width, height in ((1280, 800), (390, 844)):
        browser.size(width, height)
        bottom = browser.run(
            "return Math.max(...[...document.querySelectorAll('h1, .lead, .reasons')]"
            ".map(e => e.getBoundingClientRect().bottom))"
        )
        assert bottom <= height
    word = browser.run("return document.querySelector('h1').innerText").strip()
    assert word == WORD[opened.judgement.verdict]
    assert clean(opened.judgement.reasons[0]) in browser.run("return document.body.innerText")


def test_it_never_scrolls_sideways(browser: Browser, opened: RunRecord) -> None:
    for width in (320, 390, 768, 1280):
        browser.size(width)
        assert browser.run("return document.documentElement.scrollWidth") <= width


def test_labels_of_marks_stay_inside(browser: Browser, opened: RunRecord) -> None:
    browser.size(390)
    outside = browser.run(
        "return [...document.querySelectorAll('text.flag')].filter(t => {"
        " const r = t.getBoundingClientRect(); return r.left < 0 || r.right > innerWidth })"
        ".map(t => t.textContent)"
    )
    assert outside == []


def test_paper_cuts_nothing_off(browser: Browser, opened: RunRecord) -> None:
    browser.size(A4_WIDTH_PX, 1000, medium="print")
    too_wide = browser.run(
        "return [...document.querySelectorAll('main *')]"
        ".filter(e => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest('svg svg'))"
        ".map(e => e.tagName + ' ' + e.className + ' ' + (e.innerText || '').slice(0, 40))"
    )
    assert too_wide == []


def test_paper_is_a_few_pages(browser: Browser, opened: RunRecord) -> None:
    browser.size(1280)
    pages = len(re.findall(rb"/Type\s*/Page\b", browser.pdf()))
    assert 2 <= pages <= (12 if opened.steps else 10)  # a runbook has pages of its own


def test_every_letter_stands_out(browser: Browser, opened: RunRecord) -> None:
    for dark in (False, True):
        browser.size(1280, dark=dark)
        assert browser.run(CONTRAST) == {}


def test_hostile_names_stay_text(browser: Browser) -> None:
    browser.show(render_html(report_cases.hostile()))
    assert browser.run("return document.scripts.length") == 0
    assert browser.run("return document.querySelectorAll('img, iframe, object, embed').length") == 0
    assert "<script>alert('x')</script>" in browser.run("return document.body.innerText")
    assert browser.run("return document.querySelector('h1').innerText").strip() == "Missed"
    assert browser.console() == []


def test_a_recovery_has_its_sections_and_says_first_what_was_unprotected(browser: Browser) -> None:
    browser.show(render_html(report_cases.restored_badly()))
    shown = browser.run(
        "return [...document.querySelectorAll('main section')].map(s => s.id).filter(i => i)"
    )
    assert {"runbook", "failback", "access", "restoration", "proofs"} <= set(shown)
    order = browser.run(
        "return [...document.querySelectorAll('.lead, .unprotected, .reasons')]"
        ".map(e => e.className)"
    )
    assert order == ["lead", "unprotected", "reasons"]
    bars = browser.run(
        "return [...document.querySelectorAll('.steps .course svg')].map(s => {"
        " const [all, own] = s.querySelectorAll('rect');"
        " const a = all.getBoundingClientRect(), b = own.getBoundingClientRect();"
        " return b.width > 0 && b.left >= a.left - 1 && b.right <= a.right + 1 })"
    )
    assert bars == [True] * 4


def test_a_run_without_a_runbook_shows_none_of_it(browser: Browser) -> None:
    browser.show(render_html(report_cases.met()))
    for part in ("#runbook", "#failback", "#access", "#restoration", "#proofs", ".unprotected"):
        assert browser.run(f"return document.querySelectorAll('{part}').length") == 0


def test_ten_workloads_fit(browser: Browser) -> None:
    browser.show(render_html(report_cases.crowded()))
    assert browser.run("return document.querySelectorAll('.summary tbody tr').length") == 10
    assert browser.run("return document.querySelectorAll('.bar').length") == 10
    assert browser.run(
        "return [...document.querySelectorAll('.scroll')].every(e => e.scrollWidth <= e.clientWidth)"
    )


def test_the_keyboard_reaches_everything_and_one_sees_where_it_is(browser: Browser) -> None:
    browser.show(render_html(report_cases.met()))
    browser.press("TAB")
    assert browser.run("return document.activeElement.className") == "skip"
    assert browser.run("return document.activeElement.getBoundingClientRect().left") >= 0
    reached = set()
    for _ in range(30):
        browser.press("TAB")
        reached.add(
            browser.run(
                "const e = document.activeElement;"
                "return (e.getAttribute('href') || e.getAttribute('aria-label') || '') + '|' +"
                "getComputedStyle(e).outlineStyle"
            )
        )
    assert {"#timeline|solid", "#evidence|solid", "Writes by class and workload|solid"} <= reached


def test_the_picture_of_the_readme(browser: Browser, tmp_path: Path) -> None:
    """With PEAKDRILL_WRITE_PICTURE=runs/<run_id>/report.html its picture is docs/report.png.

    With PEAKDRILL_WRITE_PICTURE=1 that of a run made by hand.
    """
    wanted = os.environ.get("PEAKDRILL_WRITE_PICTURE", "")
    source = Path(wanted) if wanted.endswith(".html") else None
    browser.show(source.read_text(encoding="utf-8") if source else render_html(report_cases.met()))
    browser.size(1120, 1560)
    file = (DOCS if wanted else tmp_path) / "report.png"
    file.write_bytes(browser.picture())
    assert file.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert file.stat().st_size <= 300_000
