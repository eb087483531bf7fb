"""The live page in a real browser: from five metres, by keyboard, with hostile names, all alone."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from page_in_browser import CONTRAST, Browser
from selenium.webdriver.common.by import By

from harness.core.guard import Harm
from harness.core.verdict import Verdict
from harness.platforms.embedded.process import ProcessId
from harness.watching import abort as button
from harness.watching.live_state import LiveMark, LiveSaid, LiveState, write_live
from tests.live import live_states
from tests.live.serving_stand import ONCE, Served, served, until

pytestmark = pytest.mark.browser

FAR_PX = 32
"""23 mm of capitals on a picture 2 m wide: 16 minutes of arc from five metres (ISO 9241-303)."""
TEN = (*(f"<b>workload</b>-{n}" for n in range(9)), live_states.HOSTILE)


@pytest.fixture
def server(tmp_path: Path, home: Path) -> Iterator[Served]:
    with served(tmp_path) as running:
        yield running


def tell(server: Served, state: LiveState) -> None:
    now_ns = time.monotonic_ns()
    write_live(server.live, replace(state, told_ns=now_ns, rates_ns=now_ns))


def open_page(browser: Browser, server: Served, *, token: str = "") -> None:
    browser.size(1920, 1080)
    browser.console()
    browser.driver.get("about:blank")
    browser.requests()
    browser.driver.get(f"{server.address}/{'#' + token if token else ''}")


def text(browser: Browser, name: str) -> str:
    return str(browser.run(f"return document.getElementById('{name}').innerText"))


def shown(browser: Browser, name: str, words: str) -> None:
    until(lambda: words in text(browser, name), f"{words!r} in {name}")


def outage(**changes: object) -> LiveState:
    state = live_states.outage()
    fault_ns = time.monotonic_ns() - 17 * 10**9  # the mark lies 22.1 s after the begin
    return replace(state, begun_ns=fault_ns - round(22.1e9), **changes)


def quiet(browser: Browser, server: Served) -> None:
    """No complaint, and nothing asked of anybody else."""
    assert browser.console() == []
    asked = [url for url in browser.requests() if url.startswith(("http", "ws"))]
    assert [url for url in asked if not url.startswith(server.address + "/")] == []


def test_the_state_is_read_from_five_metres(browser: Browser, server: Served) -> None:
    tell(server, outage(rates=live_states.rates(hurt=4, until_s=17.0, names=TEN)))
    open_page(browser, server, token=ONCE)
    shown(browser, "state", "4 of 10 hurt")
    sizes = browser.run(
        "return [...document.querySelectorAll('[data-far]')].filter(e => e.textContent)"
        ".map(e => [e.textContent, parseFloat(getComputedStyle(e).fontSize)])"
    )
    assert len(sizes) > 30
    assert [told for told, size in sizes if size < FAR_PX] == []
    clock = "return parseFloat(getComputedStyle(document.getElementById('clock')).fontSize)"
    assert browser.run(clock) >= 4 * FAR_PX
    bottoms = browser.run(
        "return ['clock', 'orders', 'money', 'abort'].map(i => document.getElementById(i))"
        ".concat([...document.querySelectorAll('#workloads li')])"
        ".map(e => e.getBoundingClientRect()).map(r => [r.bottom, r.right])"
    )
    assert max(bottom for bottom, _ in bottoms) <= 1080  # without scrolling
    assert max(right for _, right in bottoms) <= 1920
    quiet(browser, server)


def test_boxes_do_not_lie_on_each_other(browser: Browser, server: Served) -> None:
    far = Harm(99_999, 1_234_567, 123_456_789_00)
    tell(server, outage(harm=far, rates=live_states.rates(hurt=10, until_s=17.0, names=TEN)))
    open_page(browser, server, token=ONCE)
    shown(browser, "money", "123,456,789")
    for width, height in ((1920, 1080), (1280, 800), (800, 900), (390, 844), (320, 700)):
        browser.size(width, height)
        wide = browser.run("return document.documentElement.scrollWidth")
        assert wide <= width, f"scrolls sideways at {width}"
        over = browser.run(
            "const b = [...document.querySelectorAll('.now, .figures dd, .button, #steps')]"
            ".map(e => [e.id || e.className, e.getBoundingClientRect()]);"
            "return b.flatMap(([n, r], i) => b.slice(i + 1).filter(([, s]) =>"
            " r.left < s.right - 1 && s.left < r.right - 1 && r.top < s.bottom - 1 &&"
            " s.top < r.bottom - 1).map(([m]) => n + ' on ' + m))"
        )
        assert over == [], f"at {width}"


def test_hostile_names_are_text(browser: Browser, server: Served) -> None:
    nasty = live_states.HOSTILE
    tell(
        server,
        outage(
            scenario=nasty, heading=nasty, phase=nasty, release=nasty,
            rates=live_states.rates(hurt=3, until_s=17.0, names=TEN),
            marks=(*live_states.outage().marks, LiveMark(nasty, 30.0, nasty)),
            said=(LiveSaid(31.0, nasty),),
        ),
    )  # fmt: skip
    open_page(browser, server)
    shown(browser, "workloads", "<b>workload</b>-3")
    assert "<script>alert(2)</script>" in text(browser, "log")
    assert "<script>alert(2)</script>" in text(browser, "why")
    assert browser.run("return document.querySelectorAll('img, main b, main script').length") == 0
    quiet(browser, server)


def test_the_clock_runs_on_between_two_tellings_and_stops_when_all_are_back(
    browser: Browser, server: Served
) -> None:
    tell(server, outage())
    open_page(browser, server)
    shown(browser, "clock", " s")
    first = float(text(browser, "clock").removesuffix(" s"))
    until(lambda: float(text(browser, "clock").removesuffix(" s")) > first, "the clock runs")
    back = outage(number=41, rates=live_states.rates(hurt=0, until_s=19.0))
    tell(server, replace(back, marks=(*back.marks, LiveMark("service-well", 51.0, ""))))
    shown(browser, "state", "Service is back")
    assert (text(browser, "clock"), text(browser, "clock-of")) == ("19 s", "all back after")
    assert "✓ back: 19 s of 60 s" in text(browser, "workloads")


@pytest.mark.parametrize("verdict", [v.value for v in Verdict])
def test_the_end_says_the_verdict(browser: Browser, server: Served, verdict: str) -> None:
    tell(server, outage(verdict=verdict, reason="because of this"))
    open_page(browser, server, token=ONCE)
    shown(browser, "state", f"Ended: {verdict}")
    assert text(browser, "why") == "because of this"
    assert not browser.driver.find_element(By.ID, "abort").is_enabled()


def test_a_drill_that_died_is_told(browser: Browser, server: Served) -> None:
    tell(server, outage(process=ProcessId(2**22 - 1, 1)))
    open_page(browser, server, token=ONCE)
    shown(browser, "state", "The drill died")
    assert "peakdrill undo" in text(browser, "why")
    assert not browser.driver.find_element(By.ID, "abort").is_enabled()


def test_no_drill_is_told_and_the_next_one_appears(browser: Browser, server: Served) -> None:
    open_page(browser, server)
    shown(browser, "state", "No drill in progress")
    tell(server, live_states.state())
    shown(browser, "state", "Baseline")
    quiet(browser, server)


def test_the_button_works_by_keyboard_and_asks_first(
    browser: Browser, server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    pressed: list[tuple[str, str, str | None]] = []

    def press(who: str, why: str, *, role: str, run_id: str | None) -> button.Pressed:
        pressed.append((who, why, run_id))
        return button.Pressed(run_id or "", Path(), live_states.state().process, 0, why, "x")

    monkeypatch.setattr(button, "press", press)
    state = outage()
    tell(server, state)
    open_page(browser, server, token=ONCE)
    shown(browser, "state", "hurt")
    assert browser.run("return location.hash") == ""  # the link does not stay in the address
    focused = "return document.activeElement.id || document.activeElement.textContent"
    for _ in range(12):
        browser.press("TAB")
        if browser.run(focused) == "abort":
            break
    assert browser.run(focused) == "abort"
    outline = "const s = getComputedStyle(document.activeElement); return s.outlineStyle"
    assert browser.run(outline) == "solid"
    browser.press("ENTER")
    assert browser.run("return document.getElementById('ask').open")
    browser.press("ESCAPE")
    assert not browser.run("return document.getElementById('ask').open")
    browser.press("ENTER")
    assert browser.run(focused) == "who"
    active = browser.driver.switch_to.active_element
    active.send_keys("Ann")
    browser.press("ENTER")  # a reason is missing
    assert pressed == []
    browser.driver.find_element(By.ID, "reason").send_keys("enough")
    browser.press("ENTER")
    until(lambda: pressed == [("Ann", "enough", state.run_id)], "the button is pressed")
    until(lambda: text(browser, "abort") == "Aborting", "the page says so")
    quiet(browser, server)


def test_a_viewer_is_told_why_there_is_no_button(browser: Browser, server: Served) -> None:
    tell(server, outage())
    open_page(browser, server)
    shown(browser, "state", "hurt")
    assert browser.driver.find_elements(By.ID, "abort") == []
    assert "You are watching" in browser.run("return document.body.innerText")


def test_who_listens_hears_what_changes_and_not_every_figure(
    browser: Browser, server: Served
) -> None:
    tell(server, outage())
    open_page(browser, server)
    shown(browser, "state", "hurt")
    assert browser.run(
        "return [...document.querySelectorAll('[aria-live], [role=status], [role=log]')]"
        ".map(e => e.id)"
    ) == ["summary"]
    browser.run(
        "window.told = []; new MutationObserver(() => told.push("
        "document.getElementById('summary').textContent)).observe("
        "document.getElementById('summary'), {childList: true, characterData: true, subtree: true})"
    )
    for number in range(41, 47):
        tell(server, outage(number=number, harm=Harm(number, number, number)))
        shown(browser, "orders", str(number))
    assert browser.run("return told") == []


def test_a_server_that_is_gone_is_told(browser: Browser, tmp_path: Path, home: Path) -> None:
    with served(tmp_path) as server:
        tell(server, outage())
        open_page(browser, server)
        shown(browser, "state", "hurt")

        def nothing_broken() -> bool:
            tell(server, outage())  # on a busy machine the last is old by now, and is said to be
            return text(browser, "broken") == ""

        until(nothing_broken, "a page that complains of nothing")
    shown(browser, "broken", "No connection")
    assert browser.console() is not None  # it complains of the connection, and so it should


def test_nothing_on_it_moves_but_the_figures(browser: Browser, server: Served) -> None:
    tell(server, outage())
    open_page(browser, server)
    shown(browser, "state", "hurt")
    moving = (
        "return [...document.querySelectorAll('*')].filter(e => { const s = getComputedStyle(e);"
        "return s.animationName !== 'none' || parseFloat(s.transitionDuration) > 0 }).length"
    )
    assert browser.run(moving) == 0


def test_who_wants_less_motion_gets_a_slower_clock(browser: Browser, server: Served) -> None:
    tell(server, outage())
    changes = {}
    for motion in ("no-preference", "reduce"):
        features = [{"name": "prefers-reduced-motion", "value": motion}]
        open_page(browser, server)
        browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        browser.driver.refresh()
        shown(browser, "state", "hurt")
        changes[motion] = browser.driver.execute_async_script(
            "const done = arguments[arguments.length - 1]; let asked = 0; const now = Date.now;"
            "Date.now = () => { asked++; return now.call(Date) };"
            "setTimeout(() => { Date.now = now; done(asked) }, 3000)"
        )
    assert changes["reduce"] < changes["no-preference"]
    browser.size(1920, 1080)


@pytest.mark.parametrize("dark", [False, True])
def test_every_text_stands_out(browser: Browser, server: Served, dark: bool) -> None:
    tell(server, outage())
    open_page(browser, server, token=ONCE)
    shown(browser, "state", "hurt")
    browser.size(1920, 1080, dark=dark)
    assert browser.run(CONTRAST) == {}
    browser.size(1920, 1080)


def test_two_hundred_runs_are_listed_whole(browser: Browser, server: Served) -> None:
    verdicts = [v.value for v in Verdict]
    for number in range(200):
        run = server.runs / f"20261127T2000{number:03d}Zabcd"
        run.mkdir()
        name = live_states.HOSTILE if number == 7 else "node-loss"
        (run / "plan.json").write_text(json.dumps({"scenario": {"name": name}, "size": "smoke"}))
        reasons = [f"Not safe: order-capture lost {number} of 911 acknowledged orders " * 2]
        body = {"verdict": verdicts[number % 5], "reasons": reasons}
        (run / "verdict.json").write_text(json.dumps(body))
        (run / "head.json").write_text(json.dumps({"begun_utc": f"2026-11-27T20:00:{number}Z"}))
        (run / "report.html").write_text(f"<title>report {number}</title>")
    open_page(browser, server)
    browser.driver.get(f"{server.address}/runs")
    assert len(browser.driver.find_elements(By.CSS_SELECTOR, "tbody tr")) == 200
    for width in (1920, 1280, 390):
        browser.size(width, 900)
        assert browser.run("return document.documentElement.scrollWidth") <= width
    assert browser.run("return document.querySelectorAll('main img, main script').length") == 0
    browser.driver.find_elements(By.CSS_SELECTOR, "tbody a")[3].click()
    until(lambda: browser.driver.title.startswith("report "), "the report")
    quiet(browser, server)
