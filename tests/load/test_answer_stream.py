"""Our reading of an HTTP answer beside the library's own class, split at every byte."""

from __future__ import annotations

from itertools import pairwise

import pytest
from geventhttpclient.response import HTTPParseError, HTTPResponse
from hypothesis import given, settings
from hypothesis import strategies as st

from load.answer_stream import AnswerStream

BODY = b'{"jsonrpc":"2.0","id":7,"result":[1,"\xc3\xa9"]}'
LENGTH = b"Content-Length: %d\r\n" % len(BODY)
OK = b"HTTP/1.1 200 OK\r\n"
PLAIN = OK + LENGTH + b"\r\n" + BODY
CHUNKED = (
    OK
    + b"Transfer-Encoding: chunked\r\n\r\n5;x=y\r\n"
    + BODY[:5]
    + b"\r\n%x\r\n" % len(BODY[5:])
    + BODY[5:]
    + b"\r\n0\r\nTrailer: t\r\n\r\n"
)
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
ANSWERS = {
    "plain": PLAIN,
    "as Odoo's": OK
    + b"Server: Werkzeug/3.0 Python/3.12\r\nDate: Sat, 28 Nov 2026 10:00:00 GMT\r\n"
    + b"Set-Cookie: session_id=a; Path=/\r\nContent-Type: application/json; charset=utf-8\r\n"
    + LENGTH + b"\r\n" + BODY,
    "odd case and spaces": OK + b"cOnTeNt-LeNgTh:   %d  \r\nX:\r\n\r\n" % len(BODY) + BODY,
    "chunked": CHUNKED,
    "to be closed": OK + b"Connection: close\r\n" + LENGTH + b"\r\n" + BODY,
    "until closed": OK + b"\r\n" + BODY,
    "1.0": b"HTTP/1.0 200 OK\r\n" + LENGTH + b"\r\n" + BODY,
    "1.0, kept": b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n" + LENGTH + b"\r\n" + BODY,
    "empty": OK + b"Content-Length: 0\r\n\r\n",
    "without a body": b"HTTP/1.1 204 No Content\r\n\r\n",
    "503": b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\n\r\nno",
    "404, chunked": b"HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n",
    "after 100": CONTINUE + PLAIN,
    "after 100 and 103": CONTINUE + b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + CHUNKED,
    "two lengths": OK + LENGTH + b"Content-Length: 3\r\n\r\n" + BODY,
    "a length and chunks": OK + LENGTH + b"Transfer-Encoding: chunked\r\n\r\n" + BODY,
    "no number": OK + b"Content-Length: many\r\n\r\n" + BODY,
    "negative": OK + b"Content-Length: -1\r\n\r\n" + BODY,
    "a chunk of no number": OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nab\r\n0\r\n\r\n",
    "no HTTP": b"\x16\x03\x01\x00 this is not HTTP\r\n\r\n",
    "only 100": CONTINUE,
}  # fmt: skip


def library_s(blocks: list[bytes]) -> tuple[object, ...]:
    """The same by the library's class, which is fed until it has a final answer."""
    answer = HTTPResponse("POST")
    try:
        for block in blocks:
            answer.feed(block)
            if answer.message_complete and answer.get_code() >= 200:
                body = bytes(answer._body_buffer)
                return (True, answer.get_code(), body, not answer.should_close())
    except HTTPParseError:
        return (False,)
    return (False,)


def ours(blocks: list[bytes]) -> tuple[object, ...]:
    answer = AnswerStream()
    try:
        for block in blocks:
            answer.feed(block)
            if answer.whole:
                return (True, answer.get_code(), answer.body, answer.reusable)
    except HTTPParseError:
        return (False,)
    return (False,)


@pytest.mark.parametrize("name", ANSWERS)
def test_split_anywhere_it_is_read_as_the_library_reads_it(name):
    raw = ANSWERS[name]
    whole = library_s([raw, b""])
    assert ours([raw, b""]) == whole
    assert ours([bytes((byte,)) for byte in raw] + [b""]) == whole
    for at in range(1, len(raw)):
        assert ours([raw[:at], raw[at:], b""]) == library_s([raw[:at], raw[at:], b""])


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_that_is_cut_off_is_whole_only_where_the_library_takes_its_end_for_one(name):
    raw = ANSWERS[name]
    for at in range(len(raw)):
        assert ours([raw[:at], b""]) == library_s([raw[:at], b""])
        if name in ("plain", "as Odoo's", "chunked", "after 100"):
            assert ours([raw[:at], b""]) == (False,)


@pytest.mark.parametrize(
    "beyond", [b"x", b"garbage", PLAIN, PLAIN[:9], CONTINUE, b"\x00", b"HTTP/1.1"]
)
@pytest.mark.parametrize("answer", [PLAIN, CHUNKED, CONTINUE + PLAIN])
def test_what_is_more_than_one_answer_is_none(answer, beyond):
    assert ours([answer + beyond]) == (False,)
    for at in range(1, len(answer)):
        assert ours([answer[:at], answer[at:] + beyond]) == (False,)


def test_what_comes_after_a_whole_answer_is_nobody_s():
    answer = AnswerStream()
    answer.feed(PLAIN)
    assert answer.whole
    with pytest.raises(HTTPParseError):
        answer.feed(PLAIN)


@settings(max_examples=400, deadline=None, derandomize=True)
@given(
    name=st.sampled_from([n for n in ANSWERS if "100" not in n]),
    at=st.integers(0, 300),
    gone=st.integers(0, 3),
    instead=st.binary(max_size=3),
    cuts=st.lists(st.integers(1, 300), max_size=4),
)
def test_damaged_it_is_never_taken_for_whole_where_the_library_does_not(
    name, at, gone, instead, cuts
):
    raw = ANSWERS[name]
    at %= len(raw)
    raw = raw[:at] + instead + raw[at + gone :]
    edges = sorted({cut % len(raw) for cut in cuts if raw} | {0, len(raw)})
    blocks = [raw[a:b] for a, b in pairwise(edges)] + [b""]
    mine, theirs = ours(blocks), library_s(blocks)
    if mine != theirs:  # only where there was more than one message: the library joins them
        assert mine == (False,)
        assert raw.count(b"HTTP/") > 1
