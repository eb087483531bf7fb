"""HTTP to a monitoring system: one request, with a deadline, a size limit and secrets by file.

Nothing is followed and nothing is retried. The deadline holds for the whole exchange: a server
that sends one byte a second is cut off like one that sends none.
"""

from __future__ import annotations

import base64
import http.client
import os
import re
import socket
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from harness.errors import PlatformError, UsageError

TIMEOUT_S = 3.0
BODY_MAX_BYTES = 4_000_000
_SECRET_MAX_BYTES = 16_384
_CHUNK_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Credentials:
    """Files that hold a secret; they are read at each use, so that a rotated one is taken up."""

    token_file: Path | None = None  # a bearer token
    basic_file: Path | None = None  # user:password

    def headers(self) -> dict[str, str]:
        """Raises UsageError where a file cannot be read or holds no such secret."""
        if self.token_file is not None:
            return {"Authorization": f"Bearer {read_secret(self.token_file)}"}
        if self.basic_file is not None:
            pair = read_secret(self.basic_file)
            if ":" not in pair:
                raise UsageError(f"{self.basic_file}: must hold user:password on one line")
            return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
        return {}


def read_secret(file: Path) -> str:
    """The one line of a secret's file; no part of it is ever told. Raises UsageError."""
    try:
        with file.open("rb") as stream:
            text = stream.read(_SECRET_MAX_BYTES + 1).decode("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no plain text"
        raise UsageError(f"the secret's file {file} cannot be read: {why}") from error
    if not text or len(text) > _SECRET_MAX_BYTES or not text.isprintable():
        raise UsageError(f"the secret's file {file} must hold one line of plain text")
    return text


def checked_url(url: str, *, what: str) -> str:
    """`url` without a slash at its end. Raises UsageError; a secret in it is never repeated."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise UsageError(f"{what} is no URL that peakdrill can use") from error
    if parts.username is not None or parts.password is not None or "@" in parts.netloc:
        raise UsageError(
            f"{what} holds a user or a password",
            next_step="put them into a file, and name that file",
        )
    if parts.scheme not in {"http", "https"} or not parts.hostname or port == 0:
        raise UsageError(f"{what} must begin with http:// or https:// and name a host")
    if parts.query or parts.fragment or re.search(r"[^\x21-\x7e]", url):
        raise UsageError(f"{what} must be a plain address, without ? or #")
    return url.rstrip("/")


def host_of(url: str) -> str:
    """Host and port alone: what of an address may stand in evidence."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    shown = f"[{host}]" if ":" in host else host
    return f"{shown}:{parts.port}" if parts.port else shown


def ask(
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    timeout_s: float = TIMEOUT_S,
    body_max_bytes: int = BODY_MAX_BYTES,
) -> Answer:
    """GET, or POST where there is a body. Raises PlatformError that names the host alone."""
    parts, who = urlsplit(url), host_of(url)
    connection = _connection(parts, timeout_s)
    late, begun_s = threading.Event(), time.monotonic()
    timer: threading.Timer | None = None
    try:
        connection.connect()
        left_s = max(0.0, begun_s + timeout_s - time.monotonic())
        timer = threading.Timer(left_s, _cut, (connection.sock, late))
        timer.daemon = True
        timer.start()
        path = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
        connection.request("GET" if body is None else "POST", path, body, dict(headers or {}))
        response = connection.getresponse()
        found = _read(response, body_max_bytes, who)
        if late.is_set():
            raise TimeoutError
        return Answer(response.status, found)
    except (OSError, http.client.HTTPException, ValueError) as error:
        if late.is_set() or isinstance(error, TimeoutError):
            raise PlatformError(f"{who} gave no whole answer within {timeout_s:g} s") from error
        why = getattr(error, "strerror", None) or type(error).__name__
        raise PlatformError(f"{who} could not be asked: {why}") from error
    finally:
        if timer is not None:
            timer.cancel()
        connection.close()


def _connection(parts: SplitResult, timeout_s: float) -> http.client.HTTPConnection:
    host = parts.hostname or ""
    if parts.scheme == "https":
        return http.client.HTTPSConnection(host, parts.port, timeout=timeout_s)
    return http.client.HTTPConnection(host, parts.port, timeout=timeout_s)


def _cut(sock: socket.socket, late: threading.Event) -> None:
    """Whatever waits on this connection wakes up, also where http.client has let go of it."""
    late.set()
    with suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)


def _read(response: http.client.HTTPResponse, most: int, who: str) -> bytes:
    parts, size = [], 0
    while chunk := response.read(_CHUNK_BYTES):
        size += len(chunk)
        if size > most:
            raise PlatformError(f"{who} sent more than {most:,} bytes")
        parts.append(chunk)
    return b"".join(parts)


def secret_file(variable: str) -> Path | None:
    """A file that the environment names; "" is none."""
    return Path(named) if (named := os.environ.get(variable, "")) else None
