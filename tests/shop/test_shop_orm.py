"""Domains and groups, against PostgreSQL rather than against expectations of SQL."""

from __future__ import annotations

import pytest

from tests.shop.stand import RpcError

CODES = [["default_code", "=like", "PD-000%"]]


def codes(shop, *leaves):
    domain = [*leaves, *CODES]
    found = shop.rpc("product.product", "search_read", domain, fields=["default_code"], order="id")
    return [int(record["default_code"][3:]) for record in found]


@pytest.mark.parametrize(
    ("leaves", "expected"),
    [
        ([["id", "in", [1, 3]]], [1, 3]),
        ([["id", "not in", [1, 3]]], [2, 4, 5, 6, 7, 8, 9]),
        ([["id", "<=", 2]], [1, 2]),
        ([["id", "!=", 1], ["id", "<", 4]], [2, 3]),
        (["|", ["id", "=", 1], ["id", "=", 2]], [1, 2]),
        (["!", "|", ["id", "<", 5], ["id", ">", 6]], [5, 6]),
        (["&", ["id", ">", 2], "!", ["id", "=", 4], ["id", "<", 6]], [3, 5]),
        ([["product_tmpl_id.name", "ilike", "product 7"]], [7]),
        ([["product_tmpl_id", "=", 4]], [4]),
        ([["barcode", "=", False], ["id", "<", 3]], [1, 2]),
        ([["barcode", "!=", False]], []),
        ([["default_code", "not like", "5"], ["id", ">", 4], ["id", "<", 7]], [6]),
        ([["list_price", ">=", 18.0]], [8, 9]),
        ([["qty_available", ">", 0], ["id", "=", 9]], [9]),
        ([["active", "=", True], ["id", "=", 9]], [9]),
    ],
)
def test_a_domain_means_what_it_means_in_odoo(shop, leaves, expected):
    assert codes(shop, *leaves) == expected


def test_lines_are_found_through_their_order_and_orders_through_their_lines(shop):
    line = {"product_id": 31, "product_uom_qty": 1}
    made = shop.rpc(
        "sale.order", "create",
        {"partner_id": 102, "client_order_ref": "orm", "order_line": [[0, 0, line]]},
    )  # fmt: skip
    assert shop.rpc("sale.order", "search", [["order_line.product_id", "=", 31]]) == [made]
    found = shop.rpc("sale.order.line", "search_read", [["order_id.client_order_ref", "=", "orm"]],
                     fields=["order_id", "product_id"])  # fmt: skip
    assert [record["product_id"] for record in found] == [[31, "[PD-0031] PD Product 31"]]


def test_paging_and_order(shop):
    page = shop.rpc("product.product", "search", CODES, offset=2, limit=3, order="id desc")
    assert page == [7, 6, 5]
    assert shop.rpc("product.product", "search_count", CODES, limit=4) == 4
    with pytest.raises(RpcError):
        shop.rpc("product.product", "search", CODES, order="id; DROP TABLE sale_order")


def test_archived_records_hide(shop):
    made = shop.rpc("res.partner", "create", {"name": "Gone", "active": False})
    assert shop.rpc("res.partner", "search", [["name", "=", "Gone"]]) == []
    assert shop.rpc("res.partner", "search", [["name", "=", "Gone"], ["active", "=", False]]) == [
        made
    ]


def test_an_order_written_through_its_lines_adds_up(shop):
    made = shop.rpc(
        "sale.order", "create",
        {"partner_id": 102, "order_line": [[0, 0, {"product_id": 1, "price_unit": 10}]]},
    )  # fmt: skip
    line = shop.rpc("sale.order", "read", [made], ["order_line"])[0]["order_line"][0]
    extra = [0, 0, {"product_id": 2, "price_unit": 5}]
    shop.rpc("sale.order", "write", [made], {"order_line": [extra, [1, line, {"price_unit": 7}]]})
    assert shop.rpc("sale.order", "read", [made], ["amount_total"])[0]["amount_total"] == 12.0


def test_groups_by_month_and_by_relation(shop):
    for day, price in (("2026-01-05", 1), ("2026-01-20", 2), ("2026-02-03", 4)):
        shop.rpc(
            "account.move", "create",
            {"move_type": "out_invoice", "partner_id": 120, "invoice_date": day,
             "invoice_line_ids": [[0, 0, {"product_id": 1, "price_unit": price}]]},
        )  # fmt: skip
    mine = [["partner_id", "=", 120]]
    months = shop.rpc(
        "account.move", "formatted_read_group", mine, ["invoice_date:month"], ["amount_total:sum"]
    )
    assert [(m["invoice_date:month"], m["amount_total:sum"]) for m in months] == [
        (["2026-01-01", "January 2026"], 3.0),
        (["2026-02-01", "February 2026"], 4.0),
    ]
    for month in months:  # each group's domain picks its own records
        inside = [*mine, *month["__extra_domain"]]
        assert shop.rpc("account.move", "search_count", inside) >= 1
    partners = shop.rpc("account.move", "read_group", mine, ["__count"], ["partner_id"], lazy=False)
    assert [group["partner_id"] for group in partners] == [[120, "PD Customer 20"]]
