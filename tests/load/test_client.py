"""The client against a server that breaks in every way, and counts what it was sent."""

from __future__ import annotations

import contextlib
import json
import socket
import threading

import pytest
from breaking_server import (
    after_an_interim_one,
    another_s,
    chunked,
    closes,
    created,
    garbage,
    half_a_body,
    half_a_body_then_hangs,
    half_a_body_then_reset,
    half_a_head,
    hangs,
    less_than_its_length,
    more_than_its_length,
    not_found,
    one_byte_at_a_time,
    only_an_interim_one,
    resets,
    twice,
    two_lengths,
    unavailable,
    until_closed,
    well,
)

from harness.core.operation import Detail, Outcome
from load.odoo import Odoo
from load.password import Password
from load.stream import Stream

REFUSED, UNKNOWN, ACKED = Outcome.REFUSED, Outcome.UNKNOWN, Outcome.ACKED


def create(odoo: Odoo, **more):
    return odoo.call("sale.order", "create", [{"client_order_ref": "pd-r-0-0"}], **more)


@pytest.mark.parametrize(
    ("way", "outcome", "details"),
    [
        (well, ACKED, {Detail.NONE}),
        (one_byte_at_a_time, ACKED, {Detail.NONE}),
        (chunked, ACKED, {Detail.NONE}),
        (until_closed, ACKED, {Detail.NONE}),
        (resets, UNKNOWN, {Detail.RESET}),
        (closes, UNKNOWN, {Detail.RESET}),
        (half_a_head, UNKNOWN, {Detail.INCOMPLETE_BODY}),
        (half_a_body, UNKNOWN, {Detail.INCOMPLETE_BODY}),
        (half_a_body_then_reset, UNKNOWN, {Detail.INCOMPLETE_BODY, Detail.RESET}),
        (garbage, UNKNOWN, {Detail.INCOMPLETE_BODY}),
        (unavailable, UNKNOWN, {Detail.HTTP_503_SHED}),
        (after_an_interim_one, ACKED, {Detail.NONE}),
        (only_an_interim_one, UNKNOWN, {Detail.INCOMPLETE_BODY}),
        (twice, UNKNOWN, {Detail.INCOMPLETE_BODY}),
        (more_than_its_length, UNKNOWN, {Detail.INCOMPLETE_BODY}),
        (less_than_its_length, UNKNOWN, {Detail.INCOMPLETE_BODY}),
        (two_lengths, UNKNOWN, {Detail.INCOMPLETE_BODY}),
        (another_s, UNKNOWN, {Detail.BAD_BODY}),
        (not_found, UNKNOWN, {Detail.HTTP_4XX}),
        (created, UNKNOWN, {Detail.BAD_BODY}),
    ],
)
def test_one_call_one_request_one_outcome(serve, client, way, outcome, details):
    server = serve(way)
    answer = create(client(server.port))
    assert answer.outcome is outcome
    assert answer.detail in details
    assert len(server.requests) == 1


@pytest.mark.parametrize("way", [hangs, half_a_body_then_hangs])
def test_a_time_out_after_the_first_byte_is_unknown(serve, client, way):
    server = serve(way)
    answer = create(client(server.port), timeout_s=0.05)
    assert (answer.outcome, answer.detail) == (UNKNOWN, Detail.TIMEOUT)


def test_a_refused_connection_is_refused(client):
    with socket.create_server(("127.0.0.1", 0)) as s:
        port = s.getsockname()[1]
    answer = create(client(port))
    assert (answer.outcome, answer.detail) == (REFUSED, Detail.CONNECT_REFUSED)


def test_a_connection_that_is_never_accepted_is_refused(client):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        waiting: list[socket.socket] = []
        with contextlib.suppress(TimeoutError):  # fill the queue: what comes after it hangs
            waiting.extend(
                socket.create_connection(("127.0.0.1", port), timeout=0.2) for _ in range(2)
            )
        answer = create(client(port), timeout_s=0.1)
        assert (answer.outcome, answer.detail) == (REFUSED, Detail.CONNECT_TIMEOUT)
        for sock in waiting:
            sock.close()


def test_what_is_sent_is_json_rpc(serve, client):
    server = serve(well)
    odoo = client(server.port)
    odoo.call("res.partner", "search", [[["name", "=", 'Łukasz "q"']]], {"limit": 1})
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /jsonrpc HTTP/1.1\r\n")
    assert json.loads(body) == {
        "jsonrpc": "2.0",
        "method": "call",
        "id": 1,
        "params": {
            "service": "object",
            "method": "execute_kw",
            "args": [
                "shop", 2, "secret", "res.partner", "search",
                [[["name", "=", 'Łukasz "q"']]], {"limit": 1},
            ],
        },
    }  # fmt: skip


def queue_says(*replies: bytes):
    """A queue that answers each command with the next reply."""
    left = list(replies)

    def serve(listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            sock, _ = listener.accept()
            with sock:
                while left and sock.recv(65536):
                    sock.sendall(left.pop(0))

    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=serve, args=[listener], daemon=True)
    thread.start()
    return listener, thread


@pytest.mark.parametrize(
    ("password", "replies", "outcome", "detail"),
    [
        ("", [b"$15\r\n1700000000000-0\r\n"], ACKED, Detail.NONE),
        ("s", [b"+OK\r\n", b"$15\r\n1700000000000-0\r\n"], ACKED, Detail.NONE),
        ("s", [b"-WRONGPASS no\r\n"], REFUSED, Detail.ACCESS_DENIED),
        ("", [b"-READONLY You can't write against a read only replica.\r\n"], UNKNOWN,
         Detail.OTHER_ERROR),
        ("", [b"-LOADING\r\n"], UNKNOWN, Detail.OTHER_ERROR),
        ("", [b"$-1\r\n"], UNKNOWN, Detail.OTHER_ERROR),
        ("", [], UNKNOWN, Detail.RESET),
    ],
)  # fmt: skip
def test_the_queue_s_answers(password, replies, outcome, detail):
    listener, thread = queue_says(*replies)
    with listener:
        stream = Stream(
            f"redis://127.0.0.1:{listener.getsockname()[1]}", Password(password), timeout_s=20
        )
        answer = stream.add("marketplace:orders", "order", "{}")
        assert (answer.outcome, answer.detail) == (outcome, detail)
        stream.close()
    thread.join(10)
