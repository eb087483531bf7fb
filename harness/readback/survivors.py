"""One look at the stores: every record of this run that survived, by key.

The acknowledged list was closed before (the load has stopped), the query comes after it, so a
record that was acknowledged and is not found here is lost. Only looks; changes nothing.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import psycopg

from harness.core.evidence import Part
from harness.errors import Interrupted
from harness.platforms.capabilities import Endpoints, Filestore
from harness.readback import documents, partners, queries

STORES = ("orders", "point-of-sale", "invoices")
_QUERY = {
    "orders": queries.ORDERS,
    "point-of-sale": queries.POINT_OF_SALE,
    "invoices": queries.INVOICES,
}
_FOREIGN = {
    "orders": queries.FOREIGN_ORDERS,
    "point-of-sale": queries.FOREIGN_SALES,
    "invoices": queries.FOREIGN_INVOICES,
}
_TABLE = {"orders": "sale_order", "point-of-sale": "pos_order", "invoices": "account_move"}

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


@dataclass(frozen=True, slots=True)
class Look:
    """What one read-back found. `rows` has dtype ROW, a duplicate is two rows."""

    name: str
    taken_ns: int
    complete: bool
    why_incomplete: str
    rows: npt.NDArray[np.void]
    foreign: int
    disagreements: tuple[str, ...]


def look(
    name: str,
    endpoints: Endpoints,
    run_id: str,
    *,
    filestore: Filestore | None,
    clock: Callable[[], int],
    settled: bool,
) -> Look:
    """Read every store. A store that does not answer whole makes the look incomplete.

    Documents are read through the platform's `filestore`; where it has none, as `endpoints` say.

    Partners are asked once queues have `settled`: before, a call under way is no disagreement.
    """
    taken_ns = clock()
    try:
        with psycopg.connect(endpoints.dsn, connect_timeout=5, autocommit=True) as database:
            database.execute("SET statement_timeout = '120s'")
            there = [store for store in STORES if _is_there(database, store, endpoints)]
            fetch = documents.source_of(endpoints, filestore)
            parts = [_store(database, store, endpoints, run_id, fetch) for store in there]
            rows = np.concatenate([np.zeros(0, ROW), *parts])
            foreign = sum(_count(database, _FOREIGN[s], endpoints, run_id) for s in there)
            disagreements = [*_stock(database, endpoints, run_id)] if "orders" in there else []
        if settled:
            disagreements += partners.disagreements(endpoints, run_id, rows)
    except Interrupted:
        raise  # somebody stops the run: that is not the store's fault
    except Exception as error:  # noqa: BLE001  whatever it is: what was not read is not judged
        why = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
        return Look(name, taken_ns, False, why, np.zeros(0, ROW), 0, ())
    return Look(name, taken_ns, True, "", rows, foreign, tuple(disagreements))


def _is_there(database: psycopg.Connection, store: str, endpoints: Endpoints) -> bool:
    """Of a real Odoo, which has the tables of its installed modules: what was sold in a store
    that is gone is lost. The stand-in has them all, and one that is missing ends the look.
    """
    if endpoints.kind == "shop":
        return True
    found = database.execute("SELECT to_regclass(%s) IS NOT NULL", [_TABLE[store]]).fetchone()
    return bool(found and found[0])


def _bound(query: str, endpoints: Endpoints, run_id: str) -> psycopg.sql.Composed:
    return queries.for_run(query, run_id, kind=endpoints.kind, version=endpoints.version)


def _store(
    database: psycopg.Connection,
    store: str,
    endpoints: Endpoints,
    run_id: str,
    fetch: documents.Fetch | None,
) -> npt.NDArray[np.void]:
    select = _bound(_QUERY[store], endpoints, run_id)
    columns = _copy(database, select, 7)
    rows = np.zeros(len(columns), ROW)
    rows["store"] = STORES.index(store)
    for i, field in enumerate(("worker", "seq", "id", "stage")):
        rows[field] = columns[:, i]
    rows["digest"] = columns[:, 4].view(np.uint64)
    rows["parts"] = columns[:, 5]
    rows["expected_parts"] = columns[:, 6]
    if store == "orders":
        select = _bound(queries.ATTACHMENTS, endpoints, run_id)
        _add_documents(rows, documents.read(database.execute(select).fetchall(), fetch))
    return rows


def _copy(database: psycopg.Connection, select: object, width: int) -> npt.NDArray[np.int64]:
    """Rows of integers, streamed by COPY. Shape (n, width)."""
    text = io.BytesIO()
    statement = psycopg.sql.SQL("COPY ({}) TO STDOUT (FORMAT csv)").format(select)
    with database.cursor() as cursor, cursor.copy(statement) as blocks:
        for block in blocks:
            text.write(block)
    if not text.tell():
        return np.zeros((0, width), np.int64)
    text.seek(0)
    return np.loadtxt(text, dtype=np.int64, delimiter=",", ndmin=2)


def _count(database: psycopg.Connection, query: str, endpoints: Endpoints, run_id: str) -> int:
    found = database.execute(_bound(query, endpoints, run_id)).fetchone()
    return int(found[0]) if found else 0


def _add_documents(rows: npt.NDArray[np.void], found: Mapping[int, documents.Document]) -> None:
    """By the hash of its bytes; a row without its file keeps DOCUMENT expected."""
    by_id = np.argsort(rows["id"], kind="stable")
    ids = rows["id"][by_id]
    for order_id, document in found.items():
        at = int(np.searchsorted(ids, order_id))
        if at < len(ids) and ids[at] == order_id:
            row = by_id[at]
            rows["document"][row] = document.digest
            rows["expected_parts"][row] |= Part.DOCUMENT
            rows["parts"][row] |= Part.DOCUMENT if document.whole else 0


def _stock(database: psycopg.Connection, endpoints: Endpoints, run_id: str) -> list[str]:
    select = _bound(queries.STOCK_DISAGREES, endpoints, run_id)
    return [
        f"product {product}: {reserved:g} reserved in stock, {held:g} held by transfers, "
        f"least quantity {least:g}"
        for product, reserved, held, least in database.execute(select).fetchall()
    ]


def save(found: Look, directory: Path) -> None:
    """Write the look as `NAME.npy` and `NAME.json` under `directory`."""
    from harness.evidence import canonical

    directory.mkdir(exist_ok=True)
    np.save(directory / f"{found.name}.npy", found.rows, allow_pickle=False)
    head = {
        "name": found.name,
        "taken_ns": found.taken_ns,
        "complete": found.complete,
        "why_incomplete": found.why_incomplete,
        "foreign": found.foreign,
        "disagreements": found.disagreements,
    }
    (directory / f"{found.name}.json").write_bytes(canonical.dumps(head))
