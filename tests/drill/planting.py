"""Defects planted in the stores behind the platform's back, one kind a function.

Each takes the records to hurt and leaves everything else as it was, so that a drill must report
exactly that many of exactly that kind.
"""

from __future__ import annotations

import json
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psycopg

from harness.core.operation import Flag, Kind, Outcome, Workload, key_of, pos_uuid
from harness.core.operations import Operations
from harness.ledger.reader import read_ledgers
from harness.platforms.embedded import EmbeddedPlatform


@dataclass(frozen=True)
class Record:
    key: str
    value_cents: int


@dataclass(frozen=True)
class Stores:
    """The database as its superuser, the application as a client, the filestore as files."""

    platform: EmbeddedPlatform
    run_id: str
    ledger: Path

    def operations(self) -> Operations:
        return read_ledgers(self.ledger)[0]

    def records(
        self,
        workload: Workload,
        outcome: Outcome,
        *,
        attached: bool = False,
        cancelled: bool = False,
    ) -> list[Record]:
        """Records of the load (no canaries) whose CREATE had this outcome, in order of sending."""
        o = self.operations()
        creates = o.where(
            (o.workload == workload.code)
            & (o.kind == Kind.CREATE)
            & (o.outcome == outcome)
            & ((o.flags & Flag.CANARY) == 0)
        )
        acked = o.outcome == Outcome.ACKED
        with_document = set(o.record[acked & (o.kind == Kind.ATTACH)].tolist())
        given_up = set(o.record[o.kind == Kind.CANCEL].tolist())
        return [
            Record(key_of(self.run_id, int(w), int(s)), int(v))
            for w, s, v in zip(creates.worker, creates.seq, creates.value_cents, strict=True)
            if (not attached or s in with_document) and (cancelled or s not in given_up)
        ]

    def database(self) -> psycopg.Connection:
        dsn = str(self.platform.status()["database"]["superuser_dsn"])
        return psycopg.connect(dsn, autocommit=True)

    def call(self, model: str, method: str, *arguments: object) -> object:
        """One call as the application's administrator. Raises on an error."""
        ends = self.platform.endpoints()
        password = ends.password_file.read_text().strip()
        who = [ends.database, ends.login, password]
        uid = self._rpc("common", "authenticate", [*who, {}])
        return self._rpc(
            "object", "execute_kw", [who[0], uid, password, model, method, list(arguments)]
        )

    def _rpc(self, service: str, method: str, arguments: list[object]) -> object:
        body = {
            "jsonrpc": "2.0",
            "method": "call",
            "id": 1,
            "params": {"service": service, "method": method, "args": arguments},
        }
        request = urllib.request.Request(
            f"{self.platform.endpoints().application_url}/jsonrpc",
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            told = json.load(answer)
        assert "error" not in told, told
        return told["result"]


def lose(stores: Stores, victims: list[Record]) -> None:
    """Orders vanish with all that hangs on them; the stock that they held is given back."""
    statements = """
        CREATE TEMP TABLE v AS SELECT id FROM sale_order WHERE client_order_ref = ANY(%(keys)s);
        CREATE TEMP TABLE m AS SELECT move.id, move.picking_id FROM stock_move move
            JOIN stock_picking p ON p.id = move.picking_id JOIN v ON v.id = p.sale_id;
        UPDATE stock_quant q SET reserved_quantity = q.reserved_quantity - held.quantity
            FROM (SELECT l.product_id, sum(l.quantity) AS quantity FROM stock_move_line l
                  JOIN stock_move move ON move.id = l.move_id JOIN m ON m.id = move.id
                  WHERE move.state IN ('assigned', 'partially_available')
                  GROUP BY l.product_id) held
            WHERE held.product_id = q.product_id AND q.reserved_quantity > 0;
        DELETE FROM stock_move_line WHERE move_id IN (SELECT id FROM m);
        DELETE FROM stock_move WHERE id IN (SELECT id FROM m);
        DELETE FROM stock_picking WHERE sale_id IN (SELECT id FROM v);
        DELETE FROM sale_order_line WHERE order_id IN (SELECT id FROM v);
        DELETE FROM ir_attachment WHERE res_model = 'sale.order' AND res_id IN (SELECT id FROM v);
        DELETE FROM sale_order WHERE id IN (SELECT id FROM v);
    """
    keys = [v.key for v in victims]
    with stores.database() as database:
        for statement in statements.split(";")[:-1]:
            database.execute(statement, {"keys": keys} if "%(" in statement else None)
        left = database.execute(
            "SELECT count(*) FROM sale_order WHERE client_order_ref = ANY(%s)", [keys]
        ).fetchone()
    assert left == (0,)


def lose_sales(stores: Stores, victims: list[Record]) -> None:
    """Sales of the tills vanish."""
    uuids = [pos_uuid(v.key) for v in victims]
    with stores.database() as database:
        of = "(SELECT id FROM pos_order WHERE uuid = ANY(%s))"
        database.execute(f"DELETE FROM pos_payment WHERE pos_order_id IN {of}", [uuids])
        database.execute(f"DELETE FROM pos_order_line WHERE order_id IN {of}", [uuids])
        gone = database.execute("DELETE FROM pos_order WHERE uuid = ANY(%s)", [uuids])
    assert gone.rowcount == len(victims)


def order_again(stores: Stores, victims: list[Record]) -> None:
    """The same reference becomes a second, whole order, as a client that retries makes it."""
    for victim in victims:
        found = stores.call("sale.order", "search", [["client_order_ref", "=", victim.key]])
        assert isinstance(found, list)
        with stores.database() as database:
            partner = database.execute(
                "SELECT partner_id FROM sale_order WHERE id = %s", [found[0]]
            ).fetchone()
            lines = database.execute(
                "SELECT product_id, product_uom_qty, price_unit FROM sale_order_line"
                " WHERE order_id = %s",
                [found[0]],
            ).fetchall()
        assert partner
        _order(stores, victim.key, partner[0], lines)


def order_what_was_refused(stores: Stores, victims: list[Record]) -> None:
    """A refused order turns up all the same."""
    with stores.database() as database:
        partner = database.execute("SELECT min(id) FROM res_partner").fetchone()
        product = database.execute("SELECT min(id) FROM product_product").fetchone()
    assert partner
    assert product
    for victim in victims:
        _order(stores, victim.key, partner[0], [(product[0], 1, 10)])


def _order(stores: Stores, key: str, partner: int, lines: list[tuple[object, ...]]) -> None:
    values = {
        "partner_id": partner,
        "client_order_ref": key,
        "order_line": [
            [0, 0, {"product_id": p, "product_uom_qty": float(q), "price_unit": float(c)}]  # type: ignore[arg-type]
            for p, q, c in lines
        ],
    }
    made = stores.call("sale.order", "create", values)
    stores.call("sale.order", "action_confirm", [made])


def reprice(stores: Stores, victims: list[Record]) -> None:
    """A line of each order costs something else."""
    with stores.database() as database:
        changed = database.execute(
            """UPDATE sale_order_line SET price_unit = price_unit + 1 WHERE id IN (
                   SELECT min(l.id) FROM sale_order_line l JOIN sale_order o ON o.id = l.order_id
                   WHERE o.client_order_ref = ANY(%s) GROUP BY o.id)""",
            [[v.key for v in victims]],
        )
    assert changed.rowcount == len(victims)


def overwrite_documents(stores: Stores, victims: list[Record]) -> None:
    """The file of each order's document holds other bytes of the same length."""
    for file in _documents(stores, victims):
        size = file.stat().st_size
        file.chmod(0o600)
        file.write_bytes(b"\0" * size)


def remove_documents(stores: Stores, victims: list[Record]) -> None:
    """The file of each order's document is gone; the row that names it stays."""
    for file in _documents(stores, victims):
        file.unlink()


def _documents(stores: Stores, victims: list[Record]) -> list[Path]:
    filestore = stores.platform.endpoints().filestore
    assert filestore
    with stores.database() as database:
        names = database.execute(
            """SELECT a.store_fname FROM ir_attachment a JOIN sale_order o ON o.id = a.res_id
               WHERE a.res_model = 'sale.order' AND o.client_order_ref = ANY(%s)""",
            [[v.key for v in victims]],
        ).fetchall()
    assert len(names) == len(victims)
    return [filestore / name for (name,) in names]


def spread(records: list[Record], count: int) -> list[Record]:
    """`count` of them, spread over the run."""
    assert len(records) >= count, f"only {len(records)} records to choose {count} from"
    return [records[i] for i in np.linspace(0, len(records) - 1, count).astype(int)]
