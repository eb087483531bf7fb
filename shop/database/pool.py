"""A small pool of connections that notices dead backends and comes back by itself.

No request waits for a dead database: while nothing can be reached, requests fail at once with
the last error, and one background task knocks until a writable node answers.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import socket
import time
import weakref
from typing import TYPE_CHECKING

import psycopg

from shop.database.connect import connect, each_host
from shop.errors import DatabaseDown

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from shop.database.connect import Connection

KNOCK_EVERY_S = 0.1
LOOK_AGAIN_AFTER_S = 0.01
JOIN_S = 0.1
WAIT_FOR_TURN_S = 3.0
CONNECT_WITHIN_S = 2.5


class Pool:
    """Up to `size` connections, the most recently used first.

    `refresh` is asked when a connection is refused: the secret may have been renewed.
    """

    def __init__(self, dsn: str, size: int = 10, refresh: Callable[[], bool] = bool) -> None:
        self._hosts = each_host(dsn)
        self._refresh = refresh
        self._idle: list[Connection] = []
        self._current: weakref.WeakSet[Connection] = weakref.WeakSet()  # made with today's DSN
        self._turns = asyncio.Semaphore(size)
        self._failure: Exception | None = None
        self._failed_s = 0.0
        self._knocker: asyncio.Task[None] | None = None
        self._attempt: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def is_down(self) -> bool:
        return self._failure is not None

    def turn_to(self, dsn: str) -> None:
        """Connect like this from now on. What is in use is used to its end, and then no more."""
        hosts = each_host(dsn)
        if hosts != self._hosts:
            self._hosts = hosts
            self._current.clear()
            self.distrust()

    @contextlib.asynccontextmanager
    async def connection(self, within_s: float) -> AsyncIterator[Connection]:
        """One connection for one unit of work; broken ones are not given back."""
        if self._failure is not None:
            await self._look_again()
        deadline = time.monotonic() + within_s
        try:
            async with asyncio.timeout(min(WAIT_FOR_TURN_S, within_s)):
                await self._turns.acquire()
        except TimeoutError:
            raise DatabaseDown("The Connection Pool Is Full") from None
        try:
            taken = await self._take(deadline - time.monotonic())
            try:
                yield taken
            finally:
                self._give_back(taken)
        finally:
            self._turns.release()

    async def _take(self, within_s: float) -> Connection:
        while self._idle:
            candidate = self._idle.pop()
            if is_alive(candidate):
                return candidate
            candidate.pgconn.finish()
        if self._failure is not None:
            raise DatabaseDown(str(self._failure))
        try:
            async with asyncio.timeout(min(CONNECT_WITHIN_S, within_s)):
                return await self._connect()
        except (psycopg.Error, OSError, TimeoutError) as error:
            self._fell(error if str(error) else psycopg.OperationalError("timeout expired"))
            raise DatabaseDown(str(self._failure)) from error

    async def _connect(self) -> Connection:
        """With the secret of now: where that was renewed meanwhile, once more with the new one."""
        while True:
            hosts = self._hosts
            try:
                made = await connect(hosts)
            except (psycopg.Error, OSError):
                self._refresh()
                if hosts is self._hosts:
                    raise
                continue
            if hosts is self._hosts:
                self._current.add(made)
                return made
            made.pgconn.finish()

    def _give_back(self, taken: Connection) -> None:
        idle = psycopg.pq.TransactionStatus.IDLE
        current = taken in self._current and not self._closed
        if not current or taken.closed or taken.pgconn.transaction_status != idle:
            taken.pgconn.finish()
        else:
            self._idle.append(taken)

    def _fell(self, error: Exception) -> None:
        """Nothing answers: fail fast from now on, and knock in the background."""
        self._failure = error
        self._failed_s = time.monotonic()
        if self._knocker is None and not self._closed:
            self._knocker = asyncio.create_task(self._knock())

    async def _knock(self) -> None:
        while self._failure is not None and not self._closed:
            await asyncio.wait({self._try_once()})
            if self._failure is not None:
                await asyncio.sleep(KNOCK_EVERY_S)
        self._knocker = None

    def _try_once(self) -> asyncio.Task[None]:
        """The one attempt that is under way, or a new one."""
        if self._attempt is None or self._attempt.done():
            self._attempt = asyncio.create_task(self._attempted())
        return self._attempt

    async def _attempted(self) -> None:
        try:
            async with asyncio.timeout(CONNECT_WITHIN_S):
                self._idle.append(await self._connect())
        except (psycopg.Error, OSError, TimeoutError) as error:
            self._failure = error if str(error) else psycopg.OperationalError("timeout expired")
            self._failed_s = time.monotonic()
        else:
            self._failure = None

    async def _look_again(self) -> None:
        """A request may be the first to see the database back, but waits for nothing long."""
        for _ in range(2):  # the attempt under way may be older than the request
            if self._failure is None or time.monotonic() - self._failed_s < LOOK_AGAIN_AFTER_S:
                break
            await asyncio.wait({self._try_once()}, timeout=JOIN_S)
        if self._failure is not None:
            raise DatabaseDown(str(self._failure))

    def distrust(self) -> None:
        """A statement was given up: connections to the same silent server would hang as well."""
        while self._idle:
            self._idle.pop().pgconn.finish()

    async def close(self) -> None:
        self._closed = True
        if self._knocker is not None:
            self._knocker.cancel()
        self.distrust()


def is_alive(connection: Connection) -> bool:
    """An idle connection has nothing to say: a readable one was closed by the other side."""
    if connection.closed:
        return False
    poller = select.poll()
    poller.register(connection.pgconn.socket, select.POLLIN | select.POLLHUP | select.POLLERR)
    return not poller.poll(0)


def cut(connection: Connection) -> None:
    """End a connection under a statement that nobody waits for any longer.

    A cancel request would need the very server that does not answer. Shutting the socket wakes
    the waiting task with an ordinary error, and the server finds out when it writes.
    """
    with (
        contextlib.suppress(OSError),
        socket.socket(fileno=os.dup(connection.pgconn.socket)) as twin,
    ):
        twin.shutdown(socket.SHUT_RDWR)
