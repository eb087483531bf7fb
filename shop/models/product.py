"""Products and their categories; on-hand figures come from the quants."""

from __future__ import annotations

from shop.orm.fields import Field, Model, char, choice, flag, many2one, number

TEMPLATE = "SELECT pt.{c} FROM product_template pt WHERE pt.id = {{t}}.product_tmpl_id"
QUANTS = (
    "SELECT coalesce(sum({c}), 0) FROM stock_quant q JOIN stock_location l ON l.id = q.location_id"
    " WHERE q.product_id = {{t}}.id AND l.usage = 'internal'"
)


def of_template(column: str, type_: str, string: str, relation: str = "") -> Field:
    return Field(
        type_,
        string,
        relation=relation,
        sql=TEMPLATE.format(c=column),
        delegate="product_tmpl_id",
    )


TYPES_19 = (("consu", "Goods"), ("service", "Service"), ("combo", "Combo"))
TYPES_14 = (("consu", "Consumable"), ("service", "Service"), ("product", "Storable Product"))

PRODUCT = (
    Model("product.pricelist", "Pricelist", {"name": char("Pricelist Name", required=True)}),
    Model("uom.uom", "Product Unit of Measure", {"name": char("Unit", required=True)}),
    Model(
        "product.category",
        "Product Category",
        {
            "name": char("Name", required=True),
            "parent_id": many2one("Parent Category", "product.category"),
        },
    ),
    Model(
        "product.template",
        "Product",
        {
            "name": char("Name", required=True),
            "default_code": char("Internal Reference"),
            "list_price": number("Sales Price", default="1"),
            "type": choice("Product Type", *TYPES_19, *TYPES_14[2:], default="'consu'"),
            "is_storable": flag("Track Inventory", default=True),
            "invoice_policy": choice(
                "Invoicing Policy",
                ("order", "Ordered quantities"),
                ("delivery", "Delivered quantities"),
                default="'order'",
            ),
            "categ_id": many2one("Product Category", "product.category", default="1"),
            "uom_id": many2one("Unit", "uom.uom", default="1"),
            "available_in_pos": flag("Available in POS", default=True),
            "sale_ok": flag("Sales", default=True),
            "active": flag("Active", default=True),
        },
        needs_to_write="product",
    ),
    Model(
        "product.product",
        "Product Variant",
        {
            "product_tmpl_id": many2one(
                "Product Template", "product.template", required=True, index=True
            ),
            "default_code": char("Internal Reference", index=True),
            "barcode": char("Barcode"),
            "active": flag("Active", default=True),
            "name": of_template("name", "char", "Name"),
            "list_price": of_template("list_price", "float", "Sales Price"),
            "lst_price": of_template("list_price", "float", "Sales Price"),
            "type": of_template("type", "selection", "Product Type"),
            "is_storable": of_template("is_storable", "boolean", "Track Inventory"),
            "available_in_pos": of_template("available_in_pos", "boolean", "Available in POS"),
            "invoice_policy": of_template("invoice_policy", "selection", "Invoicing Policy"),
            "sale_ok": of_template("sale_ok", "boolean", "Sales"),
            "categ_id": of_template("categ_id", "many2one", "Category", "product.category"),
            "uom_id": of_template("uom_id", "many2one", "Unit", "uom.uom"),
            "qty_available": number("Quantity On Hand", sql=QUANTS.format(c="q.quantity")),
            "virtual_available": number(
                "Forecasted Quantity", sql=QUANTS.format(c="q.quantity - q.reserved_quantity")
            ),
            "free_qty": number(
                "Free To Use Quantity", sql=QUANTS.format(c="q.quantity - q.reserved_quantity")
            ),
        },
        rec_name=(
            "(SELECT coalesce('[' || {t}.default_code || '] ', '') || pt.name"
            " FROM product_template pt WHERE pt.id = {t}.product_tmpl_id)"
        ),
        order="default_code, id",
        needs_to_write="product",
    ),
)
