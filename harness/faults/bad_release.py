"""A bad release: prices rewritten and order lines deleted, in committed transactions.

It behaves like a migration script: it goes past the application, order by order, touches
`write_date` as the ORM would and leaves each order's total as it was. No statement fails, no
checksum is wrong, and the standby follows. Old orders are hurt first, and today's with them.

The originals lie in the side table `pd_undo_line`, in the database itself: each transaction writes
them beside the damage that it does, so that the table holds exactly what is hurt, whatever died in
between, and after a restore to any instant. Needs the application's own rights, nothing more.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow

from harness.errors import FaultError
from harness.platforms.capabilities import Instant

type_database = psycopg.Connection[TupleRow]

UNDO_TABLE = "pd_undo_line"
_TRIES = 5  # of one transaction that lost against the application's own
_OPTIONS = "-c statement_timeout=20000 -c lock_timeout=5000"
_LEAST_PRICE = 1  # a cheaper line could come out of the division as it went in

# Orders are spread over a hundred classes, so that shares hold for any stretch of them.
_CHOOSE = """
SELECT id, CASE WHEN mod(id::bigint * 37, 100) < %(reprice)s THEN 'reprice' ELSE 'delete' END
FROM sale_order o
WHERE mod(id::bigint * 37, 100) < %(reprice)s + %(delete)s AND amount_total > 0
  AND EXISTS (SELECT FROM sale_order_line l WHERE l.order_id = o.id AND l.price_unit >= %(least)s)
ORDER BY id
"""
_SIDE_TABLE = "CREATE TABLE IF NOT EXISTS pd_undo_line (LIKE sale_order_line, pd_how text)"
_LOCK = "SELECT FROM sale_order WHERE id = ANY(%(orders)s) ORDER BY id FOR UPDATE"
_KEEP = """
INSERT INTO pd_undo_line SELECT l.*, %(how)s FROM sale_order_line l
WHERE l.order_id = ANY(%(orders)s) AND (l.price_unit >= %(least)s OR %(how)s = 'delete')
"""
_REPRICE = """
UPDATE sale_order_line SET price_unit = round(price_unit::numeric / 100, 2),
    price_subtotal = round(price_subtotal::numeric / 100, 2),
    price_tax = round(price_tax::numeric / 100, 2),
    price_total = round(price_total::numeric / 100, 2),
    write_date = now() at time zone 'UTC'
WHERE order_id = ANY(%(orders)s) AND price_unit >= %(least)s
"""
_DELETE = "DELETE FROM sale_order_line WHERE order_id = ANY(%(orders)s)"
_TOUCH = """
UPDATE sale_order SET write_date = now() at time zone 'UTC' WHERE id = ANY(%(orders)s)
"""
_DIFFER = """
SELECT count(*), count(*) FILTER (WHERE l.id IS NULL OR l.price_unit <> u.price_unit)
FROM pd_undo_line u LEFT JOIN sale_order_line l ON l.id = u.id
"""
_PRICES_BACK = """
UPDATE sale_order_line l SET price_unit = u.price_unit, price_subtotal = u.price_subtotal,
    price_tax = u.price_tax, price_total = u.price_total
