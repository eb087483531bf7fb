"""The archive takes names from nobody, and the stream is one line a state, for any reader."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from harness.serving.access import Access
from harness.serving.events import Hub, encoded
from harness.serving.live import Live
from harness.watching.live_state import write_live
from tests.live import live_states
from tests.live.serving_stand import Served, served


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Served]:
    with served(tmp_path) as server:
        yield server


# ---- the archive


def test_a_path_that_somebody_made_up_is_no_run(local: Served, tmp_path: Path) -> None:
    (tmp_path / "secret.html").write_text("SECRET")
    run = local.runs / "r1"
    run.mkdir()
    (run / "plan.json").write_text("{}")
    (run / "report.html").write_text("<p>fine</p><script>alert(1)</script>")
    linked = local.runs / "r2"
    linked.mkdir()
    (linked / "plan.json").write_text("{}")
    (linked / "report.html").symlink_to(tmp_path / "secret.html")
    (local.runs / "r3").symlink_to(tmp_path, target_is_directory=True)
    status, headers, text = local.ask("GET", "/runs/r1")
    assert (status, text) == (200, "<p>fine</p><script>alert(1)</script>")
    assert headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    for name in (
        "..", "%2e%2e", "..%2f..%2fsecret.html", "r1%2f..%2f..%2fsecret.html", "r2", "r3", ".",
        "r1%00", "%2fetc%2fpasswd", "r1/report.html", "r1%5c..", "",
    ):  # fmt: skip
        status, _, text = local.ask("GET", f"/runs/{name}")
        assert status in {404, 307, 400, 200}
        assert "SECRET" not in text
        assert "root:" not in text
        assert status != 200, name


def test_hostile_names_are_text(local: Served) -> None:
    name = "<img src=x onerror=alert(1)>"
    run = local.runs / name
    run.mkdir()
    (run / "plan.json").write_text(json.dumps({"scenario": {"name": live_states.HOSTILE}}))
    (run / "verdict.json").write_text(json.dumps({"verdict": name, "reasons": [name]}))
    (run / "report.html").write_text("fine")
    _, _, text = local.ask("GET", "/runs")
    assert "<img" not in text
    assert "<script>alert" not in text
    assert "\u202e" not in text
    assert "no verdict" in text
    link = text.partition('href="/runs/')[2].partition('"')[0]
    assert local.ask("GET", f"/runs/{link}")[2] == "fine"


def test_an_archive_that_is_not_there_is_empty(local: Served) -> None:
    shutil.rmtree(local.runs)
    assert "No run yet" in local.ask("GET", "/runs")[2]
    assert "No game day yet" in local.ask("GET", "/gamedays")[2]


def test_a_history_that_cannot_be_opened_says_so(tmp_path: Path) -> None:
    with served(tmp_path, history="nonsense://x") as server:
        status, _, text = server.ask("GET", "/runs")
    assert status == 200
    assert 'role="alert"' in text


def test_a_game_day_shows_its_report(local: Served) -> None:
    day = local.runs / "gameday-black-friday"
    day.mkdir()
    (day / "report.html").write_text("the day")
    assert "gameday-black-friday" in local.ask("GET", "/gamedays")[2]
    assert local.ask("GET", "/gamedays/gameday-black-friday")[2] == "the day"
    assert local.ask("GET", "/runs/gameday-black-friday")[0] == 404


def test_readiness_is_there_or_says_why_not(local: Served, monkeypatch) -> None:
    status, _, text = local.ask("GET", "/readiness?season=no-such-season")
    assert status == 200
    assert "no-such-season" in text or "readiness" in text.lower()


# ---- the stream


async def lines_of(hub: Hub, count: int, last_seen: str = "") -> list[str]:
    found: list[str] = []
    stream = hub.stream(last_seen)
    async for chunk in stream:
        found += chunk.decode().splitlines()
        if sum(line.startswith(("event:", "retry:")) for line in found) >= count:
            break
    await stream.aclose()
    return found


def test_the_stream_is_a_state_on_one_line_and_holds_nothing_of_ours() -> None:
    hub = Hub(Path(), now_ns=lambda: 0)
    nasty = "a\ndata: evil\r\nevent: x\u2028\x85"
    hub.publish(live_states.outage(run_id="r1", release=nasty))
    lines = asyncio.run(lines_of(hub, 3))
    (state,) = [line for line in lines if line.startswith("data:") and '"scenario"' in line]
    told = json.loads(state.removeprefix("data: "))
    assert told["release"] == nasty
    assert not {"process", "directory"} & set(told)
    assert {line.partition(":")[0] for line in lines if line} == {"retry", "event", "id", "data"}


def test_a_reader_that_comes_back_gets_what_it_missed_and_no_more() -> None:
    hub = Hub(Path(), now_ns=lambda: 0)
    hub.publish(live_states.state("r1"))
    lines = asyncio.run(lines_of(hub, 3))
    last = [line.removeprefix("id: ") for line in lines if line.startswith("id:")][-1]

    async def come_back() -> list[str]:
        reading = asyncio.create_task(lines_of(hub, 2, last))
        await asyncio.sleep(0.05)
        hub.publish(live_states.state("r1", number=2))
        return await reading

    again = asyncio.run(come_back())
    assert [line for line in again if line.startswith("event:")] == ["event: state"]
    assert '"number": 2' in "".join(again)


def test_a_slow_reader_gets_the_newest_and_nobody_waits() -> None:
    async def story() -> tuple[int, str]:
        hub = Hub(Path(), now_ns=lambda: 0)
        stream = hub.stream("")
        await anext(stream)
        for number in range(5_000):  # nobody reads
            hub.publish(live_states.state("r1", number=number, load_s=float(number)))
        held = max(queue.qsize() for queue in hub._queues)
        chunks = [(await anext(stream)).decode() for _ in range(3)]
        await stream.aclose()
        assert hub.listeners == 0
        assert len(hub._history) <= 360
        return held, chunks[-1]

    held, last = asyncio.run(story())
    assert held == 1
    assert '"number": 4999' in last


def test_too_many_listeners_are_turned_away(monkeypatch: pytest.MonkeyPatch) -> None:
    from starlette.requests import Request

    hub = Hub(Path(), now_ns=lambda: 0)
    access = Access("127.0.0.1", 1, (), open_to_view=True)
    hub._queues = {asyncio.Queue() for _ in range(100)}
    scope = {"type": "http", "headers": [], "method": "GET", "path": "/events"}
    answer = asyncio.run(Live(access, hub).stream(Request(scope)))
    assert answer.status_code == 503


def test_silence_is_broken_by_a_beat(monkeypatch: pytest.MonkeyPatch) -> None:
    from harness.serving import events as module

    monkeypatch.setattr(module, "_BEAT_S", 0.05)

    async def story() -> bytes:
        stream = Hub(Path(), now_ns=lambda: 0).stream("x")
        chunks = [await anext(stream) for _ in range(3)]
        await stream.aclose()
        return chunks[-1]

    assert asyncio.run(story()) == b": still here\n\n"


def test_an_event_cannot_hold_a_line_end() -> None:
    with pytest.raises(AssertionError):
        encoded("state", "1", "a\nb")


def test_a_drill_is_told_over_the_wire(local: Served) -> None:
    import http.client

    write_live(local.live, live_states.state("r1"))
    connection = http.client.HTTPConnection("127.0.0.1", local.port, timeout=30)
    connection.request("GET", "/events")
    answer = connection.getresponse()
    assert answer.getheader("content-type", "").startswith("text/event-stream")
    seen = ""
    while '"run_id": "r1", "scenario"' not in seen:
        seen += answer.fp.readline().decode()
    write_live(local.live, replace(live_states.state("r1"), number=2, phase="news"))
    while "news" not in seen:
        seen += answer.fp.readline().decode()
    connection.close()
