"""19's POST /json/2/<model>/<method>: named arguments, a bearer key, real status codes."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import orjson

from shop.errors import BadCall, DatabaseDown, OdooError, UnknownModel
from shop.web.envelope import error_data
from shop.web.messages import NO_DATABASE, Request, Response, html, json_response

if TYPE_CHECKING:
    from shop.business.methods import User
    from shop.business.service import Shop

PREFIX = "/json/2/"
NO_KEY = "User not authenticated, use an API Key with a Bearer Authorization header."


class HttpError(OdooError):
    """werkzeug's exceptions, in JSON."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        phrase = status.phrase.title().replace(" ", "")
        name = "UnprocessableEntity" if status == HTTPStatus.UNPROCESSABLE_ENTITY else phrase
        super().__init__(message, message, int(status), name=f"werkzeug.exceptions.{name}")
        self.status = status


async def json2(shop: Shop, request: Request) -> Response:
    if request.headers.get("x-odoo-database", shop.config.database) != shop.config.database:
        return html(404, NO_DATABASE)
    try:
        value = await _answer(shop, request)
    except DatabaseDown:
        return html(404, NO_DATABASE)
    except OdooError as error:
        return json_response(error_data(error), shop.dialect, error.status)
    return value if isinstance(value, Response) else json_response(value, shop.dialect)


async def _answer(shop: Shop, request: Request) -> object:
    model, _, method = request.path.removeprefix(PREFIX).partition("/")
    if request.method != "POST":
        raise HttpError(HTTPStatus.NOT_FOUND, "Did you mean POST /json/2/<model>/<method>?")
    if request.body and not request.is_json:
        return html(415, "Request inferred type is not 'json2'.")
    user = await _user(shop, request)
    body = _body(request)
    try:
        shop.resolve(model, method)
    except UnknownModel as error:
        raise HttpError(
            HTTPStatus.NOT_FOUND, f"the model '{error.model}' does not exist"
        ) from error
    except OdooError as error:
        if error.name == "builtins.AttributeError":
            raise HttpError(HTTPStatus.NOT_FOUND, error.message) from error
        raise
    ids = [body.pop("ids")] if "ids" in body else []
    named = body if ids or not shop.resolve(model, method)[1].records else {"ids": [], **body}
    try:
        value = await shop.call(user, model, method, ids, named)
    except BadCall as error:
        raise HttpError(HTTPStatus.UNPROCESSABLE_ENTITY, error.message) from error
    return [value] if method == "create" and not isinstance(value, list) else value


async def _user(shop: Shop, request: Request) -> User:
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key:
        raise HttpError(HTTPStatus.UNAUTHORIZED, NO_KEY)
    user = await shop.users.by_key(key.strip())
    if user is None:
        raise HttpError(HTTPStatus.UNAUTHORIZED, "Invalid apikey")
    return user


def _body(request: Request) -> dict[str, object]:
    if not request.body:
        return {}
    try:
        body = orjson.loads(request.body)
    except orjson.JSONDecodeError as error:
        raise HttpError(
            HTTPStatus.BAD_REQUEST, f"could not parse the body as json: {error}"
        ) from error
    return body if isinstance(body, dict) else {}
