"""Requests and responses, as little of HTTP as the channels need."""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import orjson

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, MutableMapping

    Scope = MutableMapping[str, object]
    Message = MutableMapping[str, object]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]

MAX_BODY_BYTES = 64 * 1024 * 1024


class BodyTooLarge(ValueError):
    """More than a stand-in wants to hold."""


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes

    def argument(self, name: str) -> str:
        return parse_qs(self.query).get(name, [""])[0]

    @property
    def session_id(self) -> str:
        try:
            morsel = SimpleCookie(self.headers.get("cookie", "")).get("session_id")
        except CookieError:
            return ""
        return morsel.value if morsel else ""

    @property
    def is_json(self) -> bool:
        return self.headers.get("content-type", "").partition(";")[0].strip() == "application/json"


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    body: bytes
    content_type: str
    headers: tuple[tuple[str, str], ...] = field(default=())


async def read_request(scope: Scope, receive: Receive) -> Request:
    """The whole request; bodies are small here."""
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        chunk = message.get("body", b"")
        assert isinstance(chunk, bytes)
        chunks.append(chunk)
        size += len(chunk)
        if size > MAX_BODY_BYTES:
            raise BodyTooLarge
        if not message.get("more_body"):
            break
    raw = scope["headers"]
    query = scope.get("query_string", b"")
    assert isinstance(raw, list)
    assert isinstance(query, bytes)
    headers = {key.decode("latin-1"): value.decode("latin-1") for key, value in raw}
    return Request(
        str(scope["method"]), str(scope["path"]), query.decode("latin-1"), headers, b"".join(chunks)
    )


async def send_response(send: Send, response: Response) -> None:
    headers = [
        (b"content-type", response.content_type.encode()),
        (b"content-length", str(len(response.body)).encode()),
        *((key.encode(), value.encode()) for key, value in response.headers),
    ]
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": response.body})


def json_response(value: object, dialect: int, status: int = HTTPStatus.OK) -> Response:
    kind = "application/json; charset=utf-8" if dialect >= 17 else "application/json"
    return Response(status, orjson.dumps(value), kind)


def html(status: int, text: str = "") -> Response:
    """A page in the form of Odoo's error pages; nobody reads more of it than its status."""
    title = HTTPStatus(status).phrase
    body = (
        f"<!doctype html>\n<html lang=en>\n<title>{status} {title}</title>\n"
        f"<h1>{title}</h1>\n<p>{text}</p>\n"
    )
    return Response(status, body.encode(), "text/html; charset=utf-8")


def redirect(target: str, status: int = HTTPStatus.SEE_OTHER) -> Response:
    page = html(status, f'Redirecting to <a href="{target}">{target}</a>')
    return Response(page.status, page.body, page.content_type, (("location", target),))


NO_DATABASE = (
    "No database is selected and the requested URL was not found in the server-wide controllers."
)
