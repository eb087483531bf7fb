"""Whatever an Odoo or something before it answers: acknowledged is only what says so, whole."""

from __future__ import annotations

import json
import os

from hypothesis import given, settings
from hypothesis import strategies as st
from mutations import VALUES, damaged

from harness.core.operation import Outcome
from load.classify import Answer, of_error, of_response

OFTEN = settings(
    max_examples=int(os.environ.get("PEAKDRILL_FUZZ", "150")) * 4, deadline=None, derandomize=True
)
ID = 4711
SOUND = json.dumps({"jsonrpc": "2.0", "id": ID, "result": [17, {"state": "sale"}]}).encode()
REFUSED = json.dumps(
    {
        "jsonrpc": "2.0",
        "id": ID,
        "error": {
            "code": 200,
            "message": "Odoo Server Error",
            "data": {"name": "odoo.exceptions.UserError", "message": "no"},
        },
    }
).encode()


def obvious(status: int, body: bytes) -> bool:
    """Acknowledged, by a slow and literal reading of the definition."""
    if status != 200:
        return False
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return False
    return (
        isinstance(value, dict)
        and value.get("jsonrpc") == "2.0"
        and value.get("id") == ID
        and "error" not in value
    )


def holds(status: int, body: bytes) -> Answer:
    answer = of_response(status, body, ID)
    assert answer.acked == obvious(status, body)
    if answer.acked:
        assert repr(answer.result) == repr(json.loads(body).get("result"))
    if answer.outcome is Outcome.REFUSED:
        assert b"odoo.exceptions." in body or b"psycopg2." in body
        assert status == 200
    return answer


@OFTEN
@given(
    status=st.sampled_from([200, 200, 200, 404, 500, 502, 503, 302]), body=st.binary(max_size=300)
)
def test_any_bytes(status: int, body: bytes) -> None:
    holds(status, body)


@OFTEN
@given(body=damaged(SOUND))
def test_a_damaged_acknowledgement(body: bytes) -> None:
    holds(200, body)


@OFTEN
@given(body=damaged(REFUSED))
def test_a_damaged_refusal_is_never_an_acknowledgement_of_what_it_refused(body: bytes) -> None:
    answer = holds(200, body)
    if answer.acked:
        assert b'"error"' not in body


@OFTEN
@given(value=VALUES)
def test_any_json(value: object) -> None:
    holds(200, json.dumps({"jsonrpc": "2.0", "id": ID, "error": value}).encode())
    assert of_error(value).outcome in (Outcome.UNKNOWN, Outcome.REFUSED)
    holds(200, json.dumps(value).encode())


@OFTEN
@given(
    body=st.sampled_from(
        [
            b" {}",
            b"\xef\xbb\xbf{}",
            b'{"' + b"\xff",
            b'{"a": 1} x',
            b"[" * 3000,
            b'{"a":' * 2000,
            b'"' + b"\\u0000" * 500 + b'"',
            b"1e999999",
        ]
    )
)
def test_what_no_parser_likes(body: bytes) -> None:
    holds(200, body)
    holds(200, b'{"jsonrpc": "2.0", "id": 4711, "result": ' + body)
