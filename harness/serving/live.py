"""The live page, its stream, and the button: what the drill tells now."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from harness.errors import PeakdrillError
from harness.json_text import parsed
from harness.serving.access import Access, Role
from harness.serving.events import LISTENERS_MAX, Hub
from harness.serving.pages import page, refused
from harness.watching import abort as button
from reports import live_page

_BODY_MAX = 4096
_LOGIN_WAIT_S = 0.5  # whoever guesses waits
PAGE_TOKEN = "X-Peakdrill-Page"  # noqa: S105  a header's name


@dataclass
class Live:
    """The handlers that need the doors and the hub."""

    access: Access
    hub: Hub

    async def show(self, request: Request) -> Response:
        role = self.access.role(request.cookies)
        nonce = secrets.token_urlsafe(16)
        if role is None:
            return page(live_page.render_login(nonce), nonce, status=401)
        operator = role is Role.OPERATOR
        setup = live_page.Setup(
            operator=operator,
            page_token=self.access.page_token if operator else "",
            page_header=PAGE_TOKEN,
            has_tokens=not self.access.open_to_view,
        )
        return page(live_page.render_live(setup, nonce), nonce)

    async def login_page(self, _: Request) -> Response:
        nonce = secrets.token_urlsafe(16)
        return page(live_page.render_login(nonce), nonce)

    async def stream(self, request: Request) -> Response:
        if self.access.role(request.cookies) is None:
            return refused(401, "log in first")
        if self.hub.listeners >= LISTENERS_MAX:
            return refused(503, "too many are watching; close another page")
        last_seen = request.headers.get("last-event-id", "")[:64]
        return StreamingResponse(
            self.hub.stream(last_seen),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )

    async def log_in(self, request: Request) -> Response:
        if not self._same_origin(request):
            return refused(403, "this request does not come from a page of this server")
        body = await _body(request)
        token = body.get("token") if body else None
        entered = self.access.log_in(token) if isinstance(token, str) else None
        if entered is None:
            await asyncio.sleep(_LOGIN_WAIT_S)
            return refused(
                403,
                "this token opens nothing; a link from the terminal is good for one use: "
                "start `peakdrill serve` again for a new one",
            )
        session, role = entered
        answer = JSONResponse({"role": role.value})
        answer.set_cookie(self.access.cookie, session, httponly=True, samesite="strict", path="/")
        return answer

    async def abort(self, request: Request) -> Response:
        """Press the button. The stream shows what comes of it."""
        if not self._same_origin(request):
            return refused(403, "this request does not come from a page of this server")
        if self.access.role(request.cookies) is not Role.OPERATOR:
            return refused(403, "viewers cannot abort: this needs the role operator")
        if not self.access.knows_page(request.headers.get(PAGE_TOKEN)):
            return refused(403, "this page is from an earlier start of the server: load it again")
        body = await _body(request)
        if body is None or body.get("confirmed") is not True:
            return refused(400, "an abort is confirmed first, and says who and why")
        who, why, run_id = body.get("who"), body.get("why"), body.get("run_id")
        if not isinstance(who, str) or not isinstance(why, str) or not isinstance(run_id, str):
            return refused(400, "an abort says who, why, and of which run")
        if not button.one_line(who, 1) or not button.one_line(why, 1):
            return refused(400, "an abort says who and why: both are kept in the evidence")
        try:
            pressed = await asyncio.to_thread(
                button.press, who, why, role=Role.OPERATOR.value, run_id=run_id
            )
        except PeakdrillError as error:
            return refused(409, error.what)
        told = {"run_id": pressed.run_id, "told": pressed.told, "phase": pressed.phase}
        return JSONResponse(told, status_code=202)

    def _same_origin(self, request: Request) -> bool:
        headers = request.headers
        return self.access.knows_origin(headers.get("origin"), headers.get("host"))


async def _body(request: Request) -> dict[str, object] | None:
    """A small JSON object, or None."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        return None
    raw = b""
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > _BODY_MAX:
            return None
    try:
        found = parsed(raw)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
