"""What the recorder had prepared, and what it did off the record."""

from __future__ import annotations

import json

from tests.shop.cases import Case
from tests.shop.stand import Postgres, Shop
from tests.shop.translate import Ids

# First ids of the recorder's products, its customer, and a user without rights.
FIRST_PRODUCT = {14: 3, 18: 34, 19: 4}
CUSTOMER = {14: 7, 18: 35, 19: 6}
NOBODY = {14: 6, 18: 35, 19: 5}
STOCK = {14: 8, 18: 8, 19: 5}
CATEGORY = {14: 5, 18: 34, 19: 6}
TILLS = 8
FIRST_METHOD = {14: 3, 18: 1, 19: 1}
FIRST_CONFIG = {14: 2, 18: 1, 19: 1}

SEED = """
INSERT INTO res_partner (id, name, ref, email) VALUES (900, 'Feas Customer', 'FEAS-CUST',
    'c@example.invalid'), (901, 'Nobody', NULL, NULL);
INSERT INTO res_users (id, login, partner_id, groups, password)
SELECT 900, 'nobody', 901, 'user', password FROM res_users WHERE id = 2;
INSERT INTO product_template (id, name, default_code, list_price, type, invoice_policy)
SELECT 900 + n, 'Feas product ' || n, 'FEAS-' || lpad(n::text, 3, '0'), 10 + n,
       %(type)s, %(policy)s FROM generate_series(0, 19) n;
INSERT INTO product_product (id, product_tmpl_id, default_code)
SELECT id, id, default_code FROM product_template WHERE id >= 900;
INSERT INTO stock_quant (product_id, location_id, quantity)
SELECT id, 1, 100000 FROM product_product WHERE id >= 900;
DELETE FROM pos_session; DELETE FROM pos_config;
INSERT INTO pos_payment_method (id, name) SELECT 900 + n, 'Cash ' || n FROM generate_series(0, 7) n;
INSERT INTO pos_config (id, name, payment_method_id)
SELECT 900 + n, 'Feas shop ' || n, 900 + n FROM generate_series(0, 7) n;
INSERT INTO pos_session (id, name, config_id, state)
SELECT 900 + n, 'Feas shop ' || n || '/0000' || n + 1, 900 + n, 'opened'
FROM generate_series(0, 7) n;
"""


def prepare(server: Postgres, shop: Shop) -> Ids:
    """The recorder's products, customer and tills, under ids of our own."""
    dialect = shop.config["dialect"]
    old = dialect < 17
    facts = {"type": "product" if old else "consu", "policy": "delivery" if old else "order"}
    with server.connect(shop.config["database"]) as connection:
        for statement in SEED.split(";\n"):
            if statement.strip():
                connection.execute(statement, facts if "%(" in statement else None)
        for table in ("res_partner", "res_users", "product_template", "product_product"):
            connection.execute(f"SELECT setval('{table}_id_seq', (SELECT max(id) FROM {table}))")
        if old:
            connection.execute("UPDATE pos_config SET pricelist_id = 1")
    ids = Ids()
    for number in range(20):
        ids.learn("product.product", FIRST_PRODUCT[dialect] + number, 900 + number)
    ids.learn("res.partner", CUSTOMER[dialect], 900)
    ids.learn("res.users", NOBODY[dialect], 900)
    ids.learn("stock.location", STOCK[dialect], 1)
    ids.learn("product.category", CATEGORY[dialect], 2)
    for number in range(TILLS):
        ids.learn("pos.payment.method", FIRST_METHOD[dialect] + number, 900 + number)
        ids.learn("pos.session", 1 + number, 900 + number)
        ids.learn("pos.config", FIRST_CONFIG[dialect] + number, 900 + number)
    return ids


def order(shop: Shop, product: int, quantity: float) -> tuple[int, list[int]]:
    """A confirmed order, its transfer and its moves."""
    values = {"partner_id": 900, "client_order_ref": f"ST-{product}-{quantity}",
              "order_line": [[0, 0, {"product_id": product, "product_uom_qty": quantity}]]}  # fmt: skip
    made = shop.rpc("sale.order", "create", values)
    shop.rpc("sale.order", "action_confirm", [made])
    picking = shop.rpc("sale.order", "read", [made], ["picking_ids"])[0]["picking_ids"][0]
    return picking, shop.rpc("stock.move", "search", [["picking_id", "=", picking]])


# Before which case an order was made that the recording does not show: (product, quantity).
ORDERS = {
    "stock.picking_read_after_confirm": (903, 5),
    "stock.insufficient.read": (903, 10_000_000),
    "fulfil.validate_without_picked": (903, 2),
    "fulfil.validate_immediate": (903, 2),
    "fulfil.partial_set": (903, 6),
    "fulfil.json2.moves": (903, 1),
}


def off_the_record(shop: Shop, ids: Ids, case: Case) -> None:
    """Do what the recorder did before this case, and learn its ids."""
    if case.name in ORDERS:
        if case.name.startswith("fulfil.") and ids.of("greedy", 1) != 1:
            shop.rpc("stock.picking", "do_unreserve", [ids.of("greedy", 1)])
        picking, moves = order(shop, *ORDERS[case.name])
        if case.name == "stock.insufficient.read":
            ids.learn("greedy", 1, picking)
        recorded = first_id(case)
        if case.name == "fulfil.partial_set":
            lines = shop.rpc("stock.move.line", "search", [["picking_id", "=", picking]])
            ids.learn("stock.move", recorded, moves[0])
            ids.learn("stock.move.line", recorded, lines[0])
            # the recorder made this order before the one that was validated meanwhile
            ids.learn("stock.picking", partial_picking(shop.config["dialect"]), picking)
        else:
            ids.learn("stock.picking", recorded, picking)
    for product, quantity in ALSO_SOLD.get((shop.config["dialect"], case.name), ()):
        order(shop, product, quantity)
    if case.name == "error.jsonrpc.user_error_post_without_lines":
        move = {"move_type": "out_invoice", "partner_id": 900}
        ids.learn("account.move", first_id(case), shop.rpc("account.move", "create", move))


# What else the recorder had sold can be seen in the report alone.
ALSO_SOLD = {
    (14, "fin.sale_report"): ((903, 1),),
    (18, "fin.sale_report"): ((901, 1), (902, 1)),
}


def partial_picking(dialect: int) -> int:
    return {14: 5, 18: 5, 19: 6}[dialect]


def first_id(case: Case) -> int:
    """The first id in the arguments of a call."""
    text = json.dumps(case.request["body"])
    params = case.request["body"].get("params", case.request["body"])
    arguments = params["args"][5] if "args" in params else [params["domain"]]
    found: list[int] = []

    def walk(value: object) -> None:
        if isinstance(value, bool):
            return
        if isinstance(value, int):
            found.append(value)
        elif isinstance(value, (list, tuple)):
            for item in value:
                walk(item)

    walk(arguments)
    assert found, text
    return found[0]
