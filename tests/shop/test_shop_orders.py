"""Orders, stock, documents and invoices agree with each other, whoever else is at work."""

from __future__ import annotations

import base64
import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.shop.stand import RpcError


def order(shop, reference, lines=((1, 2, 24.0),), **more):
    values = {
        "partner_id": 101,
        "client_order_ref": reference,
        "order_line": [
            [0, 0, {"product_id": p, "product_uom_qty": q, "price_unit": u}] for p, q, u in lines
        ],
        **more,
    }
    return shop.rpc("sale.order", "create", values)


def pickings(shop, made):
    return shop.rpc("sale.order", "read", [made], ["picking_ids"])[0]["picking_ids"]


def quant(database, product):
    return database.execute(
        "SELECT quantity, reserved_quantity FROM stock_quant WHERE product_id = %s", [product]
    ).fetchone()


def test_the_same_reference_makes_two_orders(shop):
    assert order(shop, "twice") != order(shop, "twice")
    assert shop.rpc("sale.order", "search_count", [["client_order_ref", "=", "twice"]]) == 2


def test_a_confirmed_order_is_reserved_moved_and_owed(shop, database):
    before = quant(database, 11)
    made = order(shop, "agree", [(11, 3, 10.0), (12, 1, 5.5)])
    shop.rpc("sale.order", "action_confirm", [made])
    assert quant(database, 11) == (before[0], before[1] + 3)
    rows = database.execute(
        "SELECT l.product_uom_qty, m.product_uom_qty, m.quantity, ml.quantity, m.state, p.state"
        " FROM sale_order_line l JOIN stock_move m ON m.sale_line_id = l.id"
        " JOIN stock_move_line ml ON ml.move_id = m.id JOIN stock_picking p ON p.id = m.picking_id"
        " WHERE l.order_id = %s ORDER BY l.id",
        [made],
    ).fetchall()
    assert rows == [(3, 3, 3, 3, "assigned", "assigned"), (1, 1, 1, 1, "assigned", "assigned")]
    total = database.execute("SELECT amount_total FROM sale_order WHERE id = %s", [made]).fetchone()
    assert float(total[0]) == 35.5
    owed = database.execute("SELECT partner FROM shop_outbox WHERE key = 'agree'").fetchall()
    assert owed == [("payment",)]


def test_a_cancelled_order_gives_its_stock_back(shop, database):
    before = quant(database, 13)
    made = order(shop, "cancelled", [(13, 7, 1.0)])
    shop.rpc("sale.order", "action_confirm", [made])
    shop.rpc("sale.order", "action_cancel", [made])
    assert quant(database, 13) == before
    states = database.execute(
        "SELECT state FROM stock_picking WHERE sale_id = %s", [made]
    ).fetchall()
    assert states == [("cancel",)]


def test_a_validated_transfer_takes_the_goods_away(shop, database):
    before = quant(database, 14)
    made = order(shop, "delivered", [(14, 4, 1.0)])
    shop.rpc("sale.order", "action_confirm", [made])
    transfer = pickings(shop, made)
    moves = shop.rpc("stock.move", "search", [["picking_id", "in", transfer]])
    assert shop.rpc("stock.move", "write", moves, {"picked": True}) is True
    assert shop.rpc("stock.picking", "button_validate", transfer) is True
    assert quant(database, 14) == (before[0] - 4, before[1])
    line = database.execute(
        "SELECT qty_delivered FROM sale_order_line WHERE order_id = %s", [made]
    ).fetchone()
    assert float(line[0]) == 4
    carrier = "SELECT count(*) FROM shop_outbox WHERE key = 'delivered' AND partner = 'carrier'"
    assert database.execute(carrier).fetchone() == (1,)


def test_no_more_is_promised_than_there_is(shop, database):
    """Forty orders of 3 want 120 of a product of which there are 100, all at once."""
    template = shop.rpc(
        "product.product", "create", {"name": "Scarce", "default_code": "SCARCE", "list_price": 1}
    )
    quants = shop.rpc(
        "stock.quant", "create", {"product_id": template, "inventory_quantity": 100},
        context={"inventory_mode": True},
    )  # fmt: skip
    shop.rpc("stock.quant", "action_apply_inventory", [quants])
    made = [order(shop, f"scarce-{n}", [(template, 3, 1.0)]) for n in range(40)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda one: shop.rpc("sale.order", "action_confirm", [one]), made))
    assert quant(database, template) == (100, 100)
    reserved = database.execute(
        "SELECT sum(quantity), count(*) FILTER (WHERE state = 'assigned') FROM stock_move"
        " WHERE product_id = %s",
        [template],
    ).fetchone()
    assert reserved == (100, 33)


