"""Odoo over JSON-RPC: one POST a call, never sent twice by this client.

Only POST is used: every geventhttpclient re-sends a GET by itself. The parser is
geventhttpclient's, the connections are ours, so that the moment of the first byte is known.
A call costs as little as it can, for what it costs makes the next one late.
"""

from __future__ import annotations

import itertools
import json
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from json.encoder import encode_basestring_ascii
from typing import Any
from urllib.parse import urlsplit

from geventhttpclient._parser import HTTPParseError

from harness.core.operation import Detail
from load.answer_stream import AnswerStream
from load.classify import Answer, Progress, of_break, of_response, of_timeout
from load.connections import Connection, Connections
from load.deadlines import Deadlines, Expired, Limit
from load.password import Password
from load.plan import Application

type_json = Any  # what JSON allows; it does not go past this package
_KEY = "the record's key"


@dataclass(frozen=True, slots=True)
class Written:
    """Arguments as JSON text. What differs between two calls is a record's key at most."""

    text: str

    @classmethod
    def around(cls, args_of: Callable[[str], Sequence[type_json]]) -> Callable[[str], Written]:
        """`args_of(key)` for any key, made once and not again for each.

        >>> Written.around(lambda key: [{"ref": key, "at": 1}])("pd-r-0-7").text
        '[{"ref": "pd-r-0-7", "at": 1}]'
        """
        before, after = json.dumps(args_of(_KEY)).split(encode_basestring_ascii(_KEY))
        return lambda key: cls(before + encode_basestring_ascii(key) + after)


class Odoo:
    """One application, one user. The uid is given, so a call needs no login during an outage."""

    def __init__(self, application: Application, password: Password, *, uid: int = 0) -> None:
        parts = urlsplit(application.url)
        tls = ssl.create_default_context() if parts.scheme == "https" else None
        port = parts.port or (443 if tls else 80)
        host = parts.hostname or ""
        self._connections = Connections(host, port, tls=tls)
        self._deadlines: dict[float, Deadlines] = {}
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
        args: Sequence[type_json] | Written,
        options: dict[str, type_json] | None = None,
        *,
        timeout_s: float | None = None,
    ) -> Answer:
        """`model.method(*args, **options)`. Never raises for what the platform does."""
        given = json.dumps(options) if options else "{}"
        listed = args.text if isinstance(args, Written) else json.dumps(args)
        what = f'"{model}","{method}",{listed},{given}'
        limit = self._timeout_s if timeout_s is None else timeout_s
        return self._post("object", "execute_kw", f"[{self._as_whom()},{what}]", limit)

    def close(self) -> None:
        self._connections.close()
        for deadlines in self._deadlines.values():
            deadlines.close()

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
        connection: Connection | None = None
        answer = AnswerStream()
        limit = self._begin(timeout_s)
        try:
            connection = self._connections.take()
            if self._tls:
                progress = Progress.SENT  # a record may be half out before send() fails
            sent = connection.send(request)
            progress = Progress.SENT
            if sent < len(request):
                connection.sendall(request[sent:])
            if not _read(answer, connection):
                return of_break(progress)
            if answer.reusable:
                self._connections.keep(connection)
                connection = None
            return of_response(answer.get_code(), answer.body, number)
        except Expired as expired:
            if expired.limit is not limit:
                raise
            return of_timeout(progress)
        except HTTPParseError:
            return of_break(Progress.ANSWER_BEGUN)
        except OSError:
            return of_break(Progress.ANSWER_BEGUN if answer.headed else progress)
        finally:
            limit.close()
            if connection is not None:
                connection.close()

    def _begin(self, timeout_s: float) -> Limit:
        deadlines = self._deadlines.get(timeout_s)
        if deadlines is None:
            deadlines = self._deadlines[timeout_s] = Deadlines(timeout_s)
        return deadlines.begin()


def _read(answer: AnswerStream, connection: Connection) -> bool:
    """A whole answer; False when the connection ended before one began."""
    block = connection.first()
    if not block:
        return False
    answer.feed(block)
    while not answer.whole:
        block = connection.more()
        answer.feed(block)  # an end that comes too early is no answer: it raises
        if not block and not answer.whole:
            raise HTTPParseError("the connection ended after an interim answer")
    return True
