"""What can go wrong, under the names that Odoo gives it on the wire.

The names decide how a client judges an answer: UserError and its kin are refusals without
effect, OperationalError and InterfaceError hide a commit perhaps.
"""

from __future__ import annotations

from http import HTTPStatus


class OdooError(Exception):
    """An answer with an error in it. `name` is what Odoo calls the exception."""

    name = "builtins.Exception"
    status = HTTPStatus.INTERNAL_SERVER_ERROR  # of JSON-2; JSON-RPC always says 200
    code: int | None = None  # of JSON-RPC, where it is not the dialect's usual one

    def __init__(self, message: str, *arguments: object, name: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.arguments = list(arguments) if arguments else [message]
        if name:
            self.name = name


class UserError(OdooError):
    name = "odoo.exceptions.UserError"
    status = HTTPStatus.UNPROCESSABLE_ENTITY


class ValidationError(OdooError):
    name = "odoo.exceptions.ValidationError"
    status = HTTPStatus.UNPROCESSABLE_ENTITY


class MissingError(OdooError):
    name = "odoo.exceptions.MissingError"
    status = HTTPStatus.NOT_FOUND


class AccessError(OdooError):
    name = "odoo.exceptions.AccessError"
    status = HTTPStatus.FORBIDDEN


class AccessDenied(OdooError):
    name = "odoo.exceptions.AccessDenied"
    status = HTTPStatus.FORBIDDEN

    def __init__(self, message: str = "Access Denied") -> None:
        super().__init__(message)


class SessionExpired(OdooError):
    name = "odoo.http.SessionExpiredException"
    status = HTTPStatus.FORBIDDEN
    code = 100

    def __init__(self) -> None:
        super().__init__("Session expired")


class UnknownModel(OdooError):
    """Each channel says this in its own way; `model` is what was asked for."""

    name = "odoo.exceptions.UserError"
    status = HTTPStatus.NOT_FOUND

    def __init__(self, model: str) -> None:
        super().__init__(f"Object {model} doesn't exist")
        self.model = model


class UnknownMethod(OdooError):
    name = "builtins.AttributeError"
    status = HTTPStatus.NOT_FOUND


class BadCall(OdooError):
    """Arguments that do not fit the method."""

    name = "builtins.TypeError"
    status = HTTPStatus.UNPROCESSABLE_ENTITY


class BadValue(OdooError):
    name = "builtins.ValueError"


class DatabaseDown(OdooError):
    """No connection to be had: nothing was sent, and yet Odoo calls it OperationalError."""

    name = "psycopg2.OperationalError"


class ConnectionLost(OdooError):
    """The connection went away under a statement: it may have been committed."""

    name = "psycopg2.InterfaceError"

    def __init__(self, message: str = "connection already closed") -> None:
        super().__init__(message)


class DatabaseError(OdooError):
    """What PostgreSQL refused, under psycopg2's name of the condition."""


class DatabaseAiling(DatabaseError):
    """The server's own trouble (a damaged page, no room), not the statement's: it may pass."""


def missing(model: str, record: int, uid: int) -> MissingError:
    return MissingError(
        f"Record does not exist or has been deleted.\n(Record: {model}({record},), User: {uid})"
    )
