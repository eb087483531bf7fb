"""A password is renewed in the middle of a load: what is refused meanwhile is on record, no more."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from harness.core.operation import Detail, Outcome
from harness.ledger.reader import read_ledgers
from load.password import LOOK_EVERY_S, Password
from load.stream import Stream
from tests.load.test_against_shop import server  # noqa: F401  the fixture


def replace(file: Path, text: str) -> None:
    draft = file.with_suffix(".draft")
    draft.write_text(text)
    draft.replace(file)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "a-password"
    path.write_text("first\n")
    return path


def test_a_replaced_file_is_read_within_its_time(file, until):
    password = Password(file=file)
    assert password.now() == "first"
    replace(file, "second")
    until(lambda: password.now() == "second")


def test_a_refused_password_is_looked_up_before_its_next_use(file, monkeypatch):
    monkeypatch.setattr("load.password.LOOK_EVERY_S", 3600.0)
    password = Password(file=file)
    assert password.now() == "first"
    replace(file, "second")
    assert password.now() == "first"
    password.refused()
    assert password.now() == "second"


def test_a_file_that_is_gone_for_a_moment_changes_nothing(file):
    password = Password(file=file)
    file.unlink()
    password.refused()
    assert password.now() == "first"


def test_a_password_without_a_file_is_what_it_is():
    assert (Password().now(), Password("x").now()) == ("", "x")
    assert LOOK_EVERY_S <= 0.1


class Queue:
    """Asks each connection for the password of now, once."""

    def __init__(self, password: str) -> None:
        self.password, self.greetings = password, []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"redis://127.0.0.1:{self.listener.getsockname()[1]}"
        self.open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def end_sessions(self) -> None:
        for sock in self.open:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self.listener.close()
        self.end_sessions()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self.listener.accept()
                self.open.append(sock)
                threading.Thread(target=self._serve, args=[sock], daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        with contextlib.suppress(OSError), sock:
            while heard := sock.recv(65536):
                if b"AUTH" not in heard:
                    sock.sendall(b"$3\r\n1-0\r\n")
                    continue
                word = heard.split(b"\r\n")[-2].decode()
                self.greetings.append(word)
                sock.sendall(b"+OK\r\n" if word == self.password else b"-WRONGPASS\r\n")


@pytest.fixture
def queue():
    made = Queue("first")
    yield made
    made.close()


def test_connections_to_the_queue_greet_anew_when_the_file_was_replaced(file, queue, until):
    stream = Stream(queue.url, Password(file=file), timeout_s=20)
    assert stream.add("s", "f", "v").acked
    assert stream.add("s", "f", "v").acked
    assert queue.greetings == ["first"]
    queue.password = "second"
    replace(file, "second")
    until(lambda: stream.add("s", "f", "v").acked and queue.greetings[-1] == "second")
    assert queue.greetings == ["first", "second"]
    stream.close()


def test_a_queue_that_was_renewed_first_refuses_until_the_file_follows(file, queue):
    stream = Stream(queue.url, Password(file=file), timeout_s=20)
    assert stream.add("s", "f", "v").acked
    queue.password = "second"
    queue.end_sessions()
    answer = stream.add("s", "f", "v")
    assert (answer.outcome, answer.detail) == (Outcome.REFUSED, Detail.ACCESS_DENIED)
    replace(file, "second")
    assert stream.add("s", "f", "v").acked
    stream.close()


@pytest.mark.alone
def test_a_load_goes_on_when_the_application_s_password_is_renewed(
    server,  # noqa: F811
    make_load,
    tmp_path,
    until,
):
    stand, postgres = server
    postgres.create("renewed")
    shop = stand.make_shop(tmp_path / "shop", postgres, "renewed")
    shop.start()
    try:
        load = make_load(shop.config["port"], max_s=9)
        load.plan["application"] |= {"database": "renewed"}
        load.prepare()
        load.start()
        until(lambda: acked_since(load, 0) > 30)
        renew(shop, Path(load.plan["application"]["password_file"]))
        settled = served(load)
        until(lambda: acked_since(load, settled) > 30)
        later = served(load)
        assert load.process.wait(90) == 0, load.output.read_text()
    finally:
        shop.stop()
    operations, (health,) = read_ledgers(load.ledgers)
    assert (load.status()["troubles"], health.torn, health.closed) == ([], 0, True)
    refused = operations.outcome == Outcome.REFUSED
    assert set(operations.detail[refused].tolist()) <= {Detail.ACCESS_DENIED}
    assert not refused[later:].any()
    assert np.count_nonzero(refused) < len(operations) / 10


def renew(shop, password_file: Path) -> None:
    """In the order of a rotation: the database, those who use it, then what a replica remembers."""
    shop.config["admin_password"] = "renewed-in-the-middle"
    draft = shop._path.with_name("next.json")
    draft.write_text(json.dumps(shop.config))
    words = ["-m", "shop.renew", str(draft), "password"]
    subprocess.run([sys.executable, *words], cwd=Path(__file__).parent.parent.parent, check=True)
    replace(password_file, "renewed-in-the-middle")
    draft.replace(shop._path)


def served(load) -> int:
    operations, _ = read_ledgers(load.ledgers)
    return len(operations)


def acked_since(load, number: int) -> int:
    operations, _ = read_ledgers(load.ledgers)
    return int(np.count_nonzero(operations.outcome[number:] == Outcome.ACKED))
