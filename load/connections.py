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
from collections import deque
from collections.abc import Callable
from typing import Any

import gevent
import gevent.socket
import gevent.ssl
from gevent.monkey import get_original

_poll = get_original("select", "poll")  # gevent's own takes no fd beyond 1023
_POLLIN = 1
_READABLE = 1  # libev's name for it
_BLOCK_BYTES = 65536

IDLE_LIMIT_S = 2.0  # shorter than the keep-alive of any server that we know (uvicorn: 5 s)


class Connection:
    """A socket, with what is needed to wait for it and to look at it, made once."""

    __slots__ = ("_poller", "_sock", "_wait", "_watcher", "idle_since_s", "recv", "send", "sendall")

    def __init__(self, sock: socket.socket) -> None:
        self._sock, self.idle_since_s = sock, 0.0
        self.send, self.sendall, self.recv = sock.send, sock.sendall, sock.recv
        self._poller = _poll()
        self._poller.register(sock.fileno(), _POLLIN)
        self._watcher: Any = None
        hub = gevent.get_hub()
        if not isinstance(sock, ssl.SSLSocket):  # there, bytes may wait where no poll sees them
            self._watcher = hub.loop.io(sock.fileno(), _READABLE)
        self._wait = hub.wait

    def first(self) -> bytes:
        """What comes first, which is never there yet: wait, then read. Empty at its end."""
        if self._watcher is not None:
            self._wait(self._watcher)
        block: bytes = self.recv(_BLOCK_BYTES)
        return block

    def more(self) -> bytes:
        """What comes next, which may be there already."""
        block: bytes = self.recv(_BLOCK_BYTES)
        return block

    def quiet(self) -> bool:
        """Nothing has arrived on it: neither an end nor stray bytes."""
        return not self._poller.poll(0)

    def close(self) -> None:
        if self._watcher is not None:
            self._watcher.close()  # before its descriptor can be another's
        self._sock.close()


class Connections:
    """`take`, then `keep` for the next call, or close."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        tls: ssl.SSLContext | None = None,
        greet: Callable[[socket.socket], None] | None = None,
    ) -> None:
        self._host, self._port, self._tls, self._greet = host, port, tls, greet
        self._idle: deque[Connection] = deque()  # longest idle first
        try:
            ipaddress.ip_address(host)
            self._literal = True
        except ValueError:
            self._literal = False

    def take(self) -> Connection:
        """A connection that was alive a moment ago, or a new one. Raises OSError."""
        while self._idle:
            connection = self._idle.pop()
            if time.monotonic() - connection.idle_since_s > IDLE_LIMIT_S:
                self.close()  # the others have been idle for longer still
                connection.close()
            elif connection.quiet():
                return connection
            else:
                connection.close()
        return Connection(self._connect())

    def keep(self, connection: Connection) -> None:
        """For the next call. Those of a busier hour, which nobody will take again, are closed."""
        now_s = connection.idle_since_s = time.monotonic()
        self._idle.append(connection)
        while now_s - self._idle[0].idle_since_s > IDLE_LIMIT_S:
            self._idle.popleft().close()

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()

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
