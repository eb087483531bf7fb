"""A server of the live page in a thread of its own, and requests as anybody could send them."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from harness.serving.access import Access, Role, Token
from harness.serving.app import create_app
from harness.serving.archive import Archive

OPERATOR, VIEWER, ONCE = "operator-" + "o" * 20, "viewer-" + "v" * 20, "once-" + "x" * 20
PATIENCE_S = 60.0


@dataclass
class Served:
    """One server. `cookie` is sent along where it is set."""

    port: int
    access: Access
    runs: Path
    live: Path
    cookie: str = ""

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(
        self, method: str, path: str, body: object = None, **headers: str
    ) -> tuple[int, dict[str, str], str]:
        """Status, headers in lower case, text. A header named `_` too is sent with `-`."""
        sent = {"Host": f"127.0.0.1:{self.port}"}
        if self.cookie:
            sent["Cookie"] = self.cookie
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        payload = None
        if body is not None:
            payload = body if isinstance(body, str) else json.dumps(body)
            sent.setdefault("Content-Type", "application/json")
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        with contextlib.closing(connection):
            connection.putrequest(method, path, skip_host=True)
            for name, value in sent.items():
                connection.putheader(name, value)
            data = (payload or "").encode()
            if method == "POST":
                connection.putheader("Content-Length", str(len(data)))
            connection.endheaders(data if method == "POST" else None)
            answer = connection.getresponse()
            found = {k.lower(): v for k, v in answer.getheaders()}
            return answer.status, found, answer.read().decode()

    def log_in(self, token: str) -> int:
        status, headers, _ = self.ask("POST", "/login", {"token": token}, Origin=self.address)
        if status == 200:
            self.cookie = headers["set-cookie"].partition(";")[0]
        return status

    def press(self, run_id: str, **headers: str) -> tuple[int, dict[str, object]]:
        """The abort, as the page sends it, unless the headers say otherwise."""
        sent = {"Origin": self.address, "X_Peakdrill_Page": self.access.page_token} | headers
        body = {"run_id": run_id, "who": "Ann", "why": "enough", "confirmed": True}
        status, _, text = self.ask("POST", "/abort", body, **sent)
        return status, json.loads(text)


@contextlib.contextmanager
def served(
    folder: Path, *, tokens: tuple[Token, ...] | None = None, history: str | None = None
) -> Iterator[Served]:
    """Loopback with a link for one use, or with the tokens of a file."""
    runs, live = folder / "runs", folder / "live"
    runs.mkdir(exist_ok=True)
    live.mkdir(exist_ok=True)
    door = socket.create_server(("127.0.0.1", 0))
    port = door.getsockname()[1]
    given = tokens or (Token(Role.OPERATOR, ONCE, once=True),)
    access = Access("127.0.0.1", port, given, open_to_view=tokens is None)
    running: list[uvicorn.Server] = []
    over = lambda: any(s.should_exit for s in running)  # noqa: E731
    app = create_app(access, Archive(runs, history, None), live, is_over=over)
    config = uvicorn.Config(
        app, log_level="error", access_log=False, timeout_graceful_shutdown=1, ws="none"
    )
    server = uvicorn.Server(config)
    running.append(server)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [door]}, daemon=True)
    thread.start()
    try:
        until(lambda: server.started, "the server listens")
        yield Served(port, access, runs, live)
    finally:
        server.should_exit = True
        thread.join(PATIENCE_S)
        door.close()
        assert not thread.is_alive()


def until(reached, what: str, within_s: float = PATIENCE_S) -> None:
    deadline = time.monotonic() + within_s
    while not reached():
        assert time.monotonic() < deadline, f"never seen: {what}"
        time.sleep(0.02)
