"""Keep-alive connections to one address, handed out newest first.

geventhttpclient has a pool of its own. This one differs where an instrument must: it never
makes a caller wait, it never re-sends, it tells a call whether its first byte went out, and
it drops a connection that was idle for longer than a server may keep it, because the reset
of such a connection would look like trouble on a healthy platform.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import time
from collections.abc import Callable

import gevent.socket
import gevent.ssl
from gevent.monkey import get_original

_poll = get_original("select", "poll")  # gevent's own takes no fd beyond 1023
_POLLIN = 1

IDLE_LIMIT_S = 2.0  # shorter than the keep-alive of any server that we know (uvicorn: 5 s)


class Connections:
    """`return_socket` and `release_socket` are the names that geventhttpclient calls."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        tls: ssl.SSLContext | None = None,
        greet: Callable[[socket.socket], None] | None = None,
    ) -> None:
        self._host, self._port, self._tls, self._greet = host, port, tls, greet
        self._idle: list[tuple[float, socket.socket]] = []
        try:
            ipaddress.ip_address(host)
            self._literal = True
        except ValueError:
            self._literal = False

    def take(self) -> socket.socket:
        """A connection that was alive a moment ago, or a new one. Raises OSError."""
        while self._idle:
            since, sock = self._idle.pop()
            if time.monotonic() - since > IDLE_LIMIT_S:
                self.close()  # the others have been idle for longer still
                sock.close()
            elif _quiet(sock):
                return sock
            else:
                sock.close()
        return self._connect()

    def return_socket(self, sock: socket.socket) -> None:
        self._idle.append((time.monotonic(), sock))

    def release_socket(self, sock: socket.socket) -> None:
        sock.close()

    def close(self) -> None:
        while self._idle:
            self._idle.pop()[1].close()

    def _connect(self) -> socket.socket:
        sock = self._open()
        try:
            sock.setsockopt(gevent.socket.IPPROTO_TCP, gevent.socket.TCP_NODELAY, 1)
            if self._tls is not None:
                sock = gevent.ssl.SSLSocket(sock, server_hostname=self._host, _context=self._tls)
            if self._greet is not None:
                self._greet(sock)
        except BaseException:
            sock.close()
            raise
        return sock

    def _open(self) -> socket.socket:
        if not self._literal:  # resolved every time: a failover may move the name
            named: socket.socket = gevent.socket.create_connection((self._host, self._port))
            return named
        family = gevent.socket.AF_INET6 if ":" in self._host else gevent.socket.AF_INET
        sock: socket.socket = gevent.socket.socket(family, gevent.socket.SOCK_STREAM)
        try:
            sock.connect((self._host, self._port))
        except BaseException:
            sock.close()
            raise
        return sock


def _quiet(sock: socket.socket) -> bool:
    """Nothing has arrived on it: neither an end nor stray bytes."""
    poller = _poll()
    poller.register(sock.fileno(), _POLLIN)
    return not poller.poll(0)
