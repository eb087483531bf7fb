"""One unit of work on one connection: statements, transactions, retries, a deadline.

A hot path is one statement, and so its own transaction; everything else runs in REPEATABLE
READ, like Odoo, and is tried up to five times when it meets another one's update.
"""

from __future__ import annotations

import asyncio
import random
import time
from contextvars import ContextVar
from typing import TYPE_CHECKING, TypeVar

import psycopg
from psycopg import errors as pg

from shop.database.failures import translate
from shop.database.pool import cut
from shop.errors import ConnectionLost, OdooError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from shop.database.connect import Connection
    from shop.database.pool import Pool

Row = tuple[object, ...]
Result = TypeVar("Result")

TRIES = 5
DEADLINE_S = 4.6
MIN_S = 0.05
# When the request at hand must be answered, on the monotonic clock; 0 outside of requests.
answer_by_s: ContextVar[float] = ContextVar("answer_by_s", default=0.0)
RETRY_BASE_S = 0.01
RETRIED = (pg.SerializationFailure, pg.DeadlockDetected)
CUT_SHORT = "canceling wait for synchronous replication"


class Session:
    """The statements of one call. Answers are lists of tuples."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.half_committed = False

    async def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        cursor = self._connection.cursor(binary=False)
        await cursor.execute(sql.encode(), parameters or None)
        return await cursor.fetchall() if cursor.description else []

    async def row(self, sql: str, parameters: Sequence[object] = ()) -> Row | None:
        rows = await self.rows(sql, parameters)
        return rows[0] if rows else None

    async def value(self, sql: str, parameters: Sequence[object] = ()) -> object:
        row = await self.row(sql, parameters)
        return row[0] if row else None

    def noticed(self, diagnostic: psycopg.errors.Diagnostic) -> None:
        """A commit that was cut short of its standby is committed here, and nowhere else."""
        if (diagnostic.message_primary or "").startswith(CUT_SHORT):
            self.half_committed = True


async def run(pool: Pool, work: Callable[[Session], Awaitable[Result]], *, atomic: bool) -> Result:
    """Do `work`; what it returns is committed when this returns, and never before."""
    deadline = answer_by_s.get() or time.monotonic() + DEADLINE_S
    for attempt in range(1, TRIES + 1):
        try:
            async with pool.connection(max(MIN_S, deadline - time.monotonic())) as connection:
                left_s = max(MIN_S, deadline - time.monotonic())
                return await _within(pool, left_s, connection, work, atomic=atomic)
        except RETRIED as error:
            if attempt == TRIES or time.monotonic() > deadline:
                raise translate(error) from error
        except psycopg.Error as error:
            raise translate(error) from error
        await asyncio.sleep(random.uniform(0, RETRY_BASE_S * 2**attempt))
    raise AssertionError("the loop above returns or raises")


async def _within(
    pool: Pool,
    left_s: float,
    connection: Connection,
    work: Callable[[Session], Awaitable[Result]],
    *,
    atomic: bool,
) -> Result:
    session = Session(connection)
    given_up = False

    def give_up() -> None:
        nonlocal given_up
        given_up = True
        cut(connection)

    connection.add_notice_handler(session.noticed)
    alarm = asyncio.get_running_loop().call_later(left_s, give_up)
    try:
        if atomic:
            await connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
            result = await work(session)
            await connection.execute("COMMIT")
        else:
            result = await work(session)
    except (psycopg.Error, OdooError) as error:
        if given_up or isinstance(error, pg.ReadOnlySqlTransaction):
            pool.distrust()
            if not connection.closed:
                cut(connection)
        if connection.closed:
            raise ConnectionLost from error
        if atomic:
            await connection.execute("ROLLBACK")
        raise
    finally:
        alarm.cancel()
        connection.remove_notice_handler(session.noticed)
    if session.half_committed:
        raise ConnectionLost("the commit was cut short of its standby")
    return result
