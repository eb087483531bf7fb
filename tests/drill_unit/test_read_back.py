"""The read-back on the shop's tables: what is damaged reads back as damaged, never as whole."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import psycopg
import pytest

from harness.core.evidence import Part
from harness.core.operation import Stage, content_digest, order_content
from harness.platforms.capabilities import Endpoints
from harness.platforms.documents import DocumentFolder
from harness.readback import documents, partners
from harness.readback.partners import Memory
from harness.readback.survivors import ROW, Look, look

RUN = "r1"


def endpoints(dsn: str, *, kind: str = "shop", version: int = 19) -> Endpoints:
    return Endpoints(
        application_url="", application_replicas=(), database="", login="",
        password_file=Path("none"), dsn=dsn, kind=kind, version=version, queue_url="",
        queue_password_file=None, filestore=None, s3_url="", s3_credentials_file=None,
        s3_bucket="", partners_url="",
    )  # fmt: skip


def taken(dsn: str, *, kind: str = "shop", version: int = 19) -> Look:
    found = look(
        "first", endpoints(dsn, kind=kind, version=version), RUN, filestore=None,
        clock=lambda: 0, settled=False,
    )  # fmt: skip
    assert found.complete, found.why_incomplete
    return found


def row(found: Look, seq: int) -> np.void:
    (only,) = found.rows[found.rows["seq"] == seq]
    return only


def order(store: psycopg.Connection, seq: int, *, done: bool = False) -> int:
    """An order of two lines, confirmed, and shipped where `done`."""
    values = f'{{"partner_id": 101, "client_order_ref": "pd-{RUN}-0-{seq}"}}'
    lines = '[{"product_id": 1, "product_uom_qty": 2, "price_unit": 3}, {"product_id": 2, "product_uom_qty": 1, "price_unit": 5}]'
    (number,) = store.execute(
        "SELECT shop_order_create(%s::jsonb, %s::jsonb, 2)", [values, lines]
    ).fetchone()
    store.execute("SELECT shop_order_confirm(ARRAY[%s::int], 19, 2)", [number])
    if done:
        store.execute(
            "SELECT shop_picking_done(id, false, 19, 2) FROM stock_picking WHERE sale_id = %s",
            [number],
        )
    return number


def sale(store: psycopg.Connection, seq: int) -> None:
    values = (
        f'[{{"uuid": "u{seq}", "pos_reference": "pd-{RUN}-0-{seq}", "session_id": 1,'
        ' "partner_id": 101, "amount_total": 3, "amount_paid": 3, "amount_tax": 0,'
        ' "amount_return": 0, "state": "paid",'
        ' "lines": [{"product_id": 1, "qty": 1, "price_unit": 3, "price_subtotal": 3}],'
        ' "payments": [{"payment_method_id": 1, "amount": 3}]}]'
    )
    store.execute("SELECT * FROM shop_pos_sync(%s::jsonb, 19, 2)", [values])


@pytest.mark.parametrize("version", [14, 18, 19])
def test_the_shop_is_read_in_every_dialect(
    store: psycopg.Connection, dsn: str, version: int
) -> None:
    order(store, 1)
    order(store, 2, done=True)
    sale(store, 3)
    found = taken(dsn, version=version)
    assert [int(row(found, seq)["stage"]) for seq in (1, 2, 3)] == [3, 4, 1]
    assert not (found.rows["expected_parts"] & ~found.rows["parts"]).any()
    assert (found.foreign, found.disagreements) == (0, ())


def test_tables_of_an_older_odoo(store: psycopg.Connection, dsn: str) -> None:
    """Up to 16 a line that is done holds nothing any more, and has what it moved."""
    order(store, 1)
    order(store, 2, done=True)
    store.execute(
        "ALTER TABLE stock_move_line ADD reserved_uom_qty numeric, ADD product_uom_qty numeric,"
        " ADD qty_done numeric"
    )
    store.execute("ALTER TABLE account_move_line ADD exclude_from_invoice_tab boolean")
    store.execute(
        "UPDATE stock_move_line SET product_uom_qty = CASE state WHEN 'done' THEN 0 ELSE quantity END,"
        " reserved_uom_qty = CASE state WHEN 'done' THEN 0 ELSE quantity END,"
        " qty_done = CASE state WHEN 'done' THEN quantity ELSE 0 END"
    )
    for without, versions in (("quantity", (14, 16)), ("product_uom_qty", (16,))):
        store.execute(f"ALTER TABLE stock_move_line DROP {without}")
        for version in versions:
            found = taken(dsn, kind="odoo", version=version)
            assert not (found.rows["expected_parts"] & ~found.rows["parts"]).any()
            assert found.disagreements == ()


def test_of_an_odoo_without_a_module_the_others_are_read(
    store: psycopg.Connection, dsn: str
) -> None:
    order(store, 1)
    store.execute("DROP TABLE pos_order CASCADE")
    assert row(taken(dsn, kind="odoo", version=18), 1)["stage"] == Stage.RESERVED
    shop = look("first", endpoints(dsn), RUN, filestore=None, clock=lambda: 0, settled=False)
    assert not shop.complete
    assert "pos_order" in shop.why_incomplete


def test_of_an_odoo_only_the_goods_of_the_run_are_held_against_its_stock(
    store: psycopg.Connection, dsn: str
) -> None:
    order(store, 1)
    store.execute("UPDATE stock_quant SET reserved_quantity = 99 WHERE product_id = 7")
    assert taken(dsn, kind="odoo", version=18).disagreements == ()
    assert len(taken(dsn).disagreements) == 1
    store.execute("UPDATE stock_quant SET reserved_quantity = 99 WHERE product_id = 1")
    (told,) = taken(dsn, kind="odoo", version=18).disagreements
    assert told.startswith("product 1: 99 reserved")


def test_a_state_that_was_wiped_is_no_confirmation(store: psycopg.Connection, dsn: str) -> None:
    number = order(store, 1)
    store.execute("UPDATE sale_order SET state = NULL WHERE id = %s", [number])
    assert row(taken(dsn), 1)["stage"] == Stage.CREATED


@pytest.mark.parametrize(
    ("damage", "stage", "part"),
    [
        ("UPDATE pos_order SET amount_total = NULL", 1, Part.LEDGER_ENTRY),
        ("DELETE FROM pos_payment", 1, Part.LEDGER_ENTRY),
        ("UPDATE pos_order SET state = 'draft'", 0, 0),
        ("UPDATE pos_order SET state = 'cancel'", 9, 0),
        ("UPDATE pos_order SET state = NULL", 0, 0),
        ("DELETE FROM stock_move_line", 1, Part.MOVES),
        ("UPDATE stock_move SET quantity = 0, state = 'draft'", 1, Part.MOVES),
        ("DELETE FROM stock_move", 1, Part.MOVES),
    ],
)
def test_a_damaged_sale_reads_back_as_damaged(
    store: psycopg.Connection, dsn: str, damage: str, stage: int, part: int
) -> None:
    sale(store, 1)
    store.execute(damage)
    found = row(taken(dsn), 1)
    assert found["stage"] == stage
    assert found["expected_parts"] & ~found["parts"] == part


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE sale_order SET amount_total = amount_total + 0.01",
        "UPDATE sale_order SET amount_total = NULL",
        "DELETE FROM sale_order_line WHERE product_id = 2",
    ],
)
def test_an_order_whose_total_is_not_that_of_its_lines_is_damaged(
    store: psycopg.Connection, dsn: str, damage: str
) -> None:
    order(store, 1)
    whole = row(taken(dsn), 1)
    assert not whole["expected_parts"] & ~whole["parts"]
    store.execute(damage)
    found = row(taken(dsn), 1)
    assert (found["expected_parts"] & ~found["parts"]) & Part.LEDGER_ENTRY


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE sale_order_line SET product_uom_qty = 2.4 WHERE product_id = 1",
        "UPDATE sale_order_line SET price_unit = 3.004 WHERE product_id = 1",
    ],
)
def test_a_fraction_is_an_alteration(store: psycopg.Connection, dsn: str, damage: str) -> None:
    order(store, 1)
    whole = row(taken(dsn), 1)["digest"]
    assert whole == content_digest(order_content(101, [(1, 2, 300), (2, 1, 500)]))
    store.execute(damage)
    assert row(taken(dsn), 1)["digest"] != whole


@pytest.mark.parametrize(
    "key", ["pd-r1-0-x", "pd-r1-0-01", "pd-r1-65536-1", "pd-r1-0-4294967297", "pd-r1-0-1-copy"]
)
def test_a_key_that_no_worker_writes_is_foreign(
    store: psycopg.Connection, dsn: str, key: str
) -> None:
    order(store, 1)
    sale(store, 2)
    assert taken(dsn).foreign == 0
    store.execute(
        "INSERT INTO sale_order (name, partner_id, client_order_ref) VALUES ('x', 101, %s)", [key]
    )
    store.execute("UPDATE pos_order SET pos_reference = %s", [key])
    found = taken(dsn)
    assert found.foreign == 2
    assert found.rows["seq"].tolist() == [1]


def test_stock_that_disagrees_is_told(store: psycopg.Connection, dsn: str) -> None:
    order(store, 1)
    store.execute("UPDATE stock_quant SET reserved_quantity = 0 WHERE product_id = 1")
    (told,) = taken(dsn).disagreements
    assert told.startswith("product 1: 0 reserved in stock, 2 held by transfers")


def test_a_document_without_its_file_is_missing_whatever_the_checksum_says(tmp_path: Path) -> None:
    rows = [(7, None, "a" * 40)]
    assert documents.read(rows, None)[7].whole
    assert not documents.read(rows, DocumentFolder(tmp_path).contents)[7].whole


def test_the_marketplace_is_asked_too(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = np.zeros(1, ROW)
    rows["seq"], rows["stage"] = 1, Stage.CONFIRMED
    taken = {
        "payment": {"pd-r1-0-1": 1},
        "carrier": {},
        "marketplace": {"pd-r1-0-1": 2, "pd-r1-0-2": 1},
    }
    monkeypatch.setattr(partners, "remembered", lambda _url, partner, _: Memory(taken[partner], {}))
    there = replace(endpoints(""), partners_url="there")
    assert partners.disagreements(there, RUN, rows) == [
        "marketplace: pd-r1-0-1 taken 2 times",
        "marketplace: pd-r1-0-2 taken, yet no such order is in the store",
    ]


@pytest.mark.parametrize(
    ("taken", "cancelled", "told"),
    [
        ({"here": 1, "gone": 1}, {"gone": 1}, []),
        ({"here": 1}, {"here": 1}, ["payment: here cancelled, yet its order is in the store"]),
        ({"here": 1, "gone": 1}, {"gone": 2}, ["payment: gone cancelled 2 times"]),
        ({"here": 1}, {"gone": 1}, ["payment: gone cancelled, yet never taken"]),
        ({"here": 1, "gone": 2}, {"gone": 1}, ["payment: gone taken 2 times"]),
        ({}, {}, ["payment: here never told"]),
    ],
)
def test_what_was_taken_back_is_balanced_unless_its_order_is_there(
    taken: dict[str, int], cancelled: dict[str, int], told: list[str]
) -> None:
    memory = Memory(taken, cancelled)
    assert partners.unbalanced("payment", memory, due={"here"}, allowed={"here"}) == told
