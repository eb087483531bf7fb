"""Who may look, who may press, and what a request cannot do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness import cli
from harness.errors import Refused
from harness.serving.access import Access, Role, Token, is_loopback, read_tokens
from harness.watching import abort as button
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
