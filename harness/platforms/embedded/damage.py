"""Garbage in a page of a live table, so that it is really there.

The order matters. First everything that could make PostgreSQL write the page again is brought
about and written (VACUUM, a scan that sets the hint bits, CHECKPOINT), then the garbage goes to
the file, then the buffers let go of their sound copy. The other way round, a dirty buffer is
written over the damage. What counts is the look afterwards: the server itself must refuse to read
the table.
"""

from __future__ import annotations

import time

import psycopg
from psycopg import sql

from harness.errors import FaultError, PeakdrillError
from harness.platforms.capabilities import Instant
from harness.platforms.embedded import corruption, postgres
from harness.platforms.embedded.corruption import Connection, Copy
from harness.platforms.embedded.pages import SEGMENT_PAGES

_TRIES = 3  # a page that live traffic writes may be written between our checkpoint and our garbage
_PATIENCE = "SET statement_timeout = '60s'"
# an index-only scan would answer without the page, and any index without most pages
_HONEST = (
    "SET enable_indexonlyscan = off; SET enable_indexscan = off; SET enable_bitmapscan = off;"
    " SET max_parallel_workers_per_gather = 0"
)
# The page that is read most, preferring one that nobody has just written.
_HOTTEST = """
SELECT relblocknumber FROM pg_buffercache
WHERE relfilenode = pg_relation_filenode(%(table)s::regclass) AND relforknumber = 0
  AND reldatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
ORDER BY isdirty, usagecount DESC, relblocknumber DESC LIMIT 1
"""


def corrupt_page(copy: Copy, table: str) -> Instant:
    """Damage the page of `table` that is read most; observed by reading the whole table.

    Raises FaultError, with nothing damaged, where there is no such table, it holds nothing or is
    damaged already; and where it still reads well afterwards.
    """
    try:
        corruption.install(copy, "pg_buffercache", database=postgres.DATABASE)
        with postgres.connected(copy.port, copy.files, database=postgres.DATABASE) as connection:
            _refuse_what_is_no_table(connection, copy, table)
            for _ in range(_TRIES):
                settle(connection, table)
                earliest_ns = time.monotonic_ns()
                copy.disk.write_garbage(*_hottest_page(connection, copy, table))
                evict(connection, table)
                if reading_fails(connection, table):
                    return Instant(earliest_ns, time.monotonic_ns())
    except (psycopg.Error, OSError, PeakdrillError) as error:
        if isinstance(error, FaultError):
            raise
        raise FaultError(f"no page of {table} on node {copy.node} could be damaged: {error}") from (
            error
        )
    raise FaultError(
        f"{table} on node {copy.node} still reads well after garbage went into its file: a dirty"
        " buffer was written over the damage",
        next_step="choose a table that is read more than it is written",
    )


def settle(connection: Connection, table: str) -> None:
    """Nothing of the table is left to be written: dead rows, hint bits, dirty buffers."""
    name = sql.Identifier(table)
    if not _in_recovery(connection):
        connection.execute(sql.SQL("VACUUM (FREEZE, TRUNCATE false) {}").format(name))
    connection.execute(sql.SQL("SELECT count(*) FROM {}").format(name))
    connection.execute("CHECKPOINT")


def evict(connection: Connection, table: str) -> None:
    """The server forgets its sound copies, and must read the file again."""
    connection.execute("SELECT pg_buffercache_evict_relation(%s::regclass)", [table])


def reading_fails(connection: Connection, table: str) -> bool:
    """Whether the server refuses to read every page of the table: SQLSTATE XX001."""
    connection.execute(_HONEST)
    try:
        connection.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table)))
    except psycopg.errors.DataCorrupted:
        return True
    return False


def _refuse_what_is_no_table(connection: Connection, copy: Copy, table: str) -> None:
    connection.execute(_PATIENCE)
    row = connection.execute(
        "SELECT pg_relation_size(oid) FROM pg_class WHERE oid = to_regclass(%s) AND relkind = 'r'",
        [table],
    ).fetchone()
    if row is None:
        raise FaultError(f"there is no table {table!r}", next_step="product_template is one")
    if row[0] == 0:
        raise FaultError(f"the table {table} holds nothing that could be damaged")
    if reading_fails(connection, table):
        raise FaultError(
            f"{table} on node {copy.node} is damaged already", next_step="reinitialise"
        )


def _hottest_page(connection: Connection, copy: Copy, table: str) -> tuple[str, int]:
    """The file that holds it, below the data folder, and the block within that file."""
    row = connection.execute(_HOTTEST, {"table": table}).fetchone()
    path = connection.execute("SELECT pg_relation_filepath(%s::regclass)", [table]).fetchone()
    if row is None or path is None:
        raise FaultError(
            f"no page of {table} is in the buffers of node {copy.node}: nobody reads it"
        )
    segment, block = divmod(int(str(row[0])), SEGMENT_PAGES)
    return (f"{path[0]}.{segment}" if segment else str(path[0])), block


def _in_recovery(connection: Connection) -> bool:
    row = connection.execute("SELECT pg_is_in_recovery()").fetchone()
    return bool(row and row[0])
