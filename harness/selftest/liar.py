"""The liar: a proxy on loopback, between the load and the application.

It tells the truth but for what `Lies` decides, keeps connections open as the application does, and
never sends anything twice by itself.
"""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from harness.errors import UsageError
from harness.selftest.lies import Lies, request_of

_ANSWER_S = 30.0
_OWN = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length"})


class Liar(ThreadingHTTPServer):
    """Serves until it is closed. `url` is what the load is told."""

    daemon_threads = True
    request_queue_size = 512

    def __init__(self, application_url: str, lies: Lies) -> None:
        parts = urlsplit(application_url)
        if parts.scheme != "http" or not parts.hostname:
            raise UsageError(f"the liar speaks plain HTTP, and {application_url} asks for more")
        self.host, self.port = parts.hostname, parts.port or 80
        self.path = parts.path.rstrip("/")
        self.lies, self.lock = lies, threading.Lock()
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}{self.path}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Liar
    _upstream: http.client.HTTPConnection | None = None

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        request = request_of(content)
        with self.server.lock:
            lie = self.server.lies.decide(request) if request else None
        if lie is None:
            status, headers, answer = self._asked(content)
            if request is not None and status == 200:
                with self.server.lock:
                    self.server.lies.heard(request, answer)
            self._tell(status, headers, answer)
            return
        status, headers, answer = 200, {"Content-Type": "application/json"}, b""
        for number, body in enumerate(lie.forward):
            told = self._asked(body)
            if number == 0:
                status, headers, answer = told
                if request is not None and status == 200:
                    with self.server.lock:
                        self.server.lies.heard(request, answer)
        self._tell(200 if lie.answer else status, headers, lie.answer or answer)

    def do_GET(self) -> None:
        self._tell(*self._asked(b""))

    def _asked(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        """The application's own answer. Raises OSError: then the load sees a break, as it is."""
        if self._upstream is None:
            self._upstream = http.client.HTTPConnection(
                self.server.host, self.server.port, timeout=_ANSWER_S
            )
        headers = {k: v for k, v in self.headers.items() if k.lower() not in {*_OWN, "host"}}
        try:
            self._upstream.request(self.command, self.path, body=body or None, headers=headers)
            answer = self._upstream.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self._upstream.close()
            self._upstream = None
            raise ConnectionError(str(error)) from error
        kept = {k: v for k, v in answer.getheaders() if k.lower() not in _OWN}
        return answer.status, kept, content

    def _tell(self, status: int, headers: dict[str, str], content: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def handle_one_request(self) -> None:
        with suppress(ConnectionError, TimeoutError):
            super().handle_one_request()
            return
        self.close_connection = True

    def finish(self) -> None:
        with suppress(OSError):
            super().finish()
        if self._upstream is not None:
            self._upstream.close()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the library's name
        """Every lie is in `Lies.told`."""


@contextmanager
def lying(application_url: str, lies: Lies) -> Iterator[Liar]:
    """The liar, serving in a thread of its own."""
    liar = Liar(application_url, lies)
    thread = threading.Thread(target=liar.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
    thread.start()
    try:
        yield liar
    finally:
        liar.shutdown()
        liar.server_close()
        thread.join(5)
