"""Every answer that Odoo was seen to give, and what may be concluded from it.

The table is drawn from recorded answers of Odoo 14, 18 and 19 to /jsonrpc, with PostgreSQL up,
stopped, and with back ends terminated. No message text decides anything.
"""

from __future__ import annotations

import json

import pytest

from harness.core.operation import Detail, Outcome
from load.classify import Answer, Progress, of_break, of_response, of_timeout
from load.desk import done, new_id

HTML_500 = b"<!doctype html>\n<html lang=en>\n<title>500 Internal Server Error</title>\n"
HTML_404 = b"<!DOCTYPE html>\n<title>404 Not Found</title>\n<p>No database is selected"
ACKED, REFUSED, UNKNOWN = Outcome.ACKED, Outcome.REFUSED, Outcome.UNKNOWN


def error(name: str, code: int = 0) -> bytes:
    """19 sends code 0, 14 and 18 send 200; neither means anything."""
    data = {"name": name, "message": "a text", "arguments": ["a text"], "context": {}}
    body = {"code": code, "message": "Odoo Server Error", "data": data | {"debug": "..."}}
    return json.dumps({"jsonrpc": "2.0", "id": 7, "error": body}).encode()


def result(**more: object) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": 7} | more).encode()


ANSWERS = [
    # what, status, body, outcome, detail
    ("order.create", 200, result(result=1), ACKED, Detail.NONE),
    ("order.confirm", 200, result(result=True), ACKED, Detail.NONE),
    ("fin.invoice_post 18, 19", 200, result(result=False), ACKED, Detail.NONE),
    ("fin.invoice_post 14", 200, result(result="account.move(1,)"), ACKED, Detail.NONE),
    ("stock.do_unreserve: None has no result", 200, result(), ACKED, Detail.NONE),
    ("read of a missing id", 200, result(result=[]), ACKED, Detail.NONE),
    ("auth bad password", 200, result(result=False), ACKED, Detail.NONE),
    ("order.confirm.again", 200, error("odoo.exceptions.UserError"), REFUSED, Detail.USER_ERROR),
    ("same on 14", 200, error("odoo.exceptions.UserError", 200), REFUSED, Detail.USER_ERROR),
    (
        "constraint_unique", 200, error("odoo.exceptions.ValidationError"),
        REFUSED, Detail.VALIDATION_ERROR,
    ),
    (
        "access_error_create", 200, error("odoo.exceptions.AccessError"),
        REFUSED, Detail.ACCESS_ERROR,
    ),
    ("bad_password", 200, error("odoo.exceptions.AccessDenied"), REFUSED, Detail.ACCESS_DENIED),
    ("unknown_uid", 200, error("odoo.exceptions.MissingError"), REFUSED, Detail.MISSING_ERROR),
    (
        "serialization_exhausted", 200, error("psycopg2.errors.SerializationFailure"),
        REFUSED, Detail.SERIALIZATION_FAILURE,
    ),
    ("pg_down 18, 19", 200, error("psycopg2.OperationalError"), UNKNOWN, Detail.OPERATIONAL_ERROR),
    (
        "backend_terminated_midway", 200, error("psycopg2.InterfaceError"),
        UNKNOWN, Detail.INTERFACE_ERROR,
    ),
    (
        "wrong_type", 200, error("psycopg2.errors.InvalidTextRepresentation"),
        UNKNOWN, Detail.OTHER_ERROR,
    ),
    ("missing_argument", 200, error("builtins.TypeError"), UNKNOWN, Detail.OTHER_ERROR),
    ("unknown_model", 200, error("builtins.KeyError"), UNKNOWN, Detail.OTHER_ERROR),
    ("create_bad_base64", 200, error("binascii.Error"), UNKNOWN, Detail.OTHER_ERROR),
    ("session expired", 200, error("odoo.http.SessionExpiredException", 100), UNKNOWN,
     Detail.OTHER_ERROR),
    ("a name like it", 200, error("acme.UserError"), UNKNOWN, Detail.OTHER_ERROR),
    ("an error without a name", 200, result(error={"code": 1}), UNKNOWN, Detail.OTHER_ERROR),
    ("an error that is no object", 200, result(error="no"), UNKNOWN, Detail.OTHER_ERROR),
    ("pg_down 14", 500, HTML_500, UNKNOWN, Detail.HTTP_5XX),
    ("no database is selected", 404, HTML_404, UNKNOWN, Detail.HTTP_4XX),
    ("malformed JSON", 400, b"<p>bad request", UNKNOWN, Detail.HTTP_4XX),
    ("wrong content type 19", 415, b"", UNKNOWN, Detail.HTTP_4XX),
    ("ingress without a server", 503, b"no available server", UNKNOWN, Detail.HTTP_503_SHED),
    ("ingress: bad gateway", 502, b"Bad Gateway", UNKNOWN, Detail.HTTP_5XX),
    ("ingress: gateway time-out", 504, b"", UNKNOWN, Detail.HTTP_5XX),
    ("redirect to a login page", 303, b"", UNKNOWN, Detail.BAD_BODY),
    ("500 with a result in it", 500, result(result=1), UNKNOWN, Detail.HTTP_5XX),
    ("a login page with 200", 200, b"<!DOCTYPE html><html>", UNKNOWN, Detail.BAD_BODY),
    ("half of an answer", 200, result(result=1)[:-3], UNKNOWN, Detail.BAD_BODY),
    ("nothing", 200, b"", UNKNOWN, Detail.BAD_BODY),
    ("JSON, but no answer", 200, b"[]", UNKNOWN, Detail.BAD_BODY),
    ("JSON-2's plain result", 200, b'{"id": 7, "result": 1}', UNKNOWN, Detail.BAD_BODY),
    ("somebody else's answer", 200, result(result=1).replace(b"7", b"8"), UNKNOWN,
     Detail.BAD_BODY),
]  # fmt: skip


