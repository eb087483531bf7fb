"""The last good instant, found in the database itself.

Nobody tells the person on call when a bad release began. The database does: an order whose total
disagrees with its lines was not made by a customer, and each of its rows names the transaction
that wrote it last. Of every damaged order the newest such transaction is the one that damaged it
(or a later, honest one); the earliest of those over all damaged orders is where the damage begins.
Whether that was early enough is asked again of the restored database: it must hold no damage.

Commit times need `track_commit_timestamp`. Only looks; changes nothing.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

import psycopg
from psycopg.rows import TupleRow

from harness.errors import PlatformError

type_database = psycopg.Connection[TupleRow]

# A commit's time is taken just before its WAL record is written, so two commits at once can lie
# in the log the other way round.
SWAPPED = timedelta(milliseconds=100)
_TAIL_ROWS = 50
_TABLES = ("sale_order", "account_move", "pos_order")

_DAMAGED = """
SELECT o.id, o.xmin AS xid FROM sale_order o LEFT JOIN (
    SELECT order_id, sum(price_total) AS total FROM sale_order_line GROUP BY order_id
) l ON l.order_id = o.id
WHERE abs(coalesce(o.amount_total, 0) - coalesce(l.total, 0)) > 0.005
"""
_COUNT = f"SELECT count(*) FROM ({_DAMAGED}) damaged"  # noqa: S608  no word of it is anybody's input
_FIRST = f"""
WITH damaged AS MATERIALIZED ({_DAMAGED}), touched AS (
    SELECT id, xid FROM damaged
    UNION ALL
    SELECT l.order_id, l.xmin FROM sale_order_line l JOIN damaged ON damaged.id = l.order_id
), newest AS (
    SELECT DISTINCT ON (id) xid, pg_xact_commit_timestamp(xid) AS at FROM touched
    ORDER BY id, at DESC NULLS LAST
)
SELECT xid::text::bigint, at FROM newest ORDER BY at NULLS FIRST, 1 LIMIT 1
"""  # noqa: S608  the same
_TAIL = """
SELECT id, create_date, pg_xact_commit_timestamp(xmin) AS at FROM {table}
WHERE pg_xact_commit_timestamp(xmin) < %(until)s ORDER BY at DESC LIMIT %(rows)s
"""


@dataclass(frozen=True, slots=True)
class LastGood:
    """Where the damage begins. Everything that was committed before it is good."""

    before_xid: int  # the earliest transaction that damaged an order
    damaged_utc: str  # its commit, ISO 8601 with microseconds
    damaged_orders: int


@dataclass(frozen=True, slots=True)
class Row:
    """A record that a restore must bring back. An id alone may be given out again afterwards."""

    table: str
    id: int
    created: str
    committed_utc: str


def damaged_orders(database: type_database) -> int:
    """How many orders disagree with their own lines."""
    found = database.execute(_COUNT).fetchone()
    return int(found[0]) if found else 0


def last_good(database: type_database) -> LastGood:
    """Raises PlatformError where nothing is damaged, or its time is no longer known."""
    count = damaged_orders(database)
    first = database.execute(_FIRST).fetchone()
    if first is None:
        raise PlatformError("no order disagrees with its lines: there is no damage to go back from")
    xid, at = first
    if at is None:
        raise PlatformError(
            f"transaction {xid} damaged an order before the database kept the times of commits",
            next_step="choose the instant by hand",
        )
    return LastGood(int(xid), utc(at), count)


def tail_before(database: type_database, until_utc: str) -> tuple[Row, ...]:
    """The newest records whose last write was committed before an instant, newest first.

    A restore to that instant must hold every one of them, so one that silently stops a minute
    early holds none. The last moments before the instant are left out (see SWAPPED), and so is a
    table that the damage has taken away.
    """
    until = datetime.fromisoformat(until_utc) - SWAPPED
    rows = [
        Row(table, int(row_id), created.isoformat(), utc(at))
        for table in _TABLES
        if _is_there(database, table)
        for row_id, created, at in database.execute(
            _TAIL.format(table=table).encode(), {"until": until, "rows": _TAIL_ROWS}
        )
    ]
    return tuple(sorted(rows, key=lambda row: row.committed_utc, reverse=True)[:_TAIL_ROWS])


def _is_there(database: type_database, table: str) -> bool:
    row = database.execute("SELECT to_regclass(%s) IS NOT NULL", (table,)).fetchone()
    return bool(row and row[0])


def missing_of(database: type_database, rows: tuple[Row, ...]) -> tuple[Row, ...]:
    """Those of the records that the database does not hold."""
    held = {
        (table, int(row_id), created.isoformat())
        for table in _TABLES
        for row_id, created in database.execute(
            f"SELECT id, create_date FROM {table} WHERE id = ANY(%s)".encode(),  # noqa: S608  ours
            ([row.id for row in rows if row.table == table],),
        )
    }
    return tuple(row for row in rows if (row.table, row.id, row.created) not in held)


def dumps(rows: tuple[Row, ...]) -> str:
    """As a fact of a runbook."""
    return json.dumps([asdict(row) for row in rows])


def loads(text: str) -> tuple[Row, ...]:
    return tuple(Row(**fields) for fields in json.loads(text))


def utc(at: datetime) -> str:
    """ISO 8601 with microseconds, always: so that texts sort as instants do.

    >>> utc(datetime(2026, 11, 22, 6, 0, tzinfo=UTC))
    '2026-11-22T06:00:00.000000+00:00'
    """
    return at.astimezone(UTC).isoformat(timespec="microseconds")
