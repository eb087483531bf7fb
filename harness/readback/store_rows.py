"""The rows of a store, packed by the database; those of a large run a stretch of ids at a time.

Keys are read apart, in the same snapshot, and the rows must be theirs: a stretch that was left
out would be records that were lost.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import psycopg
from psycopg import sql

from harness.core.presence import presence_of
from harness.readback import key_queries, keys, queries

STORES = ("orders", "point-of-sale", "invoices")
_QUERY = {
    "orders": queries.ORDERS,
    "point-of-sale": queries.POINT_OF_SALE,
    "invoices": queries.INVOICES,
}
_AT_ONCE = 250_000  # rows that one statement may ask for: seconds of its time, and 8 MB

ROW = np.dtype(
    [
        ("store", "u1"),  # index into STORES
        ("worker", "<u2"),
        ("seq", "<u4"),
        ("id", "<i8"),
        ("stage", "u1"),
        ("digest", "<u8"),
        ("document", "<u8"),  # first 8 bytes of the SHA-1 of the document's bytes, 0: none
        ("parts", "u1"),
        ("expected_parts", "u1"),
    ]
)
_PACKED = np.dtype(
    [
        ("worker", ">i4"),
        ("seq", ">i4"),
        ("id", ">i8"),
        ("stage", ">i2"),
        ("digest", ">u8"),
        ("parts", ">i2"),
        ("expected_parts", ">i2"),
    ]
)
PACKED_BYTES = _PACKED.itemsize


def of_store(
    database: psycopg.Connection, store: str, run_id: str, *, kind: str, version: int
) -> tuple[npt.NDArray[np.void], int]:
    """Every row of one run, and how many have a key that nobody wrote. In a snapshot.

    Raises ValueError where a row is not whole, or the rows are not those of the keys.
    """
    found = keys.of_store(database, store, run_id)
    rows = np.zeros(found.there.rows, ROW)
    rows["store"] = STORES.index(store)
    end = 0
    for ids in _stretches(database, store, found.there.rows, run_id):
        select = queries.for_run(_QUERY[store], run_id, kind=kind, version=version, ids=ids)
        words = _packed(database, select)
        part = rows[end : end + len(words)]
        end += len(words)
        if end > len(rows):
            break
        for field in _PACKED.names or ():
            part[field] = words[field]
    read = presence_of(rows["worker"][:end], rows["seq"][:end])
    told = keys.contradiction(store, found.there, read, run_id)
    if end != len(rows) or told:
        raise ValueError(told or f"{store}: {len(rows)} rows by key, more by row")
    return rows, found.foreign


def _stretches(
    database: psycopg.Connection, store: str, rows: int, run_id: str
) -> Iterator[range | None]:
    """Ids of so many rows at most; None where they are few enough to be asked for by one."""
    if rows <= _AT_ONCE:
        yield None
        return
    ((least, most),) = database.execute(key_queries.ids_of(store, run_id)).fetchall()
    for begin in range(least, most + 1, _AT_ONCE):
        yield range(begin, begin + _AT_ONCE)


def _packed(database: psycopg.Connection, select: sql.Composed) -> npt.NDArray[np.void]:
    with database.cursor(binary=True) as cursor:
        asked = sql.SQL(queries.PACKED).format(rows=select)
        ((count, packed),) = cursor.execute(asked).fetchall()
    words = np.frombuffer(packed or b"", _PACKED)
    if len(words) != count:
        raise ValueError(f"of {count} rows {count - len(words)} lack a value")
    return words
