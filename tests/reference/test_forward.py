"""The doors of a drill in a pod: as honest as a NodePort, by real sockets and processes."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness.errors import PlatformError
from harness.platforms.reference.inside.beside import Beside, main
from harness.platforms.reference.inside.forward import routes_of
from harness.platforms.reference.inside.settings import Address

WITHIN_S = 20.0
DRILL = """
import sys, time
from pathlib import Path
from harness.platforms.reference.inside.beside import Beside
kept = Beside(Path(sys.argv[1])).hold()
print("on", flush=True)
time.sleep(60)
"""


def until(look: Callable[[], bool], within_s: float = WITHIN_S) -> None:
    deadline = time.monotonic() + within_s
    while not look():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.05)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def upstream(talk: Callable[[socket.socket], None]) -> Iterator[int]:
    """One connection after the other; what is left open, closing the listener leaves to `talk`."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    conn, _ = listener.accept()
                except OSError:
                    return
                with conn:
                    talk(conn)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield int(listener.getsockname()[1])
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(WITHIN_S)


@contextmanager
def forwarding(folder: Path, leads_to: int) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    port = free_port()
    told = {
        "PEAKDRILL_FORWARD": f"{port}=127.0.0.1:{leads_to}", "PEAKDRILL_BESIDE": str(folder),
    }  # fmt: skip
    words = [sys.executable, "-m", "harness.platforms.reference.inside", "forward"]
    process = subprocess.Popen(words, env={**os.environ, **told}, stderr=subprocess.PIPE)
    try:
        until(lambda: Beside(folder).is_open() or process.poll() is not None)
        yield port, process
    finally:
        process.kill()
        process.communicate()


def connected(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=WITHIN_S)


def everything(conn: socket.socket) -> bytes:
    found = bytearray()
    while chunk := conn.recv(65536):
        found += chunk
    return bytes(found)


def counted(conn: socket.socket) -> None:
    """Says how much it was told once the other has said all: it needs a half that is closed."""
    conn.sendall(b"%d bytes" % len(everything(conn)))


def test_the_one_half_is_closed_and_the_other_answers(tmp_path: Path) -> None:
    with upstream(counted) as there, forwarding(tmp_path, there) as (port, _):
        for size in (0, 1, 3_000_000):
            with connected(port) as conn:
                conn.sendall(b"x" * size)
                conn.shutdown(socket.SHUT_WR)
                assert everything(conn) == b"%d bytes" % size


def test_a_broken_upstream_is_seen_at_once_and_not_tried_again(tmp_path: Path) -> None:
    seen = []

    def broken(conn: socket.socket) -> None:
        seen.append(conn.recv(10))
        conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")  # a reset

    with upstream(broken) as there, forwarding(tmp_path, there) as (port, _):
        with connected(port) as conn:
            conn.sendall(b"order")
            with pytest.raises(ConnectionResetError):
                everything(conn)
        assert seen == [b"order"]


def test_nobody_there_is_a_closed_connection(tmp_path: Path) -> None:
    with forwarding(tmp_path, free_port()) as (port, process):
        with connected(port) as conn, pytest.raises(ConnectionResetError):
            everything(conn)
        assert process.poll() is None


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_it_ends_with_the_drill_however_that_ends(tmp_path: Path, how: signal.Signals) -> None:
    with upstream(counted) as there, forwarding(tmp_path, there) as (port, process):
        with subprocess.Popen(
            [sys.executable, "-c", DRILL, str(tmp_path)], stdout=subprocess.PIPE
        ) as begun:
            assert begun.stdout is not None
            assert begun.stdout.readline() == b"on\n"
            process.send_signal(signal.SIGTERM)  # as a pod that is asked to end
            time.sleep(1.5)
            with connected(port) as conn:  # its doors are open while it undoes its fault
                conn.shutdown(socket.SHUT_WR)
                assert everything(conn) == b"0 bytes"
            begun.send_signal(how)
        assert process.wait(WITHIN_S) == 0


def test_without_a_drill_it_ends_when_it_is_asked_to(tmp_path: Path) -> None:
    with forwarding(tmp_path, free_port()) as (_, process):
        process.terminate()
        assert process.wait(WITHIN_S) == 0


def test_a_door_that_is_taken_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        told = {"PEAKDRILL_FORWARD": f"{port}=a:1", "PEAKDRILL_BESIDE": str(tmp_path)}
        done = subprocess.run(
            [sys.executable, "-m", "harness.platforms.reference.inside", "forward"],
            env={**os.environ, **told}, capture_output=True, check=False,
        )  # fmt: skip
    assert done.returncode != 0
    assert f"127.0.0.1:{port}" in done.stderr.decode()
    assert not Beside(tmp_path).is_open()


def test_a_table_of_doors() -> None:
    assert routes_of("1=a.b:2,30080=ingress.shop-edge:8080") == {
        1: Address("a.b", 2), 30080: Address("ingress.shop-edge", 8080),
    }  # fmt: skip


@pytest.mark.parametrize("told", ["", "1", "x=a:1", "1=a", "0=a:1", "1=a:0", "1=a:1,1=b:1"])
def test_what_is_no_table_is_refused(told: str) -> None:
    with pytest.raises(PlatformError, match="PEAKDRILL_FORWARD"):
        routes_of(told)


def test_a_drill_becomes_the_command_beside_open_doors(tmp_path: Path) -> None:
    Beside(tmp_path).say_open()
    done = subprocess.run(
        [sys.executable, "-m", "harness.platforms.reference.inside.beside", "--version"],
        env={**os.environ, "PEAKDRILL_BESIDE": str(tmp_path)}, capture_output=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b"")
    assert Beside(tmp_path).is_over()


def test_a_drill_without_a_sidecar_does_not_begin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PEAKDRILL_BESIDE", str(tmp_path))
    monkeypatch.setattr("harness.platforms.reference.inside.beside._OPEN_S", 0.3)
    for words in (["run", "pod-kill"], []):
        with pytest.raises(SystemExit) as ended:
            main(words)
        assert ended.value.code == 5
    assert "the doors did not open" in capsys.readouterr().err