FROM pd_undo_line u WHERE u.id = l.id AND u.pd_how = 'reprice'
"""
_LINES_BACK = """
INSERT INTO sale_order_line ({columns}) SELECT {columns} FROM pd_undo_line u
WHERE pd_how = 'delete' AND EXISTS (SELECT FROM sale_order o WHERE o.id = u.order_id)
ON CONFLICT (id) DO NOTHING
"""
_COLUMNS = """
SELECT column_name FROM information_schema.columns
WHERE table_schema = current_schema AND table_name = 'sale_order_line' AND is_generated = 'NEVER'
ORDER BY ordinal_position
"""


@dataclass(frozen=True, slots=True)
class Release:
    """How bad it is: shares of all orders in percent, and how it goes about it."""

    reprice_pct: int = 20
    delete_pct: int = 5
    transactions: int = 6  # at least one of each kind
    over_s: float = 3.0

    def __post_init__(self) -> None:
        if self.reprice_pct < 1 or self.delete_pct < 1 or self.reprice_pct + self.delete_pct > 100:
            raise FaultError(
                f"a bad release that reprices {self.reprice_pct}% and deletes {self.delete_pct}% "
                "of the orders is none",
                next_step="shares of at least 1 each, 100 together at most",
            )


@dataclass(frozen=True, slots=True)
class Deployed:
    """What it did. `first` holds the commit of the first damage."""

    first: Instant
    repriced_orders: int
    emptied_orders: int
    transactions: int


def deploy(dsn: str, release: Release) -> Deployed:
    """Hurt the database, batch by batch; returns when the last one is committed.

    Raises FaultError when there is nothing to hurt, psycopg.Error when the database gives out;
    what was hurt until then stays hurt, with its originals beside it.
    """
    with _connected(dsn) as database:
        shares = {"reprice": release.reprice_pct, "delete": release.delete_pct}
        chosen = database.execute(_CHOOSE, {**shares, "least": _LEAST_PRICE}).fetchall()
        batches = _batches([(int(order), str(how)) for order, how in chosen], release)
        database.execute(_SIDE_TABLE)
        first: Instant | None = None
        for how, orders in batches:
            begun_ns, begun_s = time.monotonic_ns(), time.monotonic()
            _hurt(database, how, orders)
            first = first or Instant(begun_ns, time.monotonic_ns())
            spare_s = release.over_s / len(batches) - (time.monotonic() - begun_s)
            time.sleep(max(0.0, spare_s))
    assert first is not None, "there is at least one batch"
    sums = {kind: sum(len(o) for how, o in batches if how == kind) for kind in shares}
    return Deployed(first, sums["reprice"], sums["delete"], len(batches))


def differs(dsn: str) -> bool:
    """Whether every row that was hurt really differs, on whichever node the DSN leads to."""
    with _connected(dsn) as database:
        if not _is_kept(database):
            return False
        row = database.execute(_DIFFER).fetchone()
        return row is not None and row[0] > 0 and row[0] == row[1]


def undo(dsn: str) -> None:
    """Put back what is hurt, and forget the originals, in one transaction.

    Harmless when nothing is hurt, also after a restore to before the deed.
    """
    with _connected(dsn) as database, database.transaction():
        if not _is_kept(database):
            return
        database.execute(_PRICES_BACK)
        names = [sql.Identifier(str(name)) for (name,) in database.execute(_COLUMNS).fetchall()]
        columns = sql.SQL(", ").join(names)
        database.execute(sql.SQL(_LINES_BACK).format(columns=columns))
        database.execute(f"DROP TABLE {UNDO_TABLE}".encode())


def is_undone(dsn: str) -> bool:
    """Nothing of it is left in the database."""
    with _connected(dsn) as database:
        return not _is_kept(database)


def _batches(chosen: list[tuple[int, str]], release: Release) -> list[tuple[str, list[int]]]:
    """Deletions take one transaction in three, and come last."""
    deletions = max(1, release.transactions // 3)
    batches: list[tuple[str, list[int]]] = []
    for how, count in (("reprice", release.transactions - deletions), ("delete", deletions)):
        orders = [order for order, kind in chosen if kind == how]
        if not orders:
            raise FaultError(
                f"no order is there to {how}: nothing was broken",
                next_step="a larger share, or more orders before the fault",
            )
        size = -(-len(orders) // max(1, count))
        batches += [(how, orders[at : at + size]) for at in range(0, len(orders), size)]
    return batches


def _hurt(database: type_database, how: str, orders: list[int]) -> None:
    """One committed transaction. It locks orders first, as the application does."""
    values = {"orders": orders, "how": how, "least": _LEAST_PRICE}
    for left in reversed(range(_TRIES)):
        try:
            with database.transaction():
                for statement in (_LOCK, _KEEP, _REPRICE if how == "reprice" else _DELETE, _TOUCH):
                    database.execute(statement, values)
        except (psycopg.errors.DeadlockDetected, psycopg.errors.LockNotAvailable):
            if not left:
                raise
        else:
            return


def _is_kept(database: type_database) -> bool:
    row = database.execute("SELECT to_regclass(%s) IS NOT NULL", (UNDO_TABLE,)).fetchone()
    return bool(row and row[0])


def _connected(dsn: str) -> type_database:
    return psycopg.connect(dsn, autocommit=True, connect_timeout=5, options=_OPTIONS)
