"""One look at the stores: every record of this run that survived, by key.

The acknowledged list was closed before (the load has stopped), the query comes after it, so a
record that was acknowledged and is not found here is lost. Only looks; changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import psycopg

from harness.core.evidence import Part
from harness.errors import Interrupted
from harness.platforms.capabilities import Endpoints, Filestore
from harness.readback import documents, partners, queries, store_rows
from harness.readback.key_queries import KEYED

ROW, STORES = store_rows.ROW, store_rows.STORES


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
        with _snapshot(endpoints.dsn) as database:
            stores = {
                store: _rows(database, store, endpoints, run_id)
                for store in STORES
                if _is_there(database, store, endpoints)
            }
            foreign = _foreign(database, stores, endpoints, run_id)
            attachments, disagreements = [], []
            if "orders" in stores:
                select = _bound(queries.ATTACHMENTS, endpoints, run_id)
                attachments = database.execute(select).fetchall()
                disagreements += _stock(database, endpoints, run_id)
        rows = np.concatenate([np.zeros(0, ROW), *(found for found, _ in stores.values())])
        fetch = documents.source_of(endpoints, filestore)
        _add_documents(rows, documents.read(attachments, fetch))
        if settled:
            disagreements += partners.disagreements(endpoints, run_id, rows)
    except Interrupted:
        raise  # somebody stops the run: that is not the store's fault
    except Exception as error:  # noqa: BLE001  whatever it is: what was not read is not judged
        why = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
        return Look(name, taken_ns, False, why, np.zeros(0, ROW), 0, ())
    return Look(name, taken_ns, True, "", rows, foreign, tuple(disagreements))


@contextmanager
def _snapshot(dsn: str) -> Iterator[psycopg.Connection]:
    """All statements see the same: what is read apart, keys, rows and stock, belongs together."""
    with psycopg.connect(dsn, connect_timeout=5) as database:
        database.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        database.read_only = True
        database.execute("SET statement_timeout = '120s'")
        yield database


def _is_there(database: psycopg.Connection, store: str, endpoints: Endpoints) -> bool:
    """Of a real Odoo, which has the tables of its installed modules: what was sold in a store
    that is gone is lost. The stand-in has them all, and one that is missing ends the look.
    """
    if endpoints.kind == "shop":
        return True
    found = database.execute("SELECT to_regclass(%s) IS NOT NULL", [KEYED[store][0]]).fetchone()
    return bool(found and found[0])


def _bound(query: str, endpoints: Endpoints, run_id: str) -> psycopg.sql.Composed:
    return queries.for_run(query, run_id, kind=endpoints.kind, version=endpoints.version)


def _rows(
    database: psycopg.Connection, store: str, endpoints: Endpoints, run_id: str
) -> tuple[npt.NDArray[np.void], int]:
    kind, version = endpoints.kind, endpoints.version
    return store_rows.of_store(database, store, run_id, kind=kind, version=version)


def _foreign(
    database: psycopg.Connection,
    stores: Mapping[str, tuple[npt.NDArray[np.void], int]],
    endpoints: Endpoints,
    run_id: str,
) -> int:
    """Keys that nobody writes. In the ledger those of all its entries, not of invoices alone."""
    foreign = sum(count for store, (_, count) in stores.items() if store != "invoices")
    if "invoices" not in stores:
        return foreign
    found = database.execute(_bound(queries.FOREIGN_ENTRIES, endpoints, run_id)).fetchone()
    return foreign + (int(found[0]) if found else 0)


def _add_documents(rows: npt.NDArray[np.void], found: Mapping[int, documents.Document]) -> None:
    """By the hash of its bytes; a row without its file keeps DOCUMENT expected."""
    orders = np.flatnonzero(rows["store"] == STORES.index("orders"))
    by_id = orders[np.argsort(rows["id"][orders], kind="stable")]
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
