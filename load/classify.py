"""How sure are we? From what came back to an outcome. Pure, so that tables can test it.

Only two things make a call REFUSED: not one byte of it left this machine, or the application
named an exception that it raises after rolling back. Everything in doubt is UNKNOWN: a commit
can hide behind an OperationalError, a time-out, a reset and any 5xx.
"""

from __future__ import annotations

import json
from enum import Enum, auto
from typing import Any, NamedTuple

from harness.core.operation import Detail, Outcome

_REFUSALS = {
    "odoo.exceptions.UserError": Detail.USER_ERROR,
    "odoo.exceptions.ValidationError": Detail.VALIDATION_ERROR,
    "odoo.exceptions.AccessError": Detail.ACCESS_ERROR,
    "odoo.exceptions.AccessDenied": Detail.ACCESS_DENIED,
    "odoo.exceptions.MissingError": Detail.MISSING_ERROR,
    "psycopg2.errors.SerializationFailure": Detail.SERIALIZATION_FAILURE,
}
_DOUBTS = {
    "psycopg2.OperationalError": Detail.OPERATIONAL_ERROR,
    "psycopg2.InterfaceError": Detail.INTERFACE_ERROR,
}
_ONE_VALUE = json.JSONDecoder().raw_decode


class Answer(NamedTuple):
    """What a call came to. `result` is JSON as it came, and only meaningful when ACKED."""

    outcome: Outcome
    detail: Detail = Detail.NONE
    result: Any = None

    @property
    def acked(self) -> bool:
        return self.outcome is Outcome.ACKED

    def doubted(self) -> Answer:
        """The same answer, when its result does not say that what was asked was done."""
        return Answer(Outcome.UNKNOWN, Detail.BAD_BODY, self.result)


class Progress(Enum):
    """How far a call had come when it broke."""

    NOTHING_SENT = auto()
    SENT = auto()
    ANSWER_BEGUN = auto()


def of_timeout(progress: Progress) -> Answer:
    if progress is Progress.NOTHING_SENT:
        return Answer(Outcome.REFUSED, Detail.CONNECT_TIMEOUT)
    return Answer(Outcome.UNKNOWN, Detail.TIMEOUT)


def of_break(progress: Progress) -> Answer:
    """The connection could not be made, or it broke."""
    if progress is Progress.NOTHING_SENT:
        return Answer(Outcome.REFUSED, Detail.CONNECT_REFUSED)
    if progress is Progress.SENT:
        return Answer(Outcome.UNKNOWN, Detail.RESET)
    return Answer(Outcome.UNKNOWN, Detail.INCOMPLETE_BODY)


def of_response(status: int, body: bytes, request_id: int) -> Answer:
    """A complete HTTP response to a JSON-RPC call."""
    if status != 200:
        return Answer(Outcome.UNKNOWN, _of_status(status))
    try:
        parsed = _parsed(body)
    except (ValueError, RecursionError):  # a body may be nested deeper than any parser goes
        return Answer(Outcome.UNKNOWN, Detail.BAD_BODY)
    if not isinstance(parsed, dict) or parsed.get("jsonrpc") != "2.0":
        return Answer(Outcome.UNKNOWN, Detail.BAD_BODY)
    if parsed.get("id") != request_id:
        return Answer(Outcome.UNKNOWN, Detail.BAD_BODY)
    if "error" in parsed:
        return of_error(parsed["error"])
    # Odoo leaves `result` out where a method returned None: do_unreserve does
    return Answer(Outcome.ACKED, result=parsed.get("result"))


def _parsed(body: bytes) -> Any:
    """As json.loads has it, without its guess at the encoding where that can be one only."""
    if body[:2] != b'{"':
        return json.loads(body)
    text = body.decode("utf-8", "surrogatepass")
    value, end = _ONE_VALUE(text)
    return value if end == len(text) else json.loads(text)


def of_error(error: object) -> Answer:
    """A JSON-RPC error object: it came with HTTP 200, and says nothing unless it has a name."""
    data = error.get("data") if isinstance(error, dict) else None
    name = data.get("name") if isinstance(data, dict) else None
    if not isinstance(name, str):
        return Answer(Outcome.UNKNOWN, Detail.OTHER_ERROR)
    if name in _REFUSALS:
        return Answer(Outcome.REFUSED, _REFUSALS[name])
    return Answer(Outcome.UNKNOWN, _DOUBTS.get(name, Detail.OTHER_ERROR))


def _of_status(status: int) -> Detail:
    if status == 503:
        return Detail.HTTP_503_SHED
    if status >= 500:
        return Detail.HTTP_5XX
    if status >= 400:
        return Detail.HTTP_4XX
    return Detail.BAD_BODY
