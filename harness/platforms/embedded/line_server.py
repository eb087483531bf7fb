"""One line in, one line out, on loopback: how archive_client.py asks a resident process."""

from __future__ import annotations

import socketserver
from collections.abc import Callable

from harness.platforms.embedded.ports import HOST

_LINE_BYTES = 500


class _Handler(socketserver.StreamRequestHandler):
    timeout = 10.0

    def handle(self) -> None:
        assert isinstance(self.server, LineServer)
        line = self.rfile.readline(_LINE_BYTES).decode("ascii", "replace")
        self.wfile.write(self.server.answer(line).encode()[:_LINE_BYTES] + b"\n")


class LineServer(socketserver.ThreadingTCPServer):
    """A thread a line. Port 0: a free one, which `server_address` then tells."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, port: int, answer: Callable[[str], str]) -> None:
        super().__init__((HOST, port), _Handler)
        self.answer = answer
