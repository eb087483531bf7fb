"""The ASGI application: finds the channel of a request, and lets nothing escape."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from shop.audit import user_agent
from shop.database.session import DEADLINE_S, answer_by_s
from shop.errors import OdooError
from shop.web import json2, jsonrpc, pages, webclient
from shop.web.envelope import failure
from shop.web.messages import Request, Response, html, read_request, redirect, send_response
from shop.web.sessions import Sessions

if TYPE_CHECKING:
    from shop.business.service import Shop
    from shop.web.messages import Receive, Scope, Send

log = logging.getLogger("shop")

PAGES = ("/", "/web", pages.LOGIN, pages.SELECTOR)
SESSION_ROUTES = ("/web/session/get_session_info", "/web/session/check", "/web/session/destroy")
INFO_ROUTES = ("/web/webclient/version_info", "/web/database/list")


class Application:
    """One replica's HTTP side. `drain()` makes its health answer 503."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.sessions = Sessions(shop.config.filestore, shop.audit)
        self._draining = False

    def drain(self) -> None:
        self._draining = True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request = await read_request(scope, receive)
        answer_by_s.set(time.monotonic() + DEADLINE_S)
        user_agent.set(request.headers.get("user-agent", ""))
        try:
            response = await self.respond(request)
        except OdooError as error:
            response = failure(error, None, self.shop.dialect)
        except Exception:
            log.exception("%s %s", request.method, request.path)
            response = html(500, "The server encountered an internal error.")
        await send_response(send, response)

    async def respond(self, request: Request) -> Response:
        shop, path = self.shop, request.path
        by_itself = path.startswith((webclient.CALL_KW, "/jsonrpc"))
        if shop.dialect < 17 and not by_itself and not await shop.is_reachable():
            # 14 looks at the database before it looks at the request
            return html(500, "The server encountered an internal error.")
        if path == "/jsonrpc":
            return await jsonrpc.jsonrpc(shop, request)
        if path.startswith(json2.PREFIX):
            return await self._json2(request)
        if path.startswith(webclient.CALL_KW):
            return await webclient.call_kw(shop, self.sessions, request)
        if path == "/web/session/authenticate":
            return await webclient.authenticate(shop, self.sessions, request)
        if path in SESSION_ROUTES:
            return await webclient.session_route(shop, self.sessions, request)
        if path in INFO_ROUTES:
            return await webclient.info_route(shop, request)
        return await self._page(request)

    async def _page(self, request: Request) -> Response:
        shop, path = self.shop, request.path
        if path == "/web/health":
            return await pages.health(shop, request, draining=self._draining)
        if path == "/websocket/health":
            return await pages.websocket_health(shop)
        if path in PAGES:
            return await pages.page(shop, self.sessions, request)
        if path == "/web/version" and shop.dialect >= 19:
            return pages.versions(shop)
        if path == "/json/version":
            return await pages.json_version(shop)
        if path.startswith(pages.CONTENT):
            return await pages.content(shop, self.sessions, request)
        if shop.dialect < 17 and request.is_json:
            return failure(webclient.not_found(), None, shop.dialect, 404)
        return html(404)

    async def _json2(self, request: Request) -> Response:
        if self.shop.dialect >= 19:
            return await json2.json2(self.shop, request)
        if self.shop.dialect >= 17:
            return redirect(f"{pages.LOGIN}?redirect={request.path}")
        return failure(webclient.not_found(), None, self.shop.dialect, 404)
