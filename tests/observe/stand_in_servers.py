"""Servers on 127.0.0.1 that stand in for Prometheus, Alertmanager, Grafana and an OTLP collector."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Asked:
    """One request as it came in."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Reply:
    status: int = 200
    body: bytes = b""
    hang_s: float = 0.0  # before the first byte
    drip_s: float = 0.0  # between the bytes of the body


type_answer = Callable[[Asked], Reply]


@dataclass
class StandIn:
    """A server, what it was asked, and what it answers. `answer` may be changed while it runs."""

    answer: type_answer
    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def paths(self) -> list[str]:
        return [a.path for a in self.asked]


@contextmanager
def serving(answer: type_answer) -> Iterator[StandIn]:
    """While within; whatever hangs ends with it."""
    stand_in = StandIn(answer)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._reply()

        def do_POST(self) -> None:
            self._reply()

        def _reply(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            asked = Asked(self.command, self.path, dict(self.headers.items()), body)
            stand_in.asked.append(asked)
            reply = stand_in.answer(asked)
            stand_in.over.wait(reply.hang_s)
            self.send_response(reply.status)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            for start in range(0, len(reply.body), 1 if reply.drip_s else 65_536):
                if stand_in.over.wait(reply.drip_s):
                    return
                self.wfile.write(reply.body[start : start + (1 if reply.drip_s else 65_536)])

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False

        def handle_error(self, request: object, client_address: object) -> None:
            """A client that went away is what some tests are about."""

    server = Server(("127.0.0.1", 0), Handler)
    stand_in.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield stand_in
    finally:
        stand_in.over.set()
        server.shutdown()
        server.server_close()
        thread.join(5)


def labels(name: str, **more: str) -> dict[str, str]:
    return {"alertname": name, **more}


@dataclass
class Prometheus:
    """Answers as Prometheus does; `firing` and `pending` may be changed."""

    firing: list[dict[str, str]] = field(default_factory=list)
    pending: list[dict[str, str]] = field(default_factory=list)

    def __call__(self, asked: Asked) -> Reply:
        if asked.path != "/api/v1/alerts":
            return Reply(404, b"404 page not found\n")
        alerts = [
            {"labels": told, "annotations": {}, "state": state, "value": "1e+00",
             "activeAt": "2026-11-27T22:15:34.123456789Z"}
            for state, of in (("firing", self.firing), ("pending", self.pending))
            for told in of
        ]  # fmt: skip
        return Reply(body=json.dumps({"status": "success", "data": {"alerts": alerts}}).encode())


@dataclass
class Alertmanager:
    """Answers as Alertmanager does, silenced ones among the rest."""

    firing: list[dict[str, str]] = field(default_factory=list)
    silenced: list[dict[str, str]] = field(default_factory=list)

    def __call__(self, asked: Asked) -> Reply:
        if not asked.path.startswith("/api/v2/alerts"):
            return Reply(404, b"404 page not found\n")
        alerts = [
            {"labels": told, "annotations": {}, "fingerprint": "f", "receivers": [{"name": "r"}],
             "startsAt": "2026-11-27T23:15:34.000+01:00", "endsAt": "2026-11-28T00:15:34.000Z",
             "updatedAt": "2026-11-27T22:15:34.000Z", "generatorURL": "",
             "status": {"state": state, "silencedBy": [], "inhibitedBy": []}}
            for state, of in (("active", self.firing), ("suppressed", self.silenced))
            for told in of
        ]  # fmt: skip
        return Reply(body=json.dumps(alerts).encode())


def until(condition: Callable[[], bool], within_s: float = 20.0) -> None:
    """Wait for what must come; fails where it does not."""
    end_s = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < end_s, "it never came"
        time.sleep(0.02)
