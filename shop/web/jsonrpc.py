"""POST /jsonrpc: the services `common` and `object`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from shop.errors import BadCall, DatabaseDown, OdooError
from shop.web.envelope import failure, result
from shop.web.messages import Request, Response, html

if TYPE_CHECKING:
    from shop.business.service import Shop


def version(dialect: int) -> dict[str, object]:
    serie = f"{dialect}.0"
    return {
        "server_version": serie,
        "server_version_info": [dialect, 0, 0, "final", 0, ""],
        "server_serie": serie,
        "protocol_version": 1,
    }


async def jsonrpc(shop: Shop, request: Request) -> Response:
    """Errors are HTTP 200 with an `error`; only what is no JSON-RPC at all is a 4xx."""
    refused = _refuse_by_form(shop.dialect, request)
    if refused is not None:
        return refused
    try:
        body = orjson.loads(request.body)
    except orjson.JSONDecodeError:
        return _plain(shop.dialect, 400, "Invalid JSON data")
    if not isinstance(body, dict):
        status = 500 if shop.dialect < 17 else 400
        return _plain(shop.dialect, status, "Invalid JSON-RPC data")
    request_id = body.get("id")
    try:
        return result(await _dispatch(shop, body.get("params")), request_id, shop.dialect)
    except DatabaseDown as error:
        if shop.dialect < 17 and not error.message.endswith("does not exist"):
            return html(500, "The server encountered an internal error.")
        return failure(error, request_id, shop.dialect)
    except OdooError as error:
        return failure(error, request_id, shop.dialect)


def _refuse_by_form(dialect: int, request: Request) -> Response | None:
    if request.method == "POST" and request.is_json:
        return None
    return html(415 if dialect >= 19 else 400, "Request inferred type is not 'jsonrpc'.")


def _plain(dialect: int, status: int, text: str) -> Response:
    if dialect < 17:
        return html(status, text)
    return Response(status, text.encode(), "text/html; charset=utf-8")


async def _dispatch(shop: Shop, params: object) -> object:
    if not isinstance(params, dict) or not {"service", "method", "args"} <= params.keys():
        raise BadCall("jsonrpc() missing 3 required positional arguments")
    service, method, arguments = params["service"], params["method"], params["args"]
    if service == "common":
        return await _common(shop, method, arguments)
    if service == "object":
        return await _object(shop, method, arguments)
    if service == "db":
        return await _db(shop, method)
    name = "builtins.UnboundLocalError" if shop.dialect < 17 else "builtins.KeyError"
    raise OdooError(str(service), name=name)


async def _common(shop: Shop, method: object, arguments: list[object]) -> object:
    if method == "version":
        if shop.dialect < 17 and shop.pool.is_down:
            raise DatabaseDown("the database is down")
        return version(shop.dialect)
    if method in ("authenticate", "login"):
        if len(arguments) < 3:
            raise BadCall(f"exp_{method}() missing required positional arguments")
        check_database(shop, arguments[0])
        user = await shop.users.authenticate(str(arguments[1]), str(arguments[2]))
        return user.uid if user else False
    raise OdooError(f"Method not found: {method}")


async def _object(shop: Shop, method: object, arguments: list[object]) -> object:
    if method not in ("execute", "execute_kw"):
        raise OdooError(f"Method not available {method}", name="builtins.NameError")
    if len(arguments) < 5:
        if shop.dialect < 19:
            raise OdooError("list index out of range", name="builtins.IndexError")
        raise OdooError(
            f"not enough values to unpack (expected at least 5, got {len(arguments)})",
            name="builtins.ValueError",
        )
    database, uid, password, model, called, *rest = arguments
    check_database(shop, database)
    user = await shop.users.check(int(str(uid)), str(password))
    positional = rest if method == "execute" else (rest[0] if rest else [])
    named = rest[1] if method == "execute_kw" and len(rest) > 1 else {}
    return await shop.call(user, str(model), str(called), positional or [], named or {})  # type: ignore[arg-type]


async def _db(shop: Shop, method: object) -> object:
    if method == "server_version":
        return f"{shop.dialect}.0"
    if method == "list":
        return [shop.config.database] if await shop.is_reachable() else []
    raise OdooError(f"Method not found: {method}")


def check_database(shop: Shop, name: object) -> None:
    """Another database is a database that is not there."""
    if name != shop.config.database:
        raise DatabaseDown(f'connection to server failed: FATAL:  database "{name}" does not exist')
