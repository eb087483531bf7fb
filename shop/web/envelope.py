"""JSON-RPC's envelope: results, and errors that come as HTTP 200."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shop.web.messages import Response, json_response

if TYPE_CHECKING:
    from shop.errors import OdooError

ERROR_CODE = {14: 200, 18: 200, 19: 0}
TRACEBACK = "Traceback (most recent call last):\n  (the stand-in keeps its tracebacks)\n"


def result(value: object, request_id: object, dialect: int) -> Response:
    """A method that returns nothing answers without a `result` at all."""
    answer: dict[str, object] = {"jsonrpc": "2.0", "id": request_id}
    if value is not None:
        answer["result"] = value
    return json_response(answer, dialect)


def error_data(error: OdooError) -> dict[str, object]:
    return {
        "name": error.name,
        "message": error.message,
        "arguments": error.arguments,
        "context": {},
        "debug": TRACEBACK,
    }


def failure(error: OdooError, request_id: object, dialect: int, status: int = 200) -> Response:
    code = ERROR_CODE[dialect] if error.code is None else error.code
    title = "Odoo Session Expired" if code == 100 else "Odoo Server Error"
    if code == 404:
        title = "404: Not Found"
    body = {
        "jsonrpc": "2.0",
        "id": request_id,
        "error": {"code": code, "message": title, "data": error_data(error)},
    }
    return json_response(body, dialect, status)
