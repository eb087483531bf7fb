"""Quotations and sales orders."""

from __future__ import annotations

from shop.orm.fields import Field, Model, char, choice, many2one, money, number, one2many

STATES = (
    ("draft", "Quotation"),
    ("sent", "Quotation Sent"),
    ("sale", "Sales Order"),
    ("cancel", "Cancelled"),
)
STATES_14 = (*STATES[:3], ("done", "Locked"), STATES[3])
OF_ORDER = "SELECT o.{c} FROM sale_order o WHERE o.id = {{t}}.order_id"
# What may be invoiced follows the product's policy: ordered or delivered quantities.
INVOICEABLE = (
    "SELECT CASE WHEN {t}.state <> 'sale' THEN 'no'"
    " WHEN bool_and(l.qty_invoiced >= l.product_uom_qty) THEN 'invoiced'"
    " WHEN bool_or(l.qty_invoiced < CASE pt.invoice_policy WHEN 'delivery' THEN l.qty_delivered"
    " ELSE l.product_uom_qty END) THEN 'to invoice' ELSE 'no' END"
    " FROM sale_order_line l JOIN product_product pp ON pp.id = l.product_id"
    " JOIN product_template pt ON pt.id = pp.product_tmpl_id WHERE l.order_id = {t}.id"
)
DELIVERY = (
    "SELECT CASE WHEN bool_and(p.state IN ('done', 'cancel')) THEN 'full'"
    " WHEN bool_or(p.state = 'done') THEN 'partial' ELSE 'pending' END"
    " FROM stock_picking p WHERE p.sale_id = {t}.id"
)

SALE = (
    Model(
        "sale.order",
        "Sales Order",
        {
            "name": char("Order Reference", index=True),
            "partner_id": many2one("Customer", "res.partner", required=True),
            "client_order_ref": char("Customer Reference", index=True),
            "origin": char("Source Document"),
            "state": choice("Status", *STATES, default="'draft'", older=STATES_14),
            "note": Field("html", "Terms and conditions"),
            "date_order": Field(
                "datetime", "Order Date", required=True, default="(now() at time zone 'UTC')"
            ),
            "company_id": many2one("Company", "res.company", default="1"),
            "user_id": many2one("Salesperson", "res.users", default="2"),
            "order_line": one2many("Order Lines", "sale.order.line", "order_id"),
            "picking_ids": one2many("Transfers", "stock.picking", "sale_id"),
            "amount_untaxed": money("Untaxed Amount"),
            "amount_tax": money("Taxes"),
            "amount_total": money("Total"),
            "invoice_status": choice(
                "Invoice Status",
                ("invoiced", "Fully Invoiced"),
                ("to invoice", "To Invoice"),
                ("no", "Nothing to Invoice"),
                sql=INVOICEABLE,
            ),
            "delivery_status": choice(
                "Delivery Status",
                ("pending", "Not Delivered"),
                ("partial", "Partially Delivered"),
                ("full", "Fully Delivered"),
                sql=DELIVERY,
                since=17,
            ),
            "invoice_ids": Field(
                "many2many",
                "Invoices",
                relation="account.move",
                sql="SELECT array_agg(DISTINCT m.move_id) FROM account_move_line m"
                " JOIN sale_order_line l ON l.id = m.sale_line_id WHERE l.order_id = {t}.id",
            ),
        },
        order="date_order desc, id desc",
        needs_to_write="sale",
    ),
    Model(
        "sale.order.line",
        "Sales Order Line",
        {
            "order_id": many2one("Order Reference", "sale.order", required=True, index=True),
            "name": Field("text", "Description"),
            "product_id": many2one("Product", "product.product"),
            "product_uom_qty": number("Quantity", default="1"),
            "price_unit": number("Unit Price"),
            "discount": number("Discount (%)"),
            "price_subtotal": money("Subtotal"),
            "price_tax": money("Total Tax"),
            "price_total": money("Total"),
            "qty_delivered": number("Delivery Quantity"),
            "qty_invoiced": number("Invoiced Quantity"),
            "sequence": Field("integer", "Sequence", default="10"),
            "company_id": many2one("Company", "res.company", default="1"),
            "state": choice("Order Status", *STATES, default="'draft'"),
            "order_partner_id": many2one(
                "Customer", "res.partner", sql=OF_ORDER.format(c="partner_id")
            ),
        },
        rec_name="({t}.name)",
        order="order_id, sequence, id",
        needs_to_write="sale",
        constraints=("FOREIGN KEY (order_id) REFERENCES sale_order (id) ON DELETE CASCADE",),
    ),
    Model(
        "sale.report",
        "Sales Analysis Report",
        {
            "product_id": many2one("Product Variant", "product.product"),
            "partner_id": many2one("Customer", "res.partner"),
            "price_total": money("Total"),
            "product_uom_qty": number("Qty Ordered"),
            "state": choice("Status", *STATES),
            "date": Field("datetime", "Order Date"),
        },
        rec_name="({t}.id::varchar)",
        view="SELECT l.id, l.product_id, o.partner_id, l.price_total, l.product_uom_qty, o.state,"
        " o.date_order AS date FROM sale_order_line l JOIN sale_order o ON o.id = l.order_id",
    ),
    Model(
        "sale.advance.payment.inv",
        "Sales Advance Payment Invoice",
        {
            "advance_payment_method": char("Create Invoice", default="'delivered'"),
            "active_ids": char("Orders of the context"),
        },
        rec_name="({t}.id::varchar)",
    ),
)
