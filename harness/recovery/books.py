"""The restored database's side of the partners' books: what is owed, what may stand, what is done.

An effect at a partner is justified by its *order*, not by the call's row: a payment and a label
stand for an order that is confirmed, the marketplace's word for an order that it sent. So a label
whose shipment the restore has forgotten waits for its order to be shipped again, while a payment
of an order that is a quotation again is taken back.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager

import psycopg
from psycopg.rows import TupleRow

from harness.errors import PlatformError
from harness.readback.partners import Memory
from harness.recovery.streams import Entry

Database = psycopg.Connection[TupleRow]

# A later delivery of the same order is a call of its own: key, slash, name of the transfer.
_TRANSFER = re.compile(r"/(WH/OUT/[0-9]+)$")
_ORDER = re.compile(r"S([0-9]{5,9})")

_ALLOWED = {
    "payment": "SELECT coalesce(client_order_ref, name) FROM sale_order"
    " WHERE state IN ('sale', 'done', 'cancel')",
    "carrier": "SELECT coalesce(client_order_ref, name) FROM sale_order"
    " WHERE state IN ('sale', 'done', 'cancel')",
    "marketplace": "SELECT client_order_ref FROM sale_order WHERE origin = 'marketplace'",
}
_DUE = {
    "payment": "SELECT coalesce(client_order_ref, name) FROM sale_order"
    " WHERE state IN ('sale', 'done')",
    "carrier": "SELECT coalesce(o.client_order_ref, o.name)"
    " || CASE WHEN p.backorder_id IS NULL THEN '' ELSE '/' || p.name END"
    " FROM stock_picking p JOIN sale_order o ON o.id = p.sale_id"
    " WHERE p.state = 'done' AND o.state IN ('sale', 'done')",
    "marketplace": "SELECT client_order_ref FROM sale_order WHERE origin = 'marketplace'",
}
_KNOWN = """
SELECT told.id FROM unnest(%s::text[], %s::text[]) AS told (id, key)
WHERE EXISTS (SELECT 1 FROM shop_inbox i WHERE i.key = told.key)
   OR EXISTS (SELECT 1 FROM shop_inbox_refused r WHERE r.message_id = told.id)
"""
_MARK = """
UPDATE shop_outbox SET done_at = clock_timestamp(),
       published_at = coalesce(published_at, clock_timestamp())
WHERE done_at IS NULL AND partner = %s AND key = ANY(%s)
"""
_AGAIN = "UPDATE shop_outbox SET published_at = NULL WHERE done_at IS NULL"
_LAST = "SELECT coalesce(max(id), 0) FROM shop_outbox"
_OWED = "SELECT count(*) FROM shop_outbox WHERE done_at IS NULL AND id <= %s"
_OWED_KEYS = "SELECT key FROM shop_outbox WHERE done_at IS NULL AND partner = %s"


@contextmanager
def opened(dsn: str) -> Iterator[Database]:
    """The restored database, as the application's own role. Raises PlatformError."""
    try:
        with psycopg.connect(
            dsn, connect_timeout=5, autocommit=True, application_name="peakdrill-replay"
        ) as database:
            database.execute("SET statement_timeout = '60s'")
            yield database
    except psycopg.Error as error:
        raise PlatformError(
            f"the restored database cannot be asked: {str(error).strip() or type(error).__name__}",
            next_step="see whether a leader takes writes; the replay may be repeated",
        ) from error


def unknown(database: Database, entries: Collection[Entry]) -> list[Entry]:
    """The marketplace's orders that the database neither has nor has refused."""
    rows = database.execute(_KNOWN, [[e.entry_id for e in entries], [e.key for e in entries]])
    known = {str(entry_id) for (entry_id,) in rows}
    return [entry for entry in entries if entry.entry_id not in known]


def allowed(database: Database, partner: str) -> frozenset[str]:
    """Keys of the orders that an effect at the partner may stand for."""
    return _keys(database, _ALLOWED[partner])


def due(database: Database, partner: str) -> frozenset[str]:
    """Keys that the partner must have taken; what is on its way to him is not due yet."""
    return _keys(database, _DUE[partner]) - _keys(database, _OWED_KEYS, partner)


def order_of(key: str) -> str:
    """The order's key, of a call's key.

    >>> order_of("pd-r1-0-7"), order_of("pd-r1-0-7/WH/OUT/00012")
    ('pd-r1-0-7', 'pd-r1-0-7')
    """
    return _TRANSFER.sub("", key)


def forlorn(memory: Memory, orders: Collection[str]) -> list[str]:
    """Keys whose effect stands for no order: to be taken back. Pure."""
    return sorted(key for key in memory.standing if order_of(key) not in orders)


def mark_done(database: Database, partner: str, memory: Memory) -> int:
    """Calls that are owed by the restored rows, and that the partner took long ago."""
    return database.execute(_MARK, [partner, list(memory.standing)]).rowcount


def owe_again(database: Database) -> int:
    """Everything that is still not done is put on the streams again. Returns how many."""
    return database.execute(_AGAIN).rowcount


def last_call(database: Database) -> int:
    """The number of the newest call in the outbox."""
    return _number(database, _LAST)


def owed_until(database: Database, last: int) -> int:
    """How many calls up to this number are not done."""
    return _number(database, _OWED, last)


def number_on(database: Database, memories: Iterable[Memory]) -> None:
    """A restored database counts from the past: no order may get a number that a partner knows.

    It would be its key, and the partner would take a new order's payment for an old one's.
    """
    keys = {key for memory in memories for key in memory.taken}
    names = {"shop_sale_name": _ORDER, "shop_out_name": re.compile(r".*WH/OUT/([0-9]{5,9})")}
    for sequence, pattern in names.items():
        highest = max((int(m[1]) for key in keys if (m := pattern.fullmatch(key))), default=0)
        query = psycopg.sql.SQL("SELECT setval({name}, greatest(last_value, %s)) FROM {table}")
        table = psycopg.sql.Identifier(sequence)
        database.execute(query.format(name=psycopg.sql.Literal(sequence), table=table), [highest])


def _keys(database: Database, query: str, *parameters: object) -> frozenset[str]:
    return frozenset(str(key) for (key,) in database.execute(query.encode(), parameters or None))


def _number(database: Database, query: str, *parameters: object) -> int:
    found = database.execute(query.encode(), parameters or None).fetchone()
    return int(found[0]) if found else 0
