"""`peakdrill serve` as a user starts it: where to look, how to press, and a quiet end."""

from __future__ import annotations

import http.client
import json
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.live.serving_stand import PATIENCE_S, VIEWER

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def serving(*words: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """The command in a process of its own, and the port that it printed."""
    child = subprocess.Popen(
        [sys.executable, "-m", "harness.cli", "serve", "--port", "0", *words],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert child.stdout is not None
        found = re.fullmatch(r"watch   http://[^:]+:(\d+)/\n", child.stdout.readline())
        assert found is not None
        yield child, int(found.group(1))
    finally:
        child.kill()
        child.communicate(timeout=PATIENCE_S)


def ask(port: int, method: str, path: str, body: object = None) -> tuple[int, str]:
    origin = f"http://127.0.0.1:{port}"
    headers = {"Origin": origin, "Content-Type": "application/json"}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    connection.request(method, path, json.dumps(body) if body is not None else None, headers)
    answer = connection.getresponse()
    told = answer.status, answer.read().decode()
    connection.close()
    return told


def test_the_link_lies_where_only_its_user_reads_it_and_goes_with_the_server(home: Path) -> None:
    with serving() as (child, port):
        assert child.stdout is not None
        told = child.stdout.readline()
        file = Path(told.rpartition(" ")[2].strip())
        assert file.is_relative_to(home)
        assert file.stat().st_mode & 0o077 == 0
        address, _, secret = file.read_text().strip().partition("#")
        assert address == f"http://127.0.0.1:{port}/"
        assert secret not in told
        assert ask(port, "GET", "/")[0] == 200
        assert ask(port, "POST", "/login", {"token": secret}) == (200, '{"role":"operator"}')
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=PATIENCE_S)
        assert (child.returncode, out, err) == (0, "", "")
        assert not file.exists()


def test_an_open_page_does_not_delay_the_end(home: Path) -> None:
    with serving() as (child, port), socket.create_connection(("127.0.0.1", port)) as page:
        page.sendall(f"GET /events HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
        assert page.recv(4096).startswith(b"HTTP/1.1 200")
        child.send_signal(signal.SIGTERM)
        _, err = child.communicate(timeout=PATIENCE_S)
        assert "Traceback" not in err


def test_without_tls_it_says_so_and_shows_nothing_without_a_token(
    home: Path, tmp_path: Path
) -> None:
    file = tmp_path / "tokens"
    file.write_text(f"viewer {VIEWER}\n")
    file.chmod(0o600)
    with serving("--host", "0.0.0.0", "--token-file", str(file)) as (child, port):
        assert child.stderr is not None
        assert "no TLS" in child.stderr.readline()
        status, text = ask(port, "GET", "/runs")
        assert (status, "Log in" in text) == (401, True)


def test_a_port_that_is_taken_is_refused(home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    from harness import cli

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert cli.exit_code(["serve", "--port", port]) == 2
    assert "--port 0" in capfd.readouterr().err
