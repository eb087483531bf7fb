"""Pages and probes. A page is told from another by its status alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shop.database.session import Session, run
from shop.errors import DatabaseDown, OdooError
from shop.web.jsonrpc import version
from shop.web.messages import NO_DATABASE, Request, Response, html, json_response, redirect

if TYPE_CHECKING:
    from shop.business.service import Shop
    from shop.web.sessions import Sessions

SELECTOR = "/web/database/selector"
LOGIN = "/web/login"
CONTENT = "/web/content/"


async def health(shop: Shop, request: Request, *, draining: bool) -> Response:
    """Says pass without looking at the database, unless it is asked to look."""
    if shop.dialect < 17:
        return await missing_page(shop)
    if draining:
        return json_response({"status": "fail"}, shop.dialect, 503)
    if not request.argument("db_server_status"):
        return json_response({"status": "pass"}, shop.dialect)
    reachable = await shop.is_reachable()
    body = {"status": "pass" if reachable else "fail", "db_server_status": reachable}
    return json_response(body, shop.dialect, 200 if reachable else 500)


async def websocket_health(shop: Shop) -> Response:
    if shop.dialect < 17 or not await shop.is_reachable():
        return html(404, NO_DATABASE)
    return json_response({"status": "pass"}, shop.dialect)


async def page(shop: Shop, sessions: Sessions, request: Request) -> Response:
    """/, /web, /web/login, /web/database/selector."""
    if request.path == SELECTOR:
        return html(200)
    reachable = await shop.is_reachable()
    if not reachable:
        return _without_database(sessions, request)
    if request.path == LOGIN:
        return html(200)
    if request.path == "/":
        return html(200) if shop.dialect >= 19 else redirect("/web")
    if sessions.uid(request.session_id) is None:
        return redirect(f"{LOGIN}?redirect=%2Fweb%3F")
    return html(200)


def _without_database(sessions: Sessions, request: Request) -> Response:
    """A page that is asked for during an outage costs the session."""
    sessions.end(request.session_id)
    if request.path == LOGIN and request.argument("db"):
        return redirect(f"{LOGIN}?db={request.argument('db')}", 302)
    return redirect("/odoo" if request.path == "/" else SELECTOR)


def versions(shop: Shop) -> Response:
    facts = version(shop.dialect)
    return json_response(
        {"version_info": facts["server_version_info"], "version": facts["server_version"]},
        shop.dialect,
    )


async def json_version(shop: Shop) -> Response:
    """Only 19 has it; 18 takes the path for a page that wants a login."""
    if shop.dialect >= 19:
        return versions(shop)
    if shop.dialect >= 17 and await shop.is_reachable():
        return redirect(f"{LOGIN}?redirect=%2Fjson%2Fversion")
    return html(404)


async def missing_page(shop: Shop) -> Response:
    return html(404, NO_DATABASE if shop.pool.is_down else "")


async def content(shop: Shop, sessions: Sessions, request: Request) -> Response:
    """A document's bytes, for those who are logged in."""
    number = request.path.removeprefix(CONTENT).partition("/")[0]
    uid = sessions.uid(request.session_id)
    if uid is None or not number.isdigit() or len(number) > 9:
        return html(404)

    async def work(session: Session) -> object:
        return await session.row(
            "SELECT store_fname, mimetype FROM ir_attachment WHERE id = %s", [int(number)]
        )

    try:
        row = await run(shop.pool, work, atomic=False)
    except DatabaseDown:
        return html(404, NO_DATABASE)
    except OdooError:
        return html(500)
    if not isinstance(row, tuple) or not row[0]:
        return html(404)
    return Response(200, await shop.filestore.load(str(row[0])), str(row[1]))
