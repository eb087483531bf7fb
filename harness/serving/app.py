"""The application: routes, the check of every request's Host, and headers on every answer."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from starlette.applications import Starlette
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from harness.errors import PeakdrillError
from harness.serving.access import Access
from harness.serving.archive import Archive, Entry, attempted
from harness.serving.events import Hub
from harness.serving.live import Live
from harness.serving.pages import HEADERS, page, report
from reports import live_page

Handler = Callable[[Request], Awaitable[Response]]


def create_app(
    access: Access, archive: Archive, live_folder: Path, *, is_over: Callable[[], bool]
) -> ASGIApp:
    """Everything that `peakdrill serve` answers."""
    hub = Hub(live_folder, now_ns=time.monotonic_ns)
    live, past = Live(access, hub), _Past(archive)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        looking = asyncio.create_task(hub.run(is_over))
        try:
            yield
        finally:
            looking.cancel()
            with suppress(asyncio.CancelledError):
                await looking

    def seen(handler: Handler) -> Handler:
        """For whoever may look; everybody else is asked to log in."""

        async def handle(request: Request) -> Response:
            if access.role(request.cookies) is None:
                return await live.show(request)
            return await handler(request)

        return handle

    routes = [
        Route("/", live.show),
        Route("/events", live.stream),
        Route("/login", live.login_page, methods=["GET"]),
        Route("/login", live.log_in, methods=["POST"]),
        Route("/abort", live.abort, methods=["POST"]),
        Route("/runs", seen(past.runs)),
        Route("/runs/{name}", seen(past.run)),
        Route("/gamedays", seen(past.days)),
        Route("/gamedays/{name}", seen(past.day)),
        Route("/readiness", seen(past.readiness)),
    ]
    return Doors(Starlette(routes=routes, lifespan=lifespan), access)


@dataclass
class _Past:
    """The handlers of the archive."""

    archive: Archive

    async def runs(self, _: Request) -> Response:
        try:
            entries, why = await asyncio.to_thread(self.archive.runs), ""
        except PeakdrillError as error:
            entries, why = (), str(error)
        return _listed(live_page.Listing.RUNS, entries, why)

    async def run(self, request: Request) -> Response:
        body = await asyncio.to_thread(self.archive.run_report, request.path_params["name"])
        return _none("There is no report of such a run.") if body is None else report(body)

    async def days(self, _: Request) -> Response:
        return _listed(live_page.Listing.DAYS, await asyncio.to_thread(self.archive.days), "")

    async def day(self, request: Request) -> Response:
        body = await asyncio.to_thread(self.archive.day_report, request.path_params["name"])
        return _none("There is no report of such a game day.") if body is None else report(body)

    async def readiness(self, request: Request) -> Response:
        season = request.query_params.get("season", "")[:100]
        html, why = await asyncio.to_thread(attempted, lambda: self.archive.readiness(season))
        return report(html) if html else _none(why, title="Readiness", status=200)


def _listed(what: live_page.Listing, entries: tuple[Entry, ...], why: str) -> Response:
    nonce = secrets.token_urlsafe(16)
    return page(live_page.render_listing(what, entries, why, nonce), nonce)


def _none(why: str, *, title: str = "Not found", status: int = 404) -> Response:
    nonce = secrets.token_urlsafe(16)
    return page(live_page.render_notice(title, why, nonce), nonce, status=status)


class Doors:
    """Before anything is looked up: is this request meant for us? And headers on every answer."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app, self._access = app, access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return
        if not self._access.knows_host(Headers(scope=scope).get("host")):
            told = "this server does not go by that name\n"
            await _with_headers(PlainTextResponse(told, 421))(scope, receive, send)
            return
        await _with_headers(self._app)(scope, receive, send)


def _with_headers(app: ASGIApp) -> ASGIApp:
    async def answered(scope: Scope, receive: Receive, send: Send) -> None:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS:
                    headers.setdefault(name, value)
            await send(message)

        await app(scope, receive, sending)

    return answered
