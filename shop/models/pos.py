"""Tills: configurations, sessions, orders, payments."""

from __future__ import annotations

from shop.orm.fields import Field, Model, char, choice, many2one, money, number, one2many

NOW = "(now() at time zone 'UTC')"
CURRENT = (
    "SELECT s.id FROM pos_session s WHERE s.config_id = {t}.id AND s.state = 'opened'"
    " ORDER BY s.id DESC LIMIT 1"
)

POS = (
    Model("pos.payment.method", "Payment Methods", {"name": char("Method", required=True)}),
    Model(
        "pos.config",
        "Point of Sale Configuration",
        {
            "name": char("Point of Sale", required=True),
            "payment_method_id": many2one("Method", "pos.payment.method"),
            "current_session_id": many2one("Current Session", "pos.session", sql=CURRENT),
            "payment_method_ids": Field(
                "many2many",
                "Payment Methods",
                relation="pos.payment.method",
                sql="ARRAY[{t}.payment_method_id]",
            ),
            "pricelist_id": many2one("Default Pricelist", "product.pricelist"),
        },
    ),
    Model(
        "pos.session",
        "Point of Sale Session",
        {
            "name": char("Session ID"),
            "config_id": many2one("Point of Sale", "pos.config", required=True),
            "user_id": many2one("Opened By", "res.users", default="2"),
            "state": choice(
                "Status",
                ("opening_control", "Opening Control"),
                ("opened", "In Progress"),
                ("closing_control", "Closing Control"),
                ("closed", "Closed & Posted"),
                default="'opened'",
            ),
        },
        order="id desc",
    ),
    Model(
        "pos.order",
        "Point of Sale Orders",
        {
            "name": char("Order Ref"),
            "uuid": char("Uuid"),
            "pos_reference": char("Receipt Number", index=True),
            "access_token": char("Security Token"),
            "session_id": many2one("Session", "pos.session", required=True, index=True),
            "config_id": many2one("Point of Sale", "pos.config"),
            "partner_id": many2one("Customer", "res.partner"),
            "user_id": many2one("Employee", "res.users"),
            "company_id": many2one("Company", "res.company", default="1"),
            "date_order": Field("datetime", "Date", default=NOW),
            "state": choice(
                "Status",
                ("draft", "New"),
                ("cancel", "Cancelled"),
                ("paid", "Paid"),
                ("done", "Posted"),
                default="'draft'",
            ),
            "sequence_number": Field("integer", "Sequence Number", default="1"),
            "amount_tax": money("Taxes"),
            "amount_total": money("Total"),
            "amount_paid": money("Paid"),
            "amount_return": money("Returned"),
            "lines": one2many("Order Lines", "pos.order.line", "order_id"),
            "payment_ids": one2many("Payments", "pos.payment", "pos_order_id"),
            "picking_ids": one2many("Pickings", "stock.picking", "pos_order_id"),
            "account_move": many2one("Invoice", "account.move"),
        },
        order="date_order desc, name desc, id desc",
        constraints=("CONSTRAINT pos_order_uuid_unique UNIQUE (uuid)",),
    ),
    Model(
        "pos.order.line",
        "Point of Sale Order Lines",
        {
            "order_id": many2one("Order Ref", "pos.order", required=True, index=True),
            "name": char("Line No"),
            "uuid": char("Uuid"),
            "product_id": many2one("Product", "product.product", required=True),
            "qty": number("Quantity", default="1"),
            "price_unit": number("Unit Price"),
            "discount": number("Discount (%)"),
            "price_subtotal": money("Tax Excl."),
            "price_subtotal_incl": money("Tax Incl."),
            "full_product_name": char("Full Product Name"),
            "company_id": many2one("Company", "res.company", default="1"),
        },
        rec_name="({t}.name)",
        constraints=("FOREIGN KEY (order_id) REFERENCES pos_order (id) ON DELETE CASCADE",),
    ),
    Model(
        "pos.payment",
        "Point of Sale Payments",
        {
            "pos_order_id": many2one("Order", "pos.order", required=True, index=True),
            "session_id": many2one("Session", "pos.session"),
            "payment_method_id": many2one("Payment Method", "pos.payment.method"),
            "name": char("Label"),
            "uuid": char("Uuid"),
            "amount": money("Amount"),
            "payment_date": Field("datetime", "Date", default=NOW),
            "company_id": many2one("Company", "res.company", default="1"),
        },
        order="id desc",
        constraints=("FOREIGN KEY (pos_order_id) REFERENCES pos_order (id) ON DELETE CASCADE",),
    ),
    Model(
        "report.pos.order",
        "Point of Sale Orders Report",
        {
            "config_id": many2one("Point of Sale", "pos.config"),
            "product_id": many2one("Product", "product.product"),
            "price_total": money("Total Price"),
            "product_qty": number("Product Quantity"),
            "date": Field("datetime", "Order Date"),
        },
        rec_name="({t}.id::varchar)",
        view="SELECT l.id, o.config_id, l.product_id, l.price_subtotal_incl AS price_total,"
        " l.qty AS product_qty, o.date_order AS date"
        " FROM pos_order_line l JOIN pos_order o ON o.id = l.order_id",
    ),
)
