"""Journals, accounts, journal entries and their items."""

from __future__ import annotations

from shop.orm.fields import Field, Model, char, choice, many2one, money, number, one2many

STATES = (("draft", "Draft"), ("posted", "Posted"), ("cancel", "Cancelled"))
MOVE_TYPES = (
    ("entry", "Journal Entry"),
    ("out_invoice", "Customer Invoice"),
    ("out_refund", "Customer Credit Note"),
    ("in_invoice", "Vendor Bill"),
    ("in_refund", "Vendor Credit Note"),
    ("out_receipt", "Sales Receipt"),
    ("in_receipt", "Purchase Receipt"),
)

ACCOUNT = (
    Model(
        "account.account",
        "Account",
        {
            "name": char("Account Name", required=True),
            "code": char("Code"),
            "account_type": char("Type"),
        },
        order="code, id",
        needs="account",
    ),
    Model(
        "account.journal",
        "Journal",
        {
            "name": char("Journal Name", required=True),
            "code": char("Short Code"),
            "type": char("Type"),
        },
        needs="account",
    ),
    Model(
        "account.move",
        "Journal Entry",
        {
            "name": char("Number", index=True),
            "ref": char("Reference", index=True),
            "date": Field("date", "Date", default="current_date"),
            "invoice_date": Field("date", "Invoice/Bill Date"),
            "state": choice("Status", *STATES, required=True, default="'draft'"),
            "move_type": choice("Type", *MOVE_TYPES, required=True, default="'entry'"),
            "partner_id": many2one("Partner", "res.partner"),
            "journal_id": many2one("Journal", "account.journal", default="1"),
            "currency_id": many2one("Currency", "res.currency", default="1"),
            "company_id": many2one("Company", "res.company", default="1"),
            "invoice_origin": char("Origin", index=True),
            "amount_untaxed": money("Untaxed Amount"),
            "amount_tax": money("Tax"),
            "amount_total": money("Total"),
            "amount_residual": money("Amount Due"),
            "payment_state": choice(
                "Payment Status",
                ("not_paid", "Not Paid"),
                ("in_payment", "In Payment"),
                ("paid", "Paid"),
                ("partial", "Partially Paid"),
                default="'not_paid'",
            ),
            "line_ids": one2many("Journal Items", "account.move.line", "move_id"),
            "invoice_line_ids": Field(
                "one2many",
                "Invoice lines",
                relation="account.move.line",
                inverse="move_id",
                sql="SELECT array_agg(l.id ORDER BY l.id) FROM account_move_line l"
                " WHERE l.move_id = {t}.id AND l.display_type = 'product'",
            ),
        },
        order="date desc, name desc, id desc",
        needs="account",
        needs_to_write="account",
        rec_name="(coalesce({t}.name, 'Draft'))",
    ),
    Model(
        "account.move.line",
        "Journal Item",
        {
            "move_id": many2one("Journal Entry", "account.move", required=True, index=True),
            "account_id": many2one("Account", "account.account"),
            "partner_id": many2one("Partner", "res.partner"),
            "product_id": many2one("Product", "product.product"),
            "sale_line_id": many2one("Sale Line", "sale.order.line", index=True),
            "name": char("Label"),
            "display_type": char("Display Type", default="'product'"),
            "quantity": number("Quantity", default="1"),
            "price_unit": number("Unit Price"),
            "price_subtotal": money("Subtotal"),
            "price_total": money("Total"),
            "debit": money("Debit"),
            "credit": money("Credit"),
            "balance": money("Balance"),
            "amount_residual": money("Residual Amount"),
            "parent_state": choice("Status", *STATES, default="'draft'"),
            "date": Field("date", "Date", default="current_date"),
            "company_id": many2one("Company", "res.company", default="1"),
        },
        order="date desc, move_id desc, id",
        needs="account",
        needs_to_write="account",
        constraints=("FOREIGN KEY (move_id) REFERENCES account_move (id) ON DELETE CASCADE",),
    ),
    Model(
        "account.payment",
        "Payments",
        {
            "name": char("Number"),
            "partner_id": many2one("Customer", "res.partner"),
            "amount": money("Amount"),
            "state": char("Status", default="'paid'"),
            "memo": char("Memo"),
            "move_id": many2one("Journal Entry", "account.move"),
        },
        needs="account",
    ),
    Model(
        "account.payment.register",
        "Pay",
        {"active_ids": char("Invoices of the context")},
        rec_name="({t}.id::varchar)",
    ),
)
