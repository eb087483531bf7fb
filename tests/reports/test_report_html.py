"""The page as text: self-contained, well formed, of a sane size, deaf to hostile names."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
import report_cases

from harness.core.record import RunRecord
from reports.html import render_html
from reports.words import WORD

VOID = {"meta", "link", "br", "hr", "img", "input"}


class Reader(HTMLParser):
    """Tags, attributes and ids; complains of what does not close."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        self.ids += [value or "" for name, value in attrs if name == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def read(record: RunRecord) -> tuple[str, Reader]:
    text = render_html(record)
    reader = Reader()
    reader.feed(text)
    assert reader.open == []
    return text, reader


def test_it_is_well_formed_and_names_each_part_once(record: RunRecord) -> None:
    _, page = read(record)
    assert len(page.ids) == len(set(page.ids))
    referred = {
        part
        for name, value in page.attributes
        if name in {"aria-labelledby", "href"} and value
        for part in value.replace("#", "").split()
        if not part.startswith("data:")
    }
    assert referred <= set(page.ids)


def test_it_needs_nothing_but_itself(record: RunRecord) -> None:
    text, page = read(record)
    assert not {"script", "img", "iframe", "object", "embed", "audio", "video"} & set(page.tags)
    assert [v for n, v in page.attributes if n in {"src", "srcset", "data", "action"}] == []
    links = [v for n, v in page.attributes if n == "href"]
    assert all(v and (v.startswith("#") or v == "data:,") for v in links)
    assert not [n for n, _ in page.attributes if n.startswith("on")]
    style = text[text.index("<style>") : text.index("</style>")]
    assert "url(" not in style
    assert "@import" not in style
    assert "default-src 'none'" in text


def test_it_is_not_too_big_for_a_mail(record: RunRecord) -> None:
    assert len(render_html(record).encode()) <= 2_000_000


def test_a_noisy_day_is_not_too_big_either() -> None:
    """A day of load in which no second is like the one before it."""
    base = report_cases.met()
    day, random = 86_400, np.random.default_rng(1)

    def noisy(size: int) -> np.ndarray:
        return random.integers(0, 10_000, size)

    series = tuple(
        replace(
            s, scheduled=noisy(day), offered=noisy(day), good=noisy(day), shed=noisy(day),
            latency_p50_ms=random.uniform(1, 50, day), latency_p99_ms=random.uniform(50, 900, day),
        )
        for s in base.series
    )  # fmt: skip
    record = replace(base, series=series, load_stopped_ns=base.load_begun_ns + day * 10**9)
    assert len(render_html(record).encode()) <= 2_000_000


def test_every_picture_says_what_it_shows_or_is_hidden(record: RunRecord) -> None:
    text, _ = read(record)
    for svg in re.findall(r"<svg[^>]*>", text):
        inner = 'viewBox="0 -12 1000 112"' in svg or 'viewBox="0 0 1000 100"' in svg
        assert inner or 'aria-hidden="true"' in svg or 'role="img"' in svg


def test_the_heading_says_what_was_drilled_and_what_came_of_it(record: RunRecord) -> None:
    text, _ = read(record)
    heading = re.search(r"<h1[^>]*>(.*?)</h1>", text, re.DOTALL)
    assert heading
    assert WORD[record.judgement.verdict] in heading[1]
    assert text.index("<h1") < text.index("<h2")


def test_hostile_text_is_escaped_and_loses_its_controls() -> None:
    text = render_html(report_cases.hostile())
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    assert not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text)
    text.encode()


@pytest.mark.parametrize(
    ("case", "said"),
    [
        ("met", "stand-in application"),
        ("missed", "lost pd-r1-0-17"),
        ("not_recovered", "not recovered"),
        ("null_run", "No effect of the fault was observed."),
        ("skipped", "Skipped"),
        ("without_writes", "has no recovery point objective"),
        ("very_long", "nothing is averaged"),
    ],
)
def test_it_says_what_there_is_to_say(case: str, said: str) -> None:
    assert said in render_html(report_cases.ALL[case]())


def test_what_was_not_checked_is_on_the_page(record: RunRecord) -> None:
    text = render_html(record)
    assert "Not checked" in text
    assert text.count('class="unchecked"') == 1


def test_the_same_run_gives_the_same_page(record: RunRecord) -> None:
    assert render_html(record) == render_html(record)
