"""Connections that are kept: when they are used again, and by whom."""

from __future__ import annotations

import contextlib
import re
import socket
import threading

import gevent
import pytest
from breaking_server import (
    answer_to,
    half_a_body_then_hangs,
    hangs,
    resets,
    twice,
    two_lengths,
    well,
)

from harness.core.operation import Detail, Outcome
from load.connections import IDLE_LIMIT_S, Connection, Connections
from load.odoo import Odoo

UNKNOWN = Outcome.UNKNOWN


def create(odoo: Odoo, **more):
    return odoo.call("sale.order", "create", [{"client_order_ref": "pd-r-0-0"}], **more)


def test_connections_are_kept_alive(serve, client):
    server = serve(well)
    odoo = client(server.port)
    assert all(create(odoo).acked for _ in range(20))
    assert server.connections == 1


def closed_afterwards(sock, request) -> None:
    sock.sendall(answer_to(request).replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))


@pytest.mark.parametrize("way", [closed_afterwards, twice, two_lengths, half_a_body_then_hangs])
def test_a_connection_that_is_not_clean_is_not_used_again(serve, client, way):
    server = serve(way, well)
    odoo = client(server.port)
    create(odoo, timeout_s=0.5)
    assert create(odoo).acked
    assert (server.connections, len(server.requests)) == (2, 2)


def test_many_at_once_each_get_their_own_answer(serve, client):
    server = serve(lambda sock, request: sock.sendall(answer_to(request, tag_of(request))))
    odoo = client(server.port)
    calls = [gevent.spawn(odoo.call, "m", "f", [f"tag-{n}"]) for n in range(30)]
    gevent.joinall(calls, timeout=60)
    assert [call.value.result for call in calls] == [f"tag-{n}" for n in range(30)]


def test_connections_of_a_busier_hour_are_closed_while_others_are_used(serve, monkeypatch):
    """Whoever takes the last one kept never comes to those that were kept before."""
    server = serve(hangs)
    pool = Connections("127.0.0.1", server.port)
    busy, later = [pool.take() for _ in range(5)], pool.take()
    for connection in busy:
        pool.keep(connection)
    for connection in busy:
        connection.idle_since_s -= IDLE_LIMIT_S + 1
    closed, close = [], Connection.close
    monkeypatch.setattr(Connection, "close", lambda self: (closed.append(self), close(self)))
    pool.keep(later)
    assert closed == busy
    assert pool.take() is later
    later.close()


def tag_of(request: bytes) -> str:
    return re.search(rb"tag-\d+", request)[0].decode()


def test_time_outs_of_two_lengths_hold_side_by_side(serve, client):
    server = serve(hangs)
    odoo = client(server.port)
    short = [gevent.spawn(create, odoo, timeout_s=0.05) for _ in range(5)]
    long = gevent.spawn(create, odoo, timeout_s=60)
    gevent.joinall(short, timeout=60)
    assert {call.value.detail for call in short} == {Detail.TIMEOUT}
    assert not long.ready()
    long.kill()


def test_a_kept_connection_that_was_closed_is_not_used(serve, client):
    server = serve(well)
    odoo = client(server.port)
    assert create(odoo).acked
    server.open[0].shutdown(socket.SHUT_RDWR)
    assert create(odoo).acked
    assert (server.connections, len(server.requests)) == (2, 2)


def test_a_reset_on_a_reused_connection_is_unknown_and_is_not_sent_again(serve, client):
    server = serve(well, resets, well)
    odoo = client(server.port)
    assert create(odoo).acked
    answer = create(odoo)
    assert (answer.outcome, answer.detail) == (UNKNOWN, Detail.RESET)
    assert create(odoo).acked
    assert (server.connections, len(server.requests)) == (2, 3)


def test_an_answer_after_the_time_out_is_not_taken_for_the_next_one(serve, client):
    answered = threading.Event()

    def late(sock, request) -> None:
        answered.wait(20)
        with contextlib.suppress(OSError):
            sock.sendall(answer_to(request, "late"))

    server = serve(late, well)
    odoo = client(server.port)
    assert create(odoo, timeout_s=0.05).outcome is UNKNOWN
    answered.set()
    assert create(odoo).result == 1
