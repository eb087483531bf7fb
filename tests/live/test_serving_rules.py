"""Who may look, who may press, and what a request cannot do."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from harness import abort as button
from harness import cli
from harness.errors import Refused
from harness.live_state import write_live
from harness.serving.access import Access, Role, Token, is_loopback, read_tokens
from harness.serving.events import Hub, encoded
from harness.serving.live import Live
from tests.live import live_states
from tests.live.serving_stand import ONCE, OPERATOR, VIEWER, Served, served

TOKENS = (Token(Role.OPERATOR, OPERATOR), Token(Role.VIEWER, VIEWER))


@pytest.fixture
def pressed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, str | None]]:
    """The button, which only notes that it was pressed."""
    found: list[tuple[str, str, str | None]] = []

    def press(who: str, why: str, *, role: str, run_id: str | None) -> button.Pressed:
        found.append((who, why, run_id))
        if run_id == "gone":
            raise Refused("no drill is in progress")
        return button.Pressed(run_id or "", Path(), live_states.state().process, 0, why, "x")

    monkeypatch.setattr(button, "press", press)
    return found


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Served]:
    with served(tmp_path) as server:
        yield server


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Served]:
    with served(tmp_path, tokens=TOKENS) as server:
        yield server


# ---- the doors


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:{port}", "127.0.0.1:1", "", "localhost.evil.example:{port}"],
)
def test_a_name_that_was_rebound_to_us_is_turned_away(local: Served, host: str) -> None:
    for method, path in (("GET", "/"), ("GET", "/events"), ("POST", "/abort"), ("GET", "/runs/x")):
        status, _, text = local.ask(method, path, Host=host.format(port=local.port))
        assert status in {400, 421}, (path, text)


@pytest.mark.parametrize("host", ["127.0.0.1:{port}", "localhost:{port}", "[::1]:{port}"])
def test_our_own_names_are_known(local: Served, host: str) -> None:
    assert local.ask("GET", "/", Host=host.format(port=local.port))[0] == 200


def test_an_address_written_out_is_no_rebound_name() -> None:
    access = Access("0.0.0.0", 8440, TOKENS, open_to_view=False)
    assert access.knows_host("192.0.2.7:8440")
    assert access.knows_host("[2001:db8::1]:8440")
    assert not access.knows_host("192.0.2.7.evil.example:8440")
    assert not access.knows_host("192.0.2.7:8441")


def test_every_answer_carries_its_policies(local: Served) -> None:
    for path in ("/", "/login", "/runs", "/gamedays", "/runs/none", "/nowhere"):
        _, headers, _ = local.ask("GET", path)
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cache-control"] == "no-store"
        assert "access-control-allow-origin" not in headers
    nonces = set()
    for _ in range(3):
        _, headers, text = local.ask("GET", "/")
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        nonce = policy.partition("script-src 'nonce-")[2].partition("'")[0]
        assert text.count(f'nonce="{nonce}"') == 3
        nonces.add(nonce)
    assert len(nonces) == 3


# ---- who may press


def test_loopback_shows_to_everybody_and_lets_nobody_abort(local: Served, pressed: list) -> None:
    status, _, text = local.ask("GET", "/")
    assert status == 200
    assert 'id="abort"' not in text
    assert local.access.page_token not in text
    status, told = local.press("r1")
    assert status == 403
    assert "viewers cannot abort" in str(told["error"])
    assert pressed == []


def test_the_link_from_the_terminal_makes_an_operator_once(local: Served, pressed: list) -> None:
    status, headers, _ = local.ask("POST", "/login", {"token": ONCE}, Origin=local.address)
    assert status == 200
    cookie = headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "samesite=strict" in cookie.lower()
    assert ONCE not in cookie
    local.cookie = cookie.partition(";")[0]
    assert 'id="abort"' in local.ask("GET", "/")[2]
    assert local.press("r1")[0] == 202
    assert pressed == [("Ann", "enough", "r1")]
    assert local.ask("POST", "/login", {"token": ONCE}, Origin=local.address)[0] == 403


def test_a_viewer_may_look_and_not_abort(guarded: Served, pressed: list) -> None:
    for path in ("/", "/runs", "/gamedays", "/readiness", "/runs/x"):
        assert guarded.ask("GET", path)[0] == 401
    assert guarded.ask("GET", "/events")[0] == 401
    assert guarded.log_in("viewer-" + "w" * 20) == 403
    assert guarded.log_in(VIEWER) == 200
    assert guarded.ask("GET", "/")[0] == 200
    assert guarded.ask("GET", "/runs")[0] == 200
    assert guarded.press("r1")[0] == 403
    assert pressed == []
    assert guarded.log_in(OPERATOR) == 200
    assert guarded.press("r1")[0] == 202


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "https://127.0.0.1"}, 403),
        ({"X_Peakdrill_Page": "x"}, 403),
        ({"X_Peakdrill_Page": ""}, 403),
        ({"Content_Type": "text/plain"}, 400),
        ({"Content_Type": "application/x-www-form-urlencoded"}, 400),
        ({"Cookie": "peakdrill=1"}, 403),
        ({}, 202),
    ],
)
def test_a_forged_request_presses_nothing(
    guarded: Served, pressed: list, headers: dict[str, str], status: int
) -> None:
    assert guarded.log_in(OPERATOR) == 200
    assert guarded.press("r1", **headers)[0] == status
    assert len(pressed) == (status == 202)


def test_without_an_origin_nothing_is_pressed(guarded: Served, pressed: list) -> None:
    guarded.log_in(OPERATOR)
    body = {"run_id": "r1", "who": "A", "why": "b", "confirmed": True}
    page = guarded.access.page_token
    assert guarded.ask("POST", "/abort", body, X_Peakdrill_Page=page)[0] == 403
    assert guarded.ask("POST", "/login", {"token": OPERATOR})[0] == 403
    assert guarded.ask("GET", "/abort")[0] == 405
    assert pressed == []


@pytest.mark.parametrize(
    "body",
    [
        {"run_id": "r1", "who": "A", "why": "b"},
        {"run_id": "r1", "who": "A", "why": "b", "confirmed": "yes"},
        {"run_id": "r1", "who": "A", "why": " \n", "confirmed": True},
        {"run_id": "r1", "who": "\u202e", "why": "b", "confirmed": True},
        {"run_id": 1, "who": "A", "why": "b", "confirmed": True},
        {"who": "A", "why": "b", "confirmed": True},
        ["r1"],
        "{",
        "[" * 3000,
        json.dumps({"why": "x" * 5000, "confirmed": True}),
    ],
)
def test_an_abort_is_confirmed_and_says_who_and_why(
    guarded: Served, pressed: list, body: object
) -> None:
    guarded.log_in(OPERATOR)
    headers = {"Origin": guarded.address, "X_Peakdrill_Page": guarded.access.page_token}
    assert guarded.ask("POST", "/abort", body, **headers)[0] == 400
    assert pressed == []


def test_a_run_that_is_gone_is_told(guarded: Served, pressed: list) -> None:
    guarded.log_in(OPERATOR)
    status, told = guarded.press("gone")
    assert (status, told["error"]) == (409, "no drill is in progress")


def test_every_token_is_compared_every_time(monkeypatch: pytest.MonkeyPatch) -> None:
    from harness.serving import access as module

    compared: list[int] = []
    real = module.hmac.compare_digest

    def counting(a: bytes, b: bytes) -> bool:
        compared.append(len(a))
        return real(a, b)

    monkeypatch.setattr(module.hmac, "compare_digest", counting)
    access = Access("127.0.0.1", 1, TOKENS, open_to_view=False)
    for secret in (OPERATOR, VIEWER, "", "x", "\ud800", OPERATOR[:-1]):
        compared.clear()
        access.log_in(secret)
        assert compared == [32, 32]  # of one length, whatever was given


def test_sessions_are_bounded_and_unguessable() -> None:
    access = Access("127.0.0.1", 1, TOKENS, open_to_view=False)
    first = access.log_in(OPERATOR)
    assert first is not None
    assert access.role({access.cookie: first[0]}) is Role.OPERATOR
    assert access.role({access.cookie: "x"}) is None
    assert access.role({"other": first[0]}) is None
    others = {(access.log_in(VIEWER) or ("", 0))[0] for _ in range(600)}
    assert len(others) == 600
    assert len(access._sessions) <= 500
    assert access.role({access.cookie: first[0]}) is None  # the oldest had to go


# ---- tokens and addresses


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "holds no token"),
        ("operator short", "at least 20"),
        ("admin " + "x" * 30, "no role of ours"),
        ("operator " + "x" * 15 + "\u00e9" * 15, "printable ASCII"),
    ],
)
def test_a_token_file_that_is_wrong_is_refused(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "tokens"
    file.write_text(text)
    file.chmod(0o600)
    with pytest.raises(Refused, match=told) as refused:
        read_tokens(file)
    assert "xxxx" not in str(refused.value)


def test_a_token_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    file.write_text(f"# ours\noperator {OPERATOR}\n\nviewer {VIEWER}\n")
    file.chmod(0o640)
    with pytest.raises(Refused, match="can be read by others"):
        read_tokens(file)
    file.chmod(0o600)
    assert read_tokens(file) == TOKENS


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "shop.example"])
def test_another_address_needs_tokens(host: str, home: Path, capfd) -> None:
    assert not is_loopback(host)
    assert cli.exit_code(["serve", "--host", host, "--port", "0"]) == 2
    assert "--token-file" in capfd.readouterr().err


def test_loopback_has_many_names() -> None:
    assert all(map(is_loopback, ("localhost", "127.0.0.1", "127.8.8.8", "::1", "[::1]")))


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
