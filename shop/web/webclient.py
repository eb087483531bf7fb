"""What the web client calls: /web/session/*, /web/dataset/call_kw, version_info, database list."""

from __future__ import annotations

import json
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

from shop.errors import (
    AccessDenied,
    AccessError,
    ConnectionLost,
    DatabaseDown,
    OdooError,
    SessionExpired,
    UnknownModel,
)
from shop.web.envelope import failure, result
from shop.web.jsonrpc import check_database, version
from shop.web.messages import NO_DATABASE, Request, Response, html

if TYPE_CHECKING:
    from shop.business.methods import User
    from shop.business.service import Shop
    from shop.web.sessions import Sessions

CALL_KW = "/web/dataset/call_kw"
NOT_FOUND = "404 Not Found: The requested URL was not found on the server."


@cache
def _info_templates() -> dict[str, dict[str, object]]:
    path = Path(__file__).with_name("session_info.json")
    loaded: dict[str, dict[str, object]] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


def session_info(shop: Shop, user: User) -> dict[str, object]:
    return {
        **_info_templates()[str(shop.dialect)],
        "uid": user.uid,
        "is_system": user.may("system"),
        "is_admin": user.may("system"),
        "db": shop.config.database,
        "server_version": f"{shop.dialect}.0",
        "username": user.login,
    }


def not_found() -> OdooError:
    error = OdooError(NOT_FOUND, name="werkzeug.exceptions.NotFound")
    error.code = 404
    return error


def parse(shop: Shop, request: Request) -> Response | dict[str, object]:
    """The envelope of a route of the web client, or why it is refused."""
    if request.method != "POST" or not request.is_json:
        return html(415 if shop.dialect >= 19 else 400, "Request inferred type is not 'jsonrpc'.")
    try:
        body = json.loads(request.body)
    except ValueError as error:
        if shop.dialect < 17:
            return html(400, "Invalid JSON data")
        return failure(
            OdooError(str(error), name="json.decoder.JSONDecodeError"), None, shop.dialect
        )
    if isinstance(body, dict):
        return body
    if shop.dialect < 17:
        return html(500, "The server encountered an internal error.")
    wrong = OdooError("list indices must be integers or slices, not str", name="builtins.TypeError")
    return failure(wrong, None, shop.dialect)


async def call_kw(shop: Shop, sessions: Sessions, request: Request) -> Response:
    uid = sessions.uid(request.session_id)
    if shop.pool.is_down and not await shop.is_reachable():
        return _no_database(shop, sessions, request, known=uid is not None)
    body = parse(shop, request)
    if isinstance(body, Response):
        return body
    if uid is None:
        request_id = None if shop.dialect >= 17 else body.get("id")
        return failure(SessionExpired(), request_id, shop.dialect)
    try:
        user = await shop.users.by_id(uid)
        params = body.get("params")
        assert isinstance(params, dict)
        value = await shop.call(
            user,
            str(params["model"]),
            str(params["method"]),
            params.get("args") or [],
            params.get("kwargs") or {},
        )
    except DatabaseDown:
        return _no_database(shop, sessions, request, known=True)
    except ConnectionLost as error:
        if shop.dialect < 17:
            return html(500, "The server encountered an internal error.")
        return failure(error, body.get("id"), shop.dialect)
    except UnknownModel as error:
        if shop.dialect < 17:
            lost = OdooError(error.model, name="builtins.KeyError")
        else:
            lost = not_found()
        return failure(lost, body.get("id"), shop.dialect)
    except OdooError as error:
        return failure(error, body.get("id"), shop.dialect)
    return result(value, body.get("id"), shop.dialect)


def _no_database(shop: Shop, sessions: Sessions, request: Request, *, known: bool) -> Response:
    """14 drops the session when it is used without a database; 18 and 19 keep it."""
    if shop.dialect >= 17:
        return html(404, NO_DATABASE)
    if not known:
        return html(500, "The server encountered an internal error.")
    sessions.end(request.session_id)
    return failure(not_found(), None, shop.dialect, HTTPStatus.NOT_FOUND)


async def authenticate(shop: Shop, sessions: Sessions, request: Request) -> Response:
    body = parse(shop, request)
    if isinstance(body, Response):
        return body
    params = body.get("params")
    assert isinstance(params, dict)
    try:
        user = await _log_in(shop, params)
    except DatabaseDown as error:
        if shop.dialect < 17 and shop.pool.is_down:
            return html(500, "The server encountered an internal error.")
        return failure(error, body.get("id"), shop.dialect)
    except OdooError as error:
        return failure(error, body.get("id"), shop.dialect)
    answer = result(session_info(shop, user), body.get("id"), shop.dialect)
    cookie = f"session_id={sessions.begin(user.uid)}; Path=/; HttpOnly"
    return Response(answer.status, answer.body, answer.content_type, (("set-cookie", cookie),))


async def _log_in(shop: Shop, params: dict[str, object]) -> User:
    if params.get("db") != shop.config.database and shop.dialect >= 17:
        raise AccessError("Database not found.")
    check_database(shop, params.get("db"))
    user = await shop.users.authenticate(str(params.get("login")), str(params.get("password")))
    if user is None:
        raise AccessDenied
    return user


async def session_route(shop: Shop, sessions: Sessions, request: Request) -> Response:
    """/web/session/{get_session_info,check,destroy}."""
    body = parse(shop, request)
    if isinstance(body, Response):
        return body
    uid = sessions.uid(request.session_id)
    if uid is None:
        return failure(SessionExpired(), body.get("id"), shop.dialect)
    if request.path.endswith("/destroy"):
        sessions.end(request.session_id)
        return result(None, body.get("id"), shop.dialect)
    if request.path.endswith("/check"):
        return result(None, body.get("id"), shop.dialect)
    try:
        user = await shop.users.by_id(uid)
    except OdooError as error:
        return failure(error, body.get("id"), shop.dialect)
    return result(session_info(shop, user), body.get("id"), shop.dialect)


async def info_route(shop: Shop, request: Request) -> Response:
    """/web/webclient/version_info and /web/database/list."""
    body = parse(shop, request)
    if isinstance(body, Response):
        return body
    if request.path.endswith("version_info"):
        return result(version(shop.dialect), body.get("id"), shop.dialect)
    databases = [shop.config.database] if await shop.is_reachable() else []
    return result(databases, body.get("id"), shop.dialect)
