"""A server that answers in every way, also in those that break; it counts what it was sent."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import struct
import threading


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


def after_an_interim_one(sock, request) -> None:
    sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    sock.sendall(answer_to(request))


def only_an_interim_one(sock, request) -> None:
    sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    sock.shutdown(socket.SHUT_RDWR)


def twice(sock, request) -> None:
    sock.sendall(answer_to(request) * 2)


def more_than_its_length(sock, request) -> None:
    sock.sendall(answer_to(request) + b"xyz")


def less_than_its_length(sock, request) -> None:
    sock.sendall(answer_to(request).replace(b"Content-Length: ", b"Content-Length: 1"))
    sock.shutdown(socket.SHUT_RDWR)


def two_lengths(sock, request) -> None:
    sock.sendall(answer_to(request).replace(b"\r\n\r\n", b"\r\nContent-Length: 3\r\n\r\n"))


def another_s(sock, request) -> None:
    sock.sendall(answer_to(b'"id":99'))


def not_found(sock, request) -> None:
    sock.sendall(answer_to(request).replace(b"200 OK", b"404 Not Found"))


def created(sock, request) -> None:
    sock.sendall(answer_to(request).replace(b"200 OK", b"201 Created"))


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