@pytest.mark.parametrize(
    ("status", "body", "outcome", "detail"),
    [a[1:] for a in ANSWERS],
    ids=[a[0] for a in ANSWERS],
)
def test_an_answer_is_classified(status, body, outcome, detail):
    answer = of_response(status, body, 7)
    assert (answer.outcome, answer.detail) == (outcome, detail)


@pytest.mark.parametrize(
    ("progress", "timed_out", "broken"),
    [
        (
            Progress.NOTHING_SENT,
            (REFUSED, Detail.CONNECT_TIMEOUT),
            (REFUSED, Detail.CONNECT_REFUSED),
        ),
        (Progress.SENT, (UNKNOWN, Detail.TIMEOUT), (UNKNOWN, Detail.RESET)),
        (Progress.ANSWER_BEGUN, (UNKNOWN, Detail.TIMEOUT), (UNKNOWN, Detail.INCOMPLETE_BODY)),
    ],
)
def test_only_what_was_never_sent_is_refused(progress, timed_out, broken):
    for answer, expected in ((of_timeout(progress), timed_out), (of_break(progress), broken)):
        assert (answer.outcome, answer.detail) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [(5, 5), ([5], 5), (True, None), (False, None), (None, None), ([], None), ("5", None)],
)
def test_a_create_must_answer_an_id(value, expected):
    answer = new_id(Answer(ACKED, result=value))
    assert (answer.result if answer.acked else None) == expected
    assert answer.acked or (answer.outcome, answer.detail) == (UNKNOWN, Detail.BAD_BODY)


def test_a_wizard_is_not_a_done_transfer():
    assert done(Answer(ACKED, result=True)).acked
    assert done(Answer(ACKED, result={"res_model": "stock.immediate.transfer"})).outcome is UNKNOWN
    refused = Answer(REFUSED, Detail.USER_ERROR)
    assert done(refused) is refused
    assert new_id(refused) is refused
