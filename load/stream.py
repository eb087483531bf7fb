"""The marketplace's queue: XADD to a Valkey or Redis stream, sent once.

redis-py retries a command whose connection broke, and a second XADD is a second order; so
this client speaks the few words of the protocol itself, and an answer is classified like
Odoo's: REFUSED only when not one byte of the command left.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from urllib.parse import unquote, urlsplit

from harness.core.operation import Detail, Outcome
from load.classify import Answer, Progress, of_break, of_timeout
from load.connections import Connection, Connections
from load.deadlines import Deadlines, Expired
from load.password import Password

MARKETPLACE_STREAM = "marketplace:orders"


class Denied(OSError):
    """The queue did not take our password: nothing was sent."""


class Stream:
    """Appends entries to a stream."""

    def __init__(self, url: str, password: Password, *, timeout_s: float) -> None:
        parts = urlsplit(url)
        tls = ssl.create_default_context() if parts.scheme == "rediss" else None
        self._user = unquote(parts.username or "")
        self._password, self._url_password = password, unquote(parts.password or "")
        self._greeting = ""  # the password that idle connections were greeted with
        self._database = parts.path.strip("/") or "0"
        self._timeout_s = timeout_s
        self._deadlines: dict[float, Deadlines] = {}
        self._tls = tls is not None
        self._connections = Connections(
            parts.hostname or "", parts.port or 6379, tls=tls, greet=self._greet
        )

    def add(self, stream: str, field: str, value: str, *, timeout_s: float | None = None) -> Answer:
        """XADD; ACKED when the queue answered with the entry's id."""
        limit = self._timeout_s if timeout_s is None else timeout_s
        return self._exchange(_command("XADD", stream, "*", field, value), limit)

    def close(self) -> None:
        self._connections.close()
        for deadlines in self._deadlines.values():
            deadlines.close()

    def _turn_to_password(self) -> str:
        """The one of now. What was greeted with an earlier one will be ended: drop it before."""
        word = self._password.now() or self._url_password
        if word != self._greeting:
            self._greeting = word
            self._connections.close()
        return word

    def _greet(self, sock: socket.socket) -> None:
        if word := self._greeting:
            who = (self._user, word) if self._user else (word,)
            self._say(sock, _command("AUTH", *who))
        if self._database != "0":
            self._say(sock, _command("SELECT", self._database))

    def _say(self, sock: socket.socket, command: bytes) -> None:
        sock.sendall(command)
        if not _reply(sock.recv).startswith(b"+"):
            raise Denied("the queue refused the log-in")

    def _exchange(self, request: bytes, timeout_s: float) -> Answer:
        progress = Progress.NOTHING_SENT
        connection: Connection | None = None
        greeting = self._turn_to_password()
        limit = self._deadlines.setdefault(timeout_s, Deadlines(timeout_s)).begin()
        try:
            connection = self._connections.take()
            if self._tls:
                progress = Progress.SENT
            sent = connection.send(request)
            progress = Progress.SENT
            if sent < len(request):
                connection.sendall(request[sent:])
            reply = _reply(connection.recv)
            if greeting == self._greeting:
                self._connections.keep(connection)
                connection = None
            return _of_reply(reply)
        except Expired as expired:
            if expired.limit is not limit:
                raise
            return of_timeout(progress)
        except Denied:
            self._password.refused()
            return Answer(Outcome.REFUSED, Detail.ACCESS_DENIED)
        except OSError:
            return of_break(progress)
        finally:
            limit.close()
            if connection is not None:
                connection.close()


def _of_reply(reply: bytes) -> Answer:
    if reply.startswith(b"$") and not reply.startswith(b"$-"):
        return Answer(Outcome.ACKED, result=reply.split(b"\r\n")[1].decode("ascii", "replace"))
    # an error reply has most likely had no effect; "most likely" is UNKNOWN
    return Answer(Outcome.UNKNOWN, Detail.OTHER_ERROR)


def _command(*words: str) -> bytes:
    """An array of bulk strings."""
    encoded = [word.encode() for word in words]
    return b"*%d\r\n" % len(encoded) + b"".join(b"$%d\r\n%b\r\n" % (len(w), w) for w in encoded)


def _reply(recv: Callable[[int], bytes]) -> bytes:
    """One whole reply: a line, or a bulk string."""
    data = b""
    while True:
        block = recv(4096)
        if not block:
            raise ConnectionResetError("the queue closed the connection")
        data += block
        line, found, rest = data.partition(b"\r\n")
        if not found:
            continue
        if not line.startswith(b"$") or line.startswith(b"$-"):
            return data
        if len(rest) >= int(line[1:]) + 2:
            return data
