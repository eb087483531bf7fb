"""The readiness page in a real browser: on a screen, on a telephone, in the dark, on paper."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import readiness_samples
from page_in_browser import CONTRAST, Browser

from harness.core.readiness.matrix import Readiness
from harness.core.readiness.standing import State
from reports.readiness_page import render_readiness
from reports.words import clean

pytestmark = pytest.mark.browser

A4_WIDTH_PX, A4_SIDEWAYS_PX = 695, 1024  # of what is inside the margins, at 96 dots an inch
DOCS = Path(__file__).resolve().parents[2] / "docs"
NAMES = ("mixed", "ready", "lapsing", "untested", "crowd")


@pytest.fixture(scope="module", params=NAMES)
def opened(request: pytest.FixtureRequest, browser: Browser) -> Readiness:
    """Each page, opened once; every test looks at it on a screen of its own."""
    found: Readiness = getattr(readiness_samples, request.param)()
    browser.show(render_readiness(found))
    return found


def test_it_asks_for_nothing_and_complains_of_nothing(browser: Browser, opened: Readiness) -> None:
    assert browser.console() == []
    assert [url for url in browser.requests() if not url.startswith(("file:", "data:"))] == []


def test_the_first_screen_answers(browser: Browser, opened: Readiness) -> None:
    for width, height in ((1280, 800), (390, 844)):
        browser.size(width, height)
        bottom = browser.run(
            "return Math.max(...[...document.querySelectorAll('h1, .lead')]"
            ".map(e => e.getBoundingClientRect().bottom))"
        )
        assert bottom <= height
    ready = opened.verdict.value == "met"
    word = browser.run("return document.querySelector('h1').innerText").strip()
    assert word == ("Ready" if ready else "Not ready")
    assert clean(opened.answer) in browser.run("return document.querySelector('.lead').innerText")


def test_an_executive_sees_the_whole_matrix_at_once(browser: Browser) -> None:
    browser.show(render_readiness(readiness_samples.mixed()))
    browser.size(1280, 1024)
    bottom = browser.run("return document.querySelector('.matrix').getBoundingClientRect().bottom")
    assert bottom <= 1024


def test_it_never_scrolls_sideways(browser: Browser, opened: Readiness) -> None:
    for width in (320, 390, 800, 1280):
        browser.size(width)
        assert browser.run("return document.documentElement.scrollWidth") <= width


def test_no_text_leaves_its_cell(browser: Browser, opened: Readiness) -> None:
    for width in (320, 800, 1280):
        browser.size(width)
        outside = browser.run(
            "return [...document.querySelectorAll('.matrix td')].flatMap(td => {"
            " const box = td.getBoundingClientRect();"
            " return [...td.querySelectorAll('span, small, svg')].filter(e => {"
            "  const r = e.getBoundingClientRect(); return r.width > 1 &&"
            "  (r.left < box.left - 1 || r.right > box.right + 1 || r.bottom > box.bottom + 1) })"
            " .map(e => e.tagName + ' ' + e.textContent) })"
        )
        assert outside == []


def test_each_cell_has_a_word_and_an_icon(browser: Browser, opened: Readiness) -> None:
    browser.size(1280)
    cells = browser.run(
        "return [...document.querySelectorAll('.matrix td:not(.nothing)')].map(td =>"
        " [td.className.split(' ')[0], td.querySelector('.state').innerText.trim(),"
        "  td.querySelector('use').getAttribute('href'),"
        "  getComputedStyle(td).backgroundColor])"
    )
    assert len(cells) == len(opened.cells)
    assert sorted(word.lower() for _, word, _, _ in cells) == sorted(c.state for c in opened.cells)
    assert all(icon == f"#i-{css.removeprefix('s-')}" for css, _, icon, _ in cells)
    shades = {css: colour for css, _, _, colour in cells}
    assert len(set(shades.values())) == len(shades)
    drawn = browser.run("return [...document.querySelectorAll('symbol')].map(s => s.id)")
    assert {icon.removeprefix("#") for _, _, icon, _ in cells} <= set(drawn)


def test_every_letter_stands_out(browser: Browser, opened: Readiness) -> None:
    for dark in (False, True):
        browser.size(1280, dark=dark)
        assert browser.run(CONTRAST) == {}


def test_paper_cuts_nothing_off(browser: Browser, opened: Readiness) -> None:
    crowded = len(opened.columns) > 8
    browser.size(A4_SIDEWAYS_PX if crowded else A4_WIDTH_PX, 1000, medium="print")
    too_wide = browser.run(
        "return [...document.querySelectorAll('main *')]"
        ".filter(e => e.getBoundingClientRect().right > innerWidth + 1)"
        ".map(e => e.tagName + ' ' + e.className + ' ' + (e.innerText || '').slice(0, 40))"
    )
    assert too_wide == []


def test_the_matrix_is_printed_whole_on_the_first_page(browser: Browser, tmp_path: Path) -> None:
    if shutil.which("pdftotext") is None:
        lacking = "not run: poppler-utils is not installed"
        (pytest.fail if os.environ.get("PEAKDRILL_REQUIRE_BROWSER") else pytest.skip)(lacking)
    found = readiness_samples.mixed()
    browser.show(render_readiness(found))
    printed = tmp_path / "readiness.pdf"
    printed.write_bytes(browser.pdf())
    assert 3 <= len(re.findall(rb"/Type\s*/Page\b", printed.read_bytes())) <= 9
    text = subprocess.run(
        ["pdftotext", "-l", "1", "-layout", str(printed), "-"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    words = " ".join(text.split())
    for scenario in found.rows:
        assert scenario.split("-")[0] in words
    states = {c.state for c in found.cells}
    counted = {
        s: len(re.findall(rf"\b{s.value.split()[0]}\b", words, re.IGNORECASE)) for s in states
    }
    assert counted[State.INCONCLUSIVE] >= 2  # its cell, and the legend
    assert counted[State.EXPIRED] >= 8


def test_two_hundred_hostile_runs_print(browser: Browser) -> None:
    browser.show(render_readiness(readiness_samples.crowd()))
    assert browser.run("return document.querySelectorAll('.runs tbody tr').length") == 200
    assert browser.run("return document.querySelectorAll('.matrix thead th').length") == 11
    pages = len(re.findall(rb"/Type\s*/Page\b", browser.pdf()))
    assert 10 <= pages <= 80


def test_hostile_names_stay_text(browser: Browser) -> None:
    browser.show(render_readiness(readiness_samples.crowd()))
    assert browser.run("return document.scripts.length") == 0
    assert browser.run("return document.querySelectorAll('img, iframe, object, embed').length") == 0
    shown = browser.run("return document.body.innerText")
    assert "<script>alert('x')</script>" in shown
    assert "{{ 7 * 7 }}" in shown
    assert "\u202e" not in browser.run("return document.documentElement.outerHTML")
    assert browser.run("return document.querySelector('h1').innerText").strip() == "Not ready"
    bad = browser.run(
        "return [...document.links].map(a => a.getAttribute('href'))"
        ".filter(h => !h.startsWith('#') && !h.endsWith('/report.html'))"
    )
    assert bad == []
    assert browser.console() == []


def test_a_cell_leads_to_the_report_of_its_run(browser: Browser) -> None:
    found = readiness_samples.mixed()
    browser.show(render_readiness(found, link=lambda run_id: f"../runs/{run_id}/report.html"))
    hrefs = browser.run(
        "return [...document.querySelectorAll('.matrix td a')].map(a => a.getAttribute('href'))"
    )
    assert sorted(hrefs) == sorted(
        f"../runs/{c.run_id}/report.html" for c in found.cells if c.run_id
    )
    browser.show(render_readiness(found, link=lambda _: ""))
    links = browser.run("return [...document.links].map(a => a.getAttribute('href'))")
    assert links == ["#answer"]


def test_the_keyboard_goes_from_the_answer_through_the_matrix(browser: Browser) -> None:
    browser.show(render_readiness(readiness_samples.mixed()))
    browser.press("TAB")
    assert browser.run("return document.activeElement.className") == "skip"
    assert browser.run("return document.activeElement.getBoundingClientRect().left") >= 0
    tops = []
    for _ in range(8):
        browser.press("TAB")
        seen = browser.run(
            "const e = document.activeElement, r = e.getBoundingClientRect();"
            "return [e.closest('.matrix') !== null, getComputedStyle(e).outlineStyle,"
            " r.top + scrollY, r.left]"
        )
        assert seen[:2] == [True, "solid"]
        tops.append(seen[2:])
    assert [round(t) for t, _ in tops[:7]] == [round(tops[0][0])] * 7  # a row, from left to right
    assert [x for _, x in tops[:7]] == sorted(x for _, x in tops[:7])


def test_the_weakest_cell_stands_out_and_ready_has_none(browser: Browser) -> None:
    browser.show(render_readiness(readiness_samples.mixed()))
    marked = browser.run(
        "return [...document.querySelectorAll('.matrix .weakest')].map(e => e.dataset.label)"
    )
    assert marked == ["point-of-sale"]
    browser.show(render_readiness(readiness_samples.ready()))
    assert browser.run("return document.querySelectorAll('.weakest').length") == 0


def test_what_ends_before_the_season_is_drawn_so(browser: Browser) -> None:
    browser.show(render_readiness(readiness_samples.lapsing()))
    ends = browser.run(
        "return [...document.querySelectorAll('.last')].filter(r => r.querySelector('.proof'))"
        ".map(r => [r.querySelector('.until').innerText.includes('before it begins'),"
        " r.querySelector('.proof').getBoundingClientRect().right <="
        " r.querySelector('.season').getBoundingClientRect().left + 1])"
    )
    assert len(ends) == 6
    assert all(told == drawn for told, drawn in ends)
    assert [told for told, _ in ends].count(True) == 3


def test_a_trend_joins_no_two_sizes_or_rates(browser: Browser) -> None:
    found = readiness_samples.mixed()
    browser.show(render_readiness(found))
    pictures = browser.run("return document.querySelectorAll('.trend').length")
    assert pictures == len(found.trend)
    joined = browser.run("return document.querySelectorAll('.joined').length")
    assert joined == sum(len([p for p in s.points if p.slowest.high_ns]) > 1 for s in found.trend)


def test_the_picture_of_the_docs(browser: Browser, tmp_path: Path) -> None:
    """With PEAKDRILL_WRITE_PICTURE=FILE.html its picture is docs/readiness.png; with 1 a sample's."""
    wanted = os.environ.get("PEAKDRILL_WRITE_PICTURE", "")
    source = Path(wanted) if wanted.endswith(".html") else None
    page = source.read_text(encoding="utf-8") if source else None
    browser.show(page or render_readiness(readiness_samples.mixed()))
    browser.size(1120, 1290)
    file = (DOCS if wanted else tmp_path) / "readiness.png"
    file.write_bytes(browser.picture())
    assert file.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert file.stat().st_size <= 300_000
