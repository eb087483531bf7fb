"""Whom a replica lets in, by its own word: a password, a key, a session. Silence is no refusal."""

from __future__ import annotations

import json

from harness.platforms.embedded import web
from harness.platforms.embedded.credentials import ADMIN_LOGIN
from harness.platforms.embedded.postgres import DATABASE

ADMIN_UID = 2
_JSON = {"Content-Type": "application/json", "User-Agent": "peakdrill-rotation"}
_DENIED = {"odoo.exceptions.AccessDenied", "odoo.http.SessionExpiredException"}


def lets_in(port: int, password: str) -> bool | None:
    """Whether a replica takes the administrator's password or key; None when it cannot tell."""
    arguments = [DATABASE, ADMIN_UID, password, "res.users", "search_count", [[]]]
    told = _rpc(port, "/jsonrpc", service="object", method="execute_kw", args=arguments)
    return _accepted(told)


def lets_in_by_key(port: int, key: str) -> bool | None:
    """The same by a bearer's key: since version 19, and a way of its own."""
    answer = web.ask(
        port, "/json/2/res.users/search_count", method="POST", body=b'{"domain": []}',
        headers={**_JSON, "Authorization": f"Bearer {key}"}, timeout_s=5.0,
    )  # fmt: skip
    return None if answer is None else {200: True, 401: False}.get(answer.status)


def log_in(port: int, password: str) -> str | None:
    """The id of a new web session of the administrator; None when none was begun."""
    body = {"params": {"db": DATABASE, "login": ADMIN_LOGIN, "password": password}}
    answer = web.ask(
        port, "/web/session/authenticate", method="POST", body=json.dumps(body).encode(),
        headers=_JSON, timeout_s=5.0,
    )  # fmt: skip
    if answer is None or answer.status != 200:
        return None
    cookie = answer.header("set-cookie").partition("session_id=")[2].partition(";")[0]
    return cookie or None


def has_ended_session(port: int, session_id: str) -> bool:
    """Whether a replica refuses a web session, by its own word: silence is no refusal."""
    headers = {"Cookie": f"session_id={session_id}"}
    return _accepted(_rpc(port, "/web/session/check", headers)) is False


def _rpc(port: int, path: str, headers: dict[str, str] | None = None, **params: object) -> object:
    body = {"jsonrpc": "2.0", "method": "call", "id": 1, "params": params}
    answer = web.ask(
        port, path, method="POST", body=json.dumps(body).encode(),
        headers={**_JSON, **(headers or {})}, timeout_s=5.0,
    )  # fmt: skip
    try:
        return answer.json() if answer is not None and answer.status == 200 else None
    except ValueError:
        return None


def _accepted(told: object) -> bool | None:
    if not isinstance(told, dict):
        return None
    if "error" not in told:
        return True
    error = told["error"]
    data = error.get("data") if isinstance(error, dict) else None
    name = data.get("name") if isinstance(data, dict) else None
    return False if name in _DENIED else None
