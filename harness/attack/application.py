"""The three that go to the application: the administrator's password, an API key, a session.

The User-Agent carries the marker. A JSON-RPC error comes as HTTP 200: its name tells.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from harness.attack.leaked import Leaked
from harness.attack.told import ACCEPTED, Denied, Down
from harness.json_text import parsed

_TIMEOUT_S = 2.0
_JSON2_SINCE = 19
_REFUSALS = {"odoo.exceptions.AccessDenied", "odoo.http.SessionExpiredException"}
Post = Callable[[str, object, dict[str, str]], tuple[int, bytes]]


def application_password(leaked: Leaked, marker: str) -> Callable[[int], str]:
    """Log in. An answer of `false` is a login that was refused."""
    post = _poster(leaked.where, marker)
    arguments = [leaked.database, leaked.who, leaked.secret, {}]

    def use(number: int) -> str:
        call = _envelope(number, service="common", method="authenticate", args=arguments)
        if not result_of(*post("/jsonrpc", call, {})):
            raise Denied("no such login and password")
        return ACCEPTED

    return use


def api_key(leaked: Leaked, marker: str, version: int) -> Callable[[int], str]:
    """Look for a partner: by JSON-2 with a bearer's key, before 19 by JSON-RPC with the user's."""
    post = _poster(leaked.where, marker)
    bearer = {"Authorization": f"Bearer {leaked.secret}", "X-Odoo-Database": leaked.database}
    question = {"domain": [], "limit": 1}
    arguments = [leaked.database, int(leaked.who or 0), leaked.secret]

    def use(number: int) -> str:
        if version >= _JSON2_SINCE:
            status, body = post("/json/2/res.partner/search", question, bearer)
            require_answer(status, body)
            return ACCEPTED
        args = [*arguments, "res.partner", "search", [[]], {"limit": 1}]
        call = _envelope(number, service="object", method="execute_kw", args=args)
        result_of(*post("/jsonrpc", call, {}))
        return ACCEPTED

    return use


def session_cookie(leaked: Leaked, marker: str) -> Callable[[int], str]:
    """Ask who I am."""
    post = _poster(leaked.where, marker)
    cookie = {"Cookie": f"session_id={leaked.secret}"}

    def use(number: int) -> str:
        result_of(*post("/web/session/get_session_info", _envelope(number), cookie))
        return ACCEPTED

    return use


def require_answer(status: int, body: bytes) -> Any:
    """The parsed body of an HTTP 200. Raises Denied for 401 and 403, Down for all else.

    >>> require_answer(401, b"")
    Traceback (most recent call last):
    harness.attack.told.Denied: HTTP 401
    """
    if status in {401, 403}:
        raise Denied(f"HTTP {status}")
    if status != 200:
        raise Down(f"HTTP {status}")
    try:
        return parsed(body)
    except ValueError:
        raise Down("an answer that cannot be read") from None


def result_of(status: int, body: bytes) -> Any:
    """The result of a JSON-RPC call.

    >>> result_of(200, b'{"jsonrpc": "2.0", "error": {"data": {"name": "psycopg2.OperationalError"}}}')
    Traceback (most recent call last):
    harness.attack.told.Down: psycopg2.OperationalError
    """  # noqa: E501  one answer is one line
    answer = require_answer(status, body)
    if not isinstance(answer, dict):
        raise Down("an answer that cannot be read")
    if "error" not in answer:
        return answer.get("result")
    error = answer["error"]
    data = error.get("data") if isinstance(error, dict) else None
    name = str(data.get("name"))[:80] if isinstance(data, dict) else "an error without a name"
    raise Denied(name) if name in _REFUSALS else Down(name)


def _envelope(number: int, **params: object) -> object:
    return {"jsonrpc": "2.0", "method": "call", "id": number, "params": params}


def _poster(url: str, marker: str) -> Post:
    where = urlsplit(url)
    tls = where.scheme == "https"
    kind = http.client.HTTPSConnection if tls else http.client.HTTPConnection

    def post(path: str, body: object, headers: dict[str, str]) -> tuple[int, bytes]:
        sent = {"Content-Type": "application/json", "User-Agent": marker, **headers}
        connection = kind(where.hostname or "", where.port, timeout=_TIMEOUT_S)
        try:
            connection.request("POST", where.path.rstrip("/") + path, json.dumps(body), sent)
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise Down(type(error).__name__) from None
        finally:
            connection.close()

    return post
