"""The two doors: closed, opened and led elsewhere, as seen by those who stand outside."""

from __future__ import annotations

import http.server
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from harness.errors import PlatformError
from harness.platforms.embedded import (
    credentials,
    doors,
    ingress,
    ports,
    valkey,
    web,
)
from harness.platforms.embedded.layout import Layout
from harness.platforms.embedded.node import Part
from harness.platforms.embedded.waiting import await_ready


class Replica(http.server.ThreadingHTTPServer):
    """Answers 200 with its own name, and counts who asked."""

    def __init__(self, port: int, name: str) -> None:
        self.name = name
        self.asked = 0
        self.status = 200
        super().__init__(("127.0.0.1", port), Answers)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def end(self) -> None:
        self.shutdown()
        self.server_close()


class Answers(http.server.BaseHTTPRequestHandler):
    server: Replica

    def do_GET(self) -> None:
        self.server.asked += self.path != ingress.HEALTH
        body = self.server.name.encode()
        self.send_response(self.server.status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        pass


class Stand:
    """Traefik, a queue and two replicas, without a platform around them."""

    def __init__(self, folder: Path) -> None:
        self.layout = Layout(folder / "platform")
        self.layout.make()
        self.secrets = credentials.generate(self.layout)
        with ports.reserved() as chosen:
            self.ports = chosen
        self.replicas = [Replica(chosen[f"app_{name}"], name) for name in "ab"]
        self.door = doors.embedded(self.layout, chosen)
        parts = [ingress.part(self.layout, chosen), valkey.part(self.layout, chosen, self.secrets)]
        self.processes = [run(part) for part in parts]
        await_ready("the doors", self.door.is_open, within_s=20)

    def queue(self) -> redis.Redis:
        once = Retry(NoBackoff(), 0)
        return redis.Redis(port=self.ports["queue_door"], password=self.secrets.valkey, retry=once)

    def ask(self) -> web.Answer | None:
        return web.ask(self.ports["ingress"], "/shop")

    def end(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()
        for replica in self.replicas:
            replica.end()


def run(part: Part) -> subprocess.Popen:
    with Path(part.log).open("wb") as log:
        return subprocess.Popen(
            part.argv, env=part.env, cwd=part.folder, stdin=subprocess.DEVNULL, stdout=log,
            stderr=log,
        )  # fmt: skip


@pytest.fixture
def stand(tmp_path: Path) -> Iterator[Stand]:
    built = Stand(tmp_path)
    yield built
    built.end()


def test_a_closed_door_reaches_no_replica_and_says_who_speaks(stand: Stand) -> None:
    assert not stand.door.is_closed()
    stand.door.close()
    await_ready("the closed door", stand.door.is_closed, within_s=10)
    before = [replica.asked for replica in stand.replicas]
    answers = [stand.ask() for _ in range(50)]
    assert {a and a.status for a in answers} == {503}
    assert [replica.asked for replica in stand.replicas] == before
    assert not stand.door.is_open()
    with stand.queue() as queue:  # its own door stays open
        assert queue.ping()
    stand.door.open()
    await_ready("the open door", stand.door.is_open, within_s=10)
    assert {stand.ask().status for _ in range(10)} == {200}


def test_dead_replicas_are_no_closed_door(stand: Stand) -> None:
    """The customer sees 503 in both cases: who takes the one for the other restores in traffic."""
    for replica in stand.replicas:
        replica.status = 500
    await_ready("503", lambda: (a := stand.ask()) is not None and a.status == 503, within_s=20)
    assert not stand.door.is_closed()
    assert not stand.door.is_open()


def test_who_stands_in_the_queues_door_is_sent_away(stand: Stand) -> None:
    with stand.queue() as queue:
        assert queue.ping()
        stand.door.close(queue=True)
        with pytest.raises(redis.ConnectionError):
            queue.ping()  # the connection from before
        with pytest.raises(redis.ConnectionError):
            queue.ping()  # and a new one
    await_ready("both doors closed", stand.door.is_closed, within_s=10)
    stand.door.close()  # asks for the customers' door alone: the queue's is opened
    await_ready("the queue's door", lambda: doors.queue_answers(stand.ports), within_s=10)
    assert stand.door.is_closed()


def test_a_queue_that_is_slow_is_no_closed_door() -> None:
    with socket.create_server(("127.0.0.1", 0)) as slow:  # takes the connection, and says nothing
        ports_ = {"queue_door": slow.getsockname()[1]}
        assert not doors.queue_answers(ports_)
        assert not doors.queue_hangs_up(ports_)
    assert doors.queue_hangs_up(ports_)


def test_a_closed_door_is_led_elsewhere_and_stays_closed(stand: Stand) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    other = Replica(port, "clean")
    stand.door.close(queue=True)
    doors.point(stand.layout, [f"http://127.0.0.1:{port}"], port)
    await_ready("the closed door", stand.door.is_closed, within_s=10)
    assert ingress.load(ingress.routes_file(stand.layout)).queue_port == port
    stand.door.open()
    await_ready("the clean room", lambda: (a := stand.ask()) and a.body == b"clean", within_s=10)
    other.end()


def test_customers_see_the_old_or_the_new_routes_and_nothing_between(stand: Stand) -> None:
    seen: set[int] = set()
    done = threading.Event()

    def customer() -> None:
        while not done.is_set():
            answer = stand.ask()
            seen.add(answer.status if answer else 0)

    thread = threading.Thread(target=customer)
    thread.start()
    for _ in range(5):
        stand.door.close()
        await_ready("closed", stand.door.is_closed, within_s=10)
        stand.door.open()
        await_ready("open", stand.door.is_open, within_s=10)
        time.sleep(0.05)
    done.set()
    thread.join()
    assert seen == {200, 503}


def test_routes_that_cannot_be_read_are_named(stand: Stand) -> None:
    ingress.routes_file(stand.layout).write_text("{}")
    with pytest.raises(PlatformError, match=r"routes\.yml cannot be read"):
        stand.door.close()
