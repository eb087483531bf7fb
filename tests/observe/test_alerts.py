"""The platform's own alerts: found by asking, within limits, and never a guess."""

from __future__ import annotations

import base64
import socket
import time
from pathlib import Path

import pytest
from stand_in_servers import Alertmanager, Prometheus, Reply, labels, serving

from harness.errors import PeakdrillError, PlatformError, UsageError
from harness.observe import wire
from harness.observe.alerts import Alerts, alerts_by
from harness.observe.wire import Credentials, ask


def test_prometheus_tells_what_fires_and_not_what_is_pending() -> None:
    platform = Prometheus([labels("PgDown", severity="page")], [labels("Maybe")])
    with serving(platform) as server:
        (found,) = Alerts(server.url).firing()
    assert found.name == "PgDown"
    assert found.labels == (("alertname", "PgDown"), ("severity", "page"))
    assert found.since_utc == "2026-11-27T22:15:34Z"


def test_alertmanager_tells_what_is_active_and_not_what_is_silenced() -> None:
    with serving(Alertmanager([labels("PgDown")], [labels("Quiet")])) as server:
        (found,) = Alerts(server.url).firing()
    assert (found.name, found.since_utc) == ("PgDown", "2026-11-27T22:15:34Z")


def test_which_one_it_is_is_asked_once_and_found_again_after_a_change() -> None:
    with serving(Prometheus()) as server:
        alerts = Alerts(server.url + "/")
        assert [alerts.firing() for _ in range(3)] == [()] * 3
        assert server.paths().count("/api/v1/alerts") == 3
        assert len(server.paths()) == 4


def test_a_path_before_the_api_is_kept() -> None:
    prometheus = Prometheus([labels("A")])

    def behind(asked):
        asked.path = asked.path.removeprefix("/prometheus")
        return prometheus(asked)

    with serving(behind) as server:
        assert [a.name for a in Alerts(f"{server.url}/prometheus").firing()] == ["A"]


BROKEN = [
    b"", b"null", b"[]x", b"<html>", b"{}", b'{"status": "error"}', b"\xff\xfe",
    b'{"status": "success", "data": {"alerts": 7}}',
    b'{"status": "success", "data": {"alerts": [7]}}',
    b'{"status": "success", "data": {"alerts": [{"state": "firing"}]}}',
    b'{"status": "success", "data": {"alerts": [{"state": "firing", "labels": {"alertname": 1}}]}}',
    b'[{"labels": {"alertname": "A"}}]', b'[{"status": {"state": "active"}, "labels": []}]',
    b"[" * 100_000,
]  # fmt: skip


@pytest.mark.parametrize("body", BROKEN, ids=range(len(BROKEN)))
def test_an_answer_that_is_no_list_of_alerts_is_an_error_and_never_silence(body: bytes) -> None:
    with serving(lambda _: Reply(200, body)) as server, pytest.raises(PlatformError):
        Alerts(server.url).firing()


def test_an_answer_that_breaks_later_is_an_error_too() -> None:
    with serving(Prometheus([labels("A")])) as server:
        alerts = Alerts(server.url)
        alerts.firing()
        server.answer = lambda _: Reply(200, b"[]")
        with pytest.raises(PlatformError, match="no list of alerts"):
            alerts.firing()


@pytest.mark.parametrize("status", [301, 401, 403, 404, 500, 503])
def test_a_refusal_is_told_with_its_status(status: int) -> None:
    with serving(lambda _: Reply(status)) as server, pytest.raises(PlatformError) as error:
        Alerts(server.url).firing()
    assert str(status) in error.value.what


def test_a_giant_answer_is_cut_off() -> None:
    giant = b"[" + b" " * (wire.BODY_MAX_BYTES + 1)
    with serving(lambda _: Reply(200, giant)) as server, pytest.raises(PlatformError) as error:
        Alerts(server.url).firing()
    assert "more than 4,000,000 bytes" in error.value.what


def test_more_alerts_than_anybody_can_have_are_no_answer() -> None:
    with serving(Alertmanager([labels("A")] * 10_001)) as server, pytest.raises(PlatformError):
        Alerts(server.url).firing()


