"""A command inside a container: words, stdin, stdout, and a limit that holds inside too.

Over the daemon's socket itself: the client library reads the answer's head through a buffer, and
what a quick command wrote at once would stay in it.
"""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from harness.errors import PlatformError
from harness.platforms.containers import daemon

_FRAME = struct.Struct(">BxxxL")  # of which stream, how many bytes
_STDOUT = 1
_GRACE_S = 5.0  # beyond the limit that the command itself is under
_LIMIT_REACHED = (124, 137)  # of coreutils' timeout
_TOLD = 500


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended."""

    code: int
    stdout: bytes
    stderr: str


def run(container: str, words: Sequence[str], *, stdin: bytes = b"", within_s: float) -> bytes:
    """What it wrote to stdout. Raises PlatformError where it failed, or was not done in time."""
    ran = run_any(container, words, stdin=stdin, within_s=within_s)
    if ran.code in _LIMIT_REACHED:
        raise PlatformError(f"{words[0]} in {container} did not end within {within_s:g} s")
    if ran.code != 0:
        told = ran.stderr.strip()[-_TOLD:] or "it said nothing"
        raise PlatformError(f"{words[0]} in {container} failed ({ran.code}): {told}")
    return ran.stdout


def run_any(container: str, words: Sequence[str], *, stdin: bytes, within_s: float) -> Ran:
    """The same, however it ends."""
    found = daemon.client()
    limited = ["timeout", "--kill-after=1", f"{within_s:g}", *words]
    with daemon.asking(f"a command in {container}"):
        made = found.api.exec_create(container, limited, stdin=bool(stdin))["Id"]
        where = (daemon.socket_of(found), found.api.api_version, made)
    try:
        answer = _talk(*where, stdin, time.monotonic() + within_s + _GRACE_S)
    except OSError as error:
        raise PlatformError(f"{words[0]} in {container} was not answered: {error}") from error
    with daemon.asking(f"the end of a command in {container}"):
        code = found.api.exec_inspect(made)["ExitCode"]
    if code is None:
        raise PlatformError(f"{words[0]} in {container} has not ended, and says no more")
    out, err = _streams(answer)
    return Ran(int(code), out, err.decode(errors="replace"))


def _talk(path: str, version: str, exec_id: str, stdin: bytes, deadline: float) -> bytes:
    """Everything that the command writes, framed; what it reads is sent meanwhile."""
    body = json.dumps({"Detach": False, "Tty": False})
    head = (
        f"POST /v{version}/exec/{exec_id}/start HTTP/1.1\r\nHost: docker\r\n"
        "Content-Type: application/json\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
    )
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.settimeout(max(0.1, deadline - time.monotonic()))
        line.connect(path)
        line.sendall(head.encode())
        heard = b""
        while b"\r\n\r\n" not in heard:
            heard += _more(line, deadline) or _hung_up()
        told, _, heard = heard.partition(b"\r\n\r\n")
        if told.split()[1] not in (b"101", b"200"):
            raise OSError(told.split(b"\r\n")[0].decode(errors="replace"))
        if stdin:
            threading.Thread(target=_feed, args=(line, stdin), daemon=True).start()
        parts = [heard]
        while more := _more(line, deadline):
            parts.append(more)
    return b"".join(parts)


def _more(line: socket.socket, deadline: float) -> bytes:
    line.settimeout(max(0.01, deadline - time.monotonic()))
    return line.recv(1 << 16)


def _hung_up() -> bytes:
    raise OSError("the daemon hung up")


def _feed(line: socket.socket, stdin: bytes) -> None:
    """A command that reads no further has ended, or will be ended by its limit."""
    with suppress(OSError):
        line.sendall(stdin)
        line.shutdown(socket.SHUT_WR)


def _streams(answer: bytes) -> tuple[bytes, bytes]:
    """Stdout and stderr out of the frames."""
    out: list[bytes] = []
    err: list[bytes] = []
    at = 0
    while at + _FRAME.size <= len(answer):
        stream, length = _FRAME.unpack_from(answer, at)
        at += _FRAME.size
        (out if stream == _STDOUT else err).append(answer[at : at + length])
        at += length
    return b"".join(out), b"".join(err)
