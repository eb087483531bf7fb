"""Odoo over JSON-RPC: one POST a call, never sent twice by this client.

Only POST is used: every geventhttpclient re-sends a GET by itself. The parser is
geventhttpclient's, the connections are ours, so that the moment of the first byte is known.
"""

from __future__ import annotations

import itertools
import json
import ssl
from collections.abc import Sequence
from typing import Any, cast
from urllib.parse import urlsplit

import gevent
from geventhttpclient.connectionpool import ConnectionPool
from geventhttpclient.response import (
    HTTPConnectionClosed,
    HTTPParseError,
    HTTPSocketPoolResponse,
)

from harness.core.operation import Detail
from load.classify import Answer, Progress, of_break, of_response, of_timeout
from load.connections import Connections
from load.password import Password
from load.plan import Application

_BLOCK_BYTES = 65536
type_json = Any  # what JSON allows; it does not go past this package


class Odoo:
    """One application, one user. The uid is given, so a call needs no login during an outage."""

    def __init__(self, application: Application, password: Password, *, uid: int = 0) -> None:
        parts = urlsplit(application.url)
        tls = ssl.create_default_context() if parts.scheme == "https" else None
        port = parts.port or (443 if tls else 80)
        host = parts.hostname or ""
        self._connections = Connections(host, port, tls=tls)
        self._pool = cast("ConnectionPool", self._connections)  # it calls two methods of it
        self._tls = tls is not None
        self._ids = itertools.count(1)
        self._application, self._password = application, password
        self._timeout_s = application.timeout_s
        self._head = (
            f"POST {parts.path.rstrip('/')}/jsonrpc HTTP/1.1\r\nHost: {parts.netloc}\r\n"
            "Content-Type: application/json\r\nContent-Length: "
        )
        self.as_user(uid)

    def as_user(self, uid: int) -> None:
        """Act as `uid` from now on."""
        self._uid = uid
        self._said, self._who = "", ""

    def authenticate(self) -> Answer:
        """Ask for the uid; ACKED with `false` means: a wrong login or password."""
        name = self._application.login
        args = [self._application.database, name, self._password.now(), {}]
        return self._post("common", "authenticate", json.dumps(args), self._timeout_s)

    def call(
        self,
        model: str,
        method: str,
        args: Sequence[type_json],
        options: dict[str, type_json] | None = None,
        *,
        timeout_s: float | None = None,
    ) -> Answer:
        """`model.method(*args, **options)`. Never raises for what the platform does."""
        given = json.dumps(options) if options else "{}"
        what = f'"{model}","{method}",{json.dumps(args)},{given}'
        limit = self._timeout_s if timeout_s is None else timeout_s
        return self._post("object", "execute_kw", f"[{self._as_whom()},{what}]", limit)

    def close(self) -> None:
        self._connections.close()

    def _as_whom(self) -> str:
        """Database, uid and password in JSON, made anew when the password was renewed."""
        word = self._password.now()
        if word != self._said or not self._who:
            self._said = word
            self._who = json.dumps([self._application.database, self._uid, word])[1:-1]
        return self._who

    def _post(self, service: str, method: str, args: str, timeout_s: float) -> Answer:
        number = next(self._ids)
        body = (
            f'{{"jsonrpc":"2.0","method":"call","id":{number},"params":'
            f'{{"service":"{service}","method":"{method}","args":{args}}}}}'
        )
        request = f"{self._head}{len(body)}\r\n\r\n{body}".encode("ascii")  # json escapes the rest
        answer = self._exchange(request, number, timeout_s)
        if answer.detail is Detail.ACCESS_DENIED:
            self._password.refused()
        return answer

    def _exchange(self, request: bytes, number: int, timeout_s: float) -> Answer:
        progress = Progress.NOTHING_SENT
        sock = None
        limit = gevent.Timeout.start_new(timeout_s)
        try:
            sock = self._connections.take()
            if self._tls:
                progress = Progress.SENT  # a record may be half out before send() fails
            sent = sock.send(request)
            progress = Progress.SENT
            if sent < len(request):
                sock.sendall(request[sent:])
            taken, sock = sock, None  # from here on the response gives it back
            response = HTTPSocketPoolResponse(
                taken, self._pool, block_size=_BLOCK_BYTES, method="POST"
            )
            progress = Progress.ANSWER_BEGUN
            content = response.read()
            if not response.message_complete:
                return of_break(progress)
            return of_response(response.status_code, content, number)
        except gevent.Timeout as expired:
            if expired is not limit:
                raise
            return of_timeout(progress)
        except HTTPConnectionClosed:
            return of_break(Progress.SENT)
        except HTTPParseError:
            return of_break(Progress.ANSWER_BEGUN)
        except OSError:
            return of_break(progress)
        finally:
            limit.close()
            if sock is not None:
                self._connections.release_socket(sock)
