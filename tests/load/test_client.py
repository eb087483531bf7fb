"""The client against a server that breaks in every way, and counts what it was sent."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import struct
import threading
from pathlib import Path

import pytest

from harness.core.operation import Detail, Outcome
from load.odoo import Odoo
from load.password import Password
from load.plan import Application
from load.stream import Stream

REFUSED, UNKNOWN, ACKED = Outcome.REFUSED, Outcome.UNKNOWN, Outcome.ACKED


def reset(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def answer_to(request: bytes, value: object = 1) -> bytes:
    number = int(re.search(rb'"id":(\d+)', request)[1])
    body = json.dumps({"jsonrpc": "2.0", "id": number, "result": value}).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


class Server:
    """Answers request n the n-th way; the last way goes on."""

    def __init__(self, *ways) -> None:
        self.ways, self.requests, self.connections = ways, [], 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.open: list[socket.socket] = []
        self.threads = [threading.Thread(target=self.accept, daemon=True)]
        self.threads[0].start()

    def accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self.listener.accept()
                self.connections += 1
                self.open.append(sock)
                self.threads.append(threading.Thread(target=self.serve, args=[sock], daemon=True))
                self.threads[-1].start()

    def serve(self, sock: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while request := self.read(sock):
                self.requests.append(request)
                way = self.ways[min(len(self.requests), len(self.ways)) - 1]
                way(sock, request)

    def read(self, sock: socket.socket) -> bytes:
        data = b""
        while block := sock.recv(65536):
            data += block
            head, found, body = data.partition(b"\r\n\r\n")
            length = re.search(rb"Content-Length: (\d+)", head)
            if found and len(body) >= int(length[1]):
                return data
        return b""

    def close(self) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for sock in self.open:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()
        for thread in self.threads:
            thread.join(10)


def well(sock, request) -> None:
    sock.sendall(answer_to(request))


def one_byte_at_a_time(sock, request) -> None:
    for byte in answer_to(request):
        sock.sendall(bytes((byte,)))


def chunked(sock, request) -> None:
    body = answer_to(request).partition(b"\r\n\r\n")[2]
    chunks = b"".join(b"%x\r\n%b\r\n" % (1, body[i : i + 1]) for i in range(len(body)))
    sock.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n")


def until_closed(sock, request) -> None:
    body = answer_to(request).partition(b"\r\n\r\n")[2]
    sock.sendall(b"HTTP/1.0 200 OK\r\nConnection: close\r\n\r\n" + body)
    sock.shutdown(socket.SHUT_RDWR)


def resets(sock, request) -> None:
    reset(sock)


def closes(sock, request) -> None:
    sock.shutdown(socket.SHUT_RDWR)


def half_a_head(sock, request) -> None:
    sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Le")
    sock.shutdown(socket.SHUT_RDWR)


def half_a_body(sock, request) -> None:
    sock.sendall(answer_to(request)[:-5])
    sock.shutdown(socket.SHUT_RDWR)


def half_a_body_then_reset(sock, request) -> None:
    sock.sendall(answer_to(request)[:-5])
    reset(sock)


def hangs(sock, request) -> None:
    pass


def half_a_body_then_hangs(sock, request) -> None:
    sock.sendall(answer_to(request)[:-5])


def garbage(sock, request) -> None:
    sock.sendall(b"\x16\x03\x01 this is not HTTP\r\n\r\n")
    sock.shutdown(socket.SHUT_RDWR)


def unavailable(sock, request) -> None:
    sock.sendall(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\n\r\nno")


@pytest.fixture
def serve():
    servers = []

    def make(*ways) -> Server:
        servers.append(Server(*ways))
        return servers[-1]

    yield make
    for server in servers:
        server.close()


@pytest.fixture
def client():
    clients = []

    def make(port: int, *, timeout_s: float = 20.0) -> Odoo:
        where = Application(
            f"http://127.0.0.1:{port}", "shop", "admin", Path("none"), 19, timeout_s
        )
        clients.append(Odoo(where, Password("secret"), uid=2))
        return clients[-1]

    yield make
    for made in clients:
        made.close()


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


def test_connections_are_kept_alive(serve, client):
    server = serve(well)
    odoo = client(server.port)
    assert all(create(odoo).acked for _ in range(20))
    assert server.connections == 1


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