@pytest.mark.parametrize("reply", [Reply(hang_s=60), Reply(200, b"x" * 1000, drip_s=0.1)])
def test_a_server_that_hangs_or_drips_is_left_in_time(reply: Reply) -> None:
    with serving(lambda _: reply) as server:
        began_s = time.monotonic()
        with pytest.raises(PlatformError, match=r"no whole answer within 0\.5 s"):
            ask(f"{server.url}/x", timeout_s=0.5)
        whole_s = reply.hang_s + len(reply.body) * reply.drip_s
        assert time.monotonic() - began_s < whole_s / 2


def test_a_header_that_never_ends_is_left_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/"
        with pytest.raises(PlatformError, match="no whole answer"):
            ask(url, timeout_s=0.5)


def test_nobody_there_is_told_with_the_host_alone() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    with pytest.raises(PlatformError) as error:
        Alerts(f"http://127.0.0.1:{port}/secret-path").firing()
    assert f"127.0.0.1:{port} could not be asked" in error.value.what
    assert "secret-path" not in str(error.value)


def test_a_token_and_a_password_are_sent_from_their_files(token: Path, tmp_path: Path) -> None:
    basic = tmp_path / "basic"
    basic.write_text("admin:pa:ss\n")
    with serving(Alertmanager()) as server:
        Alerts(server.url, Credentials(token_file=token)).firing()
        Alerts(server.url, Credentials(basic_file=basic)).firing()
        told = [a.headers.get("Authorization") for a in server.asked]
        token.write_text("rotated")
        Alerts(server.url, Credentials(token_file=token)).firing()
    assert told == ["Bearer s3cr3t-token", f"Basic {base64.b64encode(b'admin:pa:ss').decode()}"]
    assert server.asked[-1].headers["Authorization"] == "Bearer rotated"


def test_a_redirect_takes_no_token_anywhere(token: Path) -> None:
    with serving(lambda _: Reply(302)) as server:
        with pytest.raises(PlatformError):
            Alerts(server.url, Credentials(token_file=token)).firing()
        assert set(server.paths()) == {
            "/api/v1/alerts", "/api/v2/alerts?active=true&silenced=false&inhibited=false"
        }  # fmt: skip


@pytest.mark.parametrize(
    "url",
    [
        "", "prometheus:9090", "ftp://h", "http://", "http://u:hunter2@h:1", "http://hunter2@h",
        "http://h?token=hunter2", "http://h/#hunter2", "http://h:99999", "http://h:0", "http://h /",
        "http://h\n", "http://[::1", "file:///etc/passwd",
    ],
)  # fmt: skip
def test_an_address_that_cannot_be_used_is_refused_and_its_secret_not_repeated(url: str) -> None:
    with pytest.raises(UsageError) as error:
        Alerts(url)
    assert "hunter2" not in str(error.value)


@pytest.mark.parametrize("content", [b"", b"\n", b"two\nlines", b"\xff", b"x" * 20_000, b"a\x00b"])
def test_a_file_that_holds_no_secret_is_refused_and_not_quoted(
    content: bytes, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    file.write_bytes(content)
    with pytest.raises(UsageError) as error:
        Credentials(token_file=file).headers()
    assert "lines" not in str(error.value)
    with pytest.raises(UsageError):
        Credentials(token_file=tmp_path / "none").headers()


def test_the_host_alone_is_told() -> None:
    assert Alerts("https://prom.example:9090/a/b/").host == "prom.example:9090"
    assert Alerts("http://[::1]:9090").host == "[::1]:9090"
    assert Alerts("https://prom.example").host == "prom.example"


def test_the_environment_names_it_and_an_option_wins(
    monkeypatch: pytest.MonkeyPatch, token: Path
) -> None:
    assert alerts_by(None) is None
    monkeypatch.setenv("PEAKDRILL_ALERTS_URL", "http://env:1")
    monkeypatch.setenv("PEAKDRILL_ALERTS_TOKEN_FILE", str(token))
    by_environment, by_option = alerts_by(None), alerts_by("http://option:2")
    assert by_environment is not None
    assert by_option is not None
    assert (by_environment.host, by_option.host) == ("env:1", "option:2")
    assert alerts_by("") is None
    monkeypatch.setenv("PEAKDRILL_ALERTS_BASIC_FILE", str(token))
    with pytest.raises(UsageError, match="both"):
        alerts_by(None)


def test_a_missing_secret_is_found_before_anything_is_broken(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PEAKDRILL_ALERTS_TOKEN_FILE", str(tmp_path / "none"))
    with pytest.raises(PeakdrillError, match="cannot be read"):
        alerts_by("http://h:1")
