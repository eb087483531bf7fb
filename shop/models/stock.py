"""Locations, quants, transfers, moves and their lines."""

from __future__ import annotations

from shop.orm.fields import Field, Model, char, choice, flag, many2one, number, one2many

STATES = (
    ("draft", "Draft"),
    ("waiting", "Waiting Another Operation"),
    ("confirmed", "Waiting"),
    ("partially_available", "Partially Available"),
    ("assigned", "Ready"),
    ("done", "Done"),
    ("cancel", "Cancelled"),
)
NOW = "(now() at time zone 'UTC')"
NEVER_NEGATIVE = (
    "CONSTRAINT stock_quant_never_negative"
    " CHECK (reserved_quantity >= 0 AND quantity >= reserved_quantity)"
)
RESERVED = "CASE WHEN {t}.state = 'done' THEN 0 ELSE {t}.quantity END"
DONE = "CASE WHEN {t}.picked OR {t}.state = 'done' THEN {t}.quantity ELSE 0 END"


def wizard(name: str, description: str) -> Model:
    return Model(
        name,
        description,
        {
            "pick_ids": char("Transfers"),
            "show_transfers": flag("Show Transfers"),
        },
        rec_name="({t}.id::varchar)",
    )


STOCK = (
    Model(
        "stock.location",
        "Inventory Locations",
        {
            "name": char("Location Name", required=True),
            "complete_name": char("Full Location Name"),
            "usage": choice(
                "Location Type",
                ("supplier", "Vendor"),
                ("internal", "Internal"),
                ("customer", "Customer"),
                ("inventory", "Inventory Loss"),
                default="'internal'",
            ),
            "active": flag("Active", default=True),
        },
        rec_name="({t}.complete_name)",
    ),
    Model(
        "stock.picking.type",
        "Picking Type",
        {"name": char("Operation Type", required=True), "code": char("Type of Operation")},
        rec_name="('My Company: ' || {t}.name)",
    ),
    Model("stock.warehouse", "Warehouse", {"name": char("Warehouse"), "code": char("Code")}),
    Model(
        "stock.quant",
        "Quants",
        {
            "product_id": many2one("Product", "product.product", required=True),
            "location_id": many2one("Location", "stock.location", required=True, default="1"),
            "company_id": many2one("Company", "res.company", default="1"),
            "quantity": number("Quantity"),
            "reserved_quantity": number("Reserved Quantity"),
            "available_quantity": number(
                "Available Quantity", sql="{t}.quantity - {t}.reserved_quantity"
            ),
            "inventory_quantity": number("Counted Quantity"),
            "inventory_quantity_set": flag("Inventory Quantity Set"),
            "in_date": Field("datetime", "Incoming Date", default=NOW),
        },
        rec_name="(SELECT l.complete_name FROM stock_location l WHERE l.id = {t}.location_id)",
        constraints=("UNIQUE (product_id, location_id)", NEVER_NEGATIVE),
    ),
    Model(
        "stock.picking",
        "Transfer",
        {
            "name": char("Reference", index=True),
            "state": choice("Status", *STATES, default="'draft'"),
            "origin": char("Source Document", index=True),
            "sale_id": many2one("Sales Order", "sale.order", index=True),
            "partner_id": many2one("Contact", "res.partner"),
            "picking_type_id": many2one("Operation Type", "stock.picking.type", default="2"),
            "location_id": many2one("Source Location", "stock.location", default="1"),
            "location_dest_id": many2one("Destination Location", "stock.location", default="2"),
            "scheduled_date": Field("datetime", "Scheduled Date", default=NOW),
            "date_done": Field("datetime", "Date of Transfer"),
            "backorder_id": many2one("Back Order of", "stock.picking", index=True),
            "backorder_ids": one2many("Back Orders", "stock.picking", "backorder_id"),
            "move_ids": one2many("Stock moves", "stock.move", "picking_id", since=16),
            "move_lines": one2many("Stock moves", "stock.move", "picking_id", until=15),
            "move_line_ids": one2many("Operations", "stock.move.line", "picking_id"),
            "company_id": many2one("Company", "res.company", default="1"),
            "pos_order_id": many2one("POS Order", "pos.order", index=True),
        },
        order="id desc",
    ),
    Model(
        "stock.move",
        "Stock Move",
        {
            "name": char("Description", until=18),
            "reference": char("Reference"),
            "picking_id": many2one("Transfer", "stock.picking", index=True),
            "sale_line_id": many2one("Sale Line", "sale.order.line", index=True),
            "product_id": many2one("Product", "product.product", required=True),
            "product_uom_qty": number("Demand"),
            "quantity": number("Quantity", since=17),
            "picked": flag("Picked", since=17),
            "reserved_availability": number("Quantity Reserved", sql=RESERVED, until=16),
            "quantity_done": number("Quantity Done", sql=DONE, until=16),
            "state": choice("Status", *STATES, default="'draft'"),
            "date": Field("datetime", "Date Scheduled", default=NOW),
            "origin": char("Source Document"),
            "location_id": many2one("Source Location", "stock.location", default="1"),
            "location_dest_id": many2one("Destination Location", "stock.location", default="2"),
            "company_id": many2one("Company", "res.company", default="1"),
            "move_line_ids": one2many("Operations", "stock.move.line", "move_id"),
        },
        rec_name="({t}.reference)",
        constraints=("FOREIGN KEY (picking_id) REFERENCES stock_picking (id)",),
    ),
    Model(
        "stock.move.line",
        "Product Moves (Stock Move Line)",
        {
            "move_id": many2one("Stock Operation", "stock.move", index=True),
            "picking_id": many2one("Transfer", "stock.picking", index=True),
            "product_id": many2one("Product", "product.product", required=True),
            "quantity": number("Quantity", since=17),
            "picked": flag("Picked", since=17),
            "product_uom_qty": number("Reserved", sql=RESERVED, until=16),
            "qty_done": number("Done", sql=DONE, until=16),
            "state": choice("Status", *STATES, default="'draft'"),
            "date": Field("datetime", "Date", default=NOW),
            "location_id": many2one("From", "stock.location", default="1"),
            "location_dest_id": many2one("To", "stock.location", default="2"),
            "company_id": many2one("Company", "res.company", default="1"),
        },
        rec_name="({t}.id::varchar)",
        constraints=("FOREIGN KEY (move_id) REFERENCES stock_move (id) ON DELETE CASCADE",),
    ),
    wizard("stock.backorder.confirmation", "Backorder Confirmation"),
    wizard("stock.immediate.transfer", "Immediate Transfer"),
)
