"""What an attacker is let loose on in the tests: stand-ins for the application and S3, and orders."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from harness.attack import leaked, order
from harness.attack.leaked import Leaked
from harness.attack.order import PER_S, Order
from harness.core.evidence import Use
from harness.evidence.lines import read_lines

MARKER = "pd-r1-attacker"
SECRET = "a-secret-that-nobody-may-see"


class Door(ThreadingHTTPServer):
    """Answers every request with `answer`, or as `answers` says; keeps what it heard."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Asked)
        self.answer: tuple[int, bytes] = (200, b"{}")
        self.answers = lambda _path, _headers: self.answer
        self.heard: list[tuple[str, str, dict[str, str], bytes]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Asked(BaseHTTPRequestHandler):
    server: Door

    def _reply(self) -> None:
        length = int(self.headers.get("content-length", 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.heard.append((self.command, self.path, headers, self.rfile.read(length)))
        status, body = self.server.answers(self.path, headers)
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_PUT = _reply  # noqa: N815  the names that http.server calls

    def log_message(self, *_: object) -> None:
        pass


@contextlib.contextmanager
def door() -> Iterator[Door]:
    server = Door()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def at(kind: str, url: str) -> Leaked:
    """A leaked credential of a kind that goes to HTTP."""
    if kind == "backup-writer":
        return Leaked(kind, f"{url}/bucket", "a-key-id-of-sixteen", "", SECRET)
    who = "2" if kind == "api-key" else "admin"
    return Leaked(kind, url, who, "odoo", SECRET)


class Attacker:
    """The attacker as a process, in a folder of its own; whatever a test does, it ends."""

    def __init__(self, folder: Path, held: list[Leaked], **more: object) -> None:
        self.folder = folder
        self.uses_file = folder / "attack" / "uses.jsonl"
        (folder / "leaked").mkdir(parents=True)
        for one in held:
            (folder / "leaked" / f"{one.kind}.json").write_text(leaked.dump(one))
        given = {
            "marker": MARKER,
            "leaked": str(folder / "leaked"),
            "uses": str(self.uses_file),
            "version": 19,
            "per_s": {one.kind: PER_S[one.kind] * 2 for one in held},
            "max_s": 60.0,
            "max_tries": 1000,
            **more,
        }
        order.write(Order(**given), folder / "order.json")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "harness.attack", str(folder / "order.json")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def go(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(b"go\n")
        self.process.stdin.flush()

    def uses(self) -> tuple[Use, ...]:
        return read_lines(self.uses_file, Use)

    def told(self) -> dict[str, str]:
        """What the last use of each class came to."""
        return {use.credential: use.told for use in self.uses()}

    def end(self) -> tuple[int, bytes]:
        """Exit code and output, after the end of its standard input."""
        output, _ = self.process.communicate(timeout=20)
        return self.process.returncode, output


@contextlib.contextmanager
def attacker(folder: Path, held: list[Leaked], **more: object) -> Iterator[Attacker]:
    started = Attacker(folder, held, **more)
    try:
        yield started
    finally:
        started.process.kill()
        started.process.communicate()


def rpc_error(name: str) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "error": {"data": {"name": name}}}).encode()