def test_one_uuid_is_one_till_order_even_at_the_same_moment(shop, database):
    sale = {
        "uuid": "till-1", "name": "Order till-1", "session_id": 1, "user_id": 2, "state": "paid",
        "lines": [[0, 0, {"product_id": 21, "qty": 2, "price_unit": 5, "price_subtotal": 10,
                          "price_subtotal_incl": 10}]],
        "payment_ids": [[0, 0, {"amount": 10, "payment_method_id": 1}]],
        "amount_paid": 10, "amount_total": 10, "amount_tax": 0, "amount_return": 0,
    }  # fmt: skip
    before = quant(database, 21)
    start = threading.Barrier(6)

    def sync(_):
        start.wait()
        return shop.rpc("pos.order", "sync_from_ui", [sale])["pos.order"][0]["id"]

    with ThreadPoolExecutor(6) as pool:
        assert len(set(pool.map(sync, range(6)))) == 1
    counts = database.execute(
        "SELECT (SELECT count(*) FROM pos_order WHERE uuid = 'till-1'),"
        " (SELECT count(*) FROM pos_payment p JOIN pos_order o ON o.id = p.pos_order_id"
        "  WHERE o.uuid = 'till-1')"
    ).fetchone()
    assert counts == (1, 1)
    assert quant(database, 21) == (before[0] - 2, before[1])


def test_a_document_is_on_disk_under_its_digest(shop):
    content = b"proof of delivery"
    made = shop.rpc(
        "ir.attachment", "create",
        {"name": "proof", "datas": base64.b64encode(content).decode(), "res_model": "sale.order",
         "res_id": 1},
    )  # fmt: skip
    kept = shop.rpc("ir.attachment", "read", [made], ["store_fname", "checksum", "file_size"])[0]
    digest = hashlib.sha1(content).hexdigest()
    assert kept["store_fname"] == f"{digest[:2]}/{digest}"
    assert kept["checksum"] == digest
    assert kept["file_size"] == len(content)
    path = Path(shop.config["filestore"]) / kept["store_fname"]
    assert path.read_bytes() == content
    path.unlink()
    assert shop.rpc("ir.attachment", "read", [made], ["datas"])[0]["datas"] in ("", False)


def test_posted_invoices_balance_and_are_counted(shop, database):
    for number in range(3):
        move = shop.rpc(
            "account.move", "create",
            {"move_type": "out_invoice", "partner_id": 101, "ref": f"pd-run-{number}",
             "invoice_line_ids": [[0, 0, {"product_id": 1, "quantity": 2, "price_unit": 9.99}]]},
        )  # fmt: skip
        if number < 2:
            shop.rpc("account.move", "action_post", [move])
    mine = [["ref", "=like", "pd-run-%"], ["state", "=", "posted"]]
    assert shop.rpc("account.move", "search_count", mine) == 2
    by_group = shop.rpc("account.move", "formatted_read_group", mine, ["state"], ["__count"])
    assert [group["__count"] for group in by_group] == [2]
    older = shop.rpc(
        "account.move", "read_group", mine, ["amount_total:sum"], ["state"], lazy=False
    )
    assert [(group["__count"], group["amount_total"]) for group in older] == [(2, 39.96)]
    unbalanced = database.execute(
        "SELECT move_id FROM account_move_line GROUP BY move_id HAVING sum(debit) <> sum(credit)"
    ).fetchall()
    assert unbalanced == []


def test_a_failed_call_leaves_nothing_behind(shop):
    with pytest.raises(RpcError) as refused:
        order(shop, "half", [(1, 1, 1.0), (999_999, 1, 1.0)])
    assert refused.value.name == "odoo.exceptions.MissingError"
    assert shop.rpc("sale.order", "search_count", [["client_order_ref", "=", "half"]]) == 0


def test_a_plain_user_may_not_touch_what_is_not_his(shop):
    shop.rpc("res.users", "create", {"name": "Plain", "login": "plain"})
    with pytest.raises(RpcError) as refused:
        shop.rpc("sale.order", "create", {"partner_id": 101}, password="wrong")
    assert refused.value.name == "odoo.exceptions.AccessDenied"


def test_installing_again_changes_nothing(shop, database):
    count = "SELECT (SELECT count(*) FROM product_product WHERE default_code LIKE 'PD-%'),"
    count += " (SELECT sum(reserved_quantity) FROM stock_quant), (SELECT count(*) FROM res_users)"
    before = database.execute(count).fetchone()
    shop.install()
    assert database.execute(count).fetchone() == before
    assert before[0] == 201
