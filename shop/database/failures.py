"""From the driver's errors to the names that Odoo puts on the wire."""

from __future__ import annotations

import psycopg

from shop.errors import (
    ConnectionLost,
    DatabaseAiling,
    DatabaseError,
    MissingError,
    OdooError,
    UserError,
    ValidationError,
)

# Raised by the functions in sql/: class OD is ours.
RAISED: dict[str, type[OdooError]] = {
    "OD001": UserError,
    "OD002": ValidationError,
    "OD003": MissingError,
}
UNIQUE_MESSAGES = {
    "res_users_login_key": "You can not have two users with the same login!",
}
NOT_A_CONSTRAINT = "The operation cannot be completed"
AILING = ("53", "58", "XX")  # insufficient resources, system error, internal error: classes
SHUTTING_DOWN = ("57P01", "57P02", "57P03")


def translate(error: psycopg.Error) -> OdooError:
    """Typed like Odoo's own: UserError for ours, psycopg2.errors.X for PostgreSQL's."""
    state = error.sqlstate or ""
    message = error.diag.message_primary or str(error)
    if state in RAISED:
        return RAISED[state](message)
    if state == "23505":
        constraint = error.diag.constraint_name or ""
        return ValidationError(UNIQUE_MESSAGES.get(constraint, f"{NOT_A_CONSTRAINT}: {constraint}"))
    if state.startswith("23"):
        return ValidationError(f"{NOT_A_CONSTRAINT}: {message}")
    if state in SHUTTING_DOWN or (not state and isinstance(error, psycopg.OperationalError)):
        return ConnectionLost()
    if not state:
        return DatabaseError(message, name=f"psycopg2.{type(error).__name__}")
    kind = DatabaseAiling if state[:2] in AILING else DatabaseError
    return kind(message, name=f"psycopg2.errors.{type(error).__name__}")
