"""One unit of work on one connection: statements, transactions, retries, a deadline.

A hot path is one statement, and so its own transaction; everything else runs in REPEATABLE
READ, like Odoo, and is tried up to five times when it meets another one's update.
"""

from __future__ import annotations

import asyncio
import random
import time
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
    deadline = time.monotonic() + DEADLINE_S
    for attempt in range(1, TRIES + 1):
        try:
            async with pool.connection() as connection:
                left_s = max(0.1, deadline - time.monotonic())
                return await _within(left_s, connection, work, atomic=atomic)
        except RETRIED as error:
            if attempt == TRIES or time.monotonic() > deadline:
                raise translate(error) from error
        except psycopg.Error as error:
            raise translate(error) from error
        await asyncio.sleep(random.uniform(0, RETRY_BASE_S * 2**attempt))
    raise AssertionError("the loop above returns or raises")


async def _within(
    left_s: float,
    connection: Connection,
    work: Callable[[Session], Awaitable[Result]],
    *,
    atomic: bool,
) -> Result:
    session = Session(connection)
    connection.add_notice_handler(session.noticed)
    alarm = asyncio.get_running_loop().call_later(left_s, cut, connection)
    try:
        if atomic:
            await connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
            result = await work(session)
            await connection.execute("COMMIT")
        else:
            result = await work(session)
    except (psycopg.Error, OdooError) as error:
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
