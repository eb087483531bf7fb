"""Users, partners, attachments: what everything else hangs on."""

from __future__ import annotations

from shop.orm.fields import Field, Model, char, choice, flag, many2one

DECODED = "CASE WHEN {t}.store_fname IS NULL THEN NULL ELSE {t}.store_fname END"

BASE = (
    Model("res.company", "Companies", {"name": char("Company Name", required=True)}),
    Model("res.currency", "Currency", {"name": char("Currency", required=True)}),
    Model("res.country", "Country", {"name": char("Country Name"), "code": char("Country Code")}),
    Model(
        "res.partner",
        "Contact",
        {
            "name": char("Name", index=True),
            "ref": char("Reference", index=True),
            "email": char("Email"),
            "phone": char("Phone"),
            "street": char("Street"),
            "city": char("City"),
            "comment": Field("html", "Notes"),
            "country_id": many2one("Country", "res.country"),
            "parent_id": many2one("Related Company", "res.partner"),
            "company_id": many2one("Company", "res.company"),
            "is_company": flag("Is a Company"),
            "customer_rank": Field("integer", "Customer Rank", default="0"),
            "active": flag("Active", default=True),
        },
    ),
    Model(
        "res.users",
        "User",
        {
            "login": char("Login", required=True),
            "name": char(
                "Name",
                sql="SELECT p.name FROM res_partner p WHERE p.id = {t}.partner_id",
                delegate="partner_id",
            ),
            "partner_id": many2one("Related Partner", "res.partner", required=True),
            "company_id": many2one("Company", "res.company", default="1"),
            "share": flag("Share User"),
            "groups": char("Groups of this stand-in", default="'user'"),
            "active": flag("Active", default=True),
        },
        rec_name="(SELECT p.name FROM res_partner p WHERE p.id = {t}.partner_id)",
        constraints=("CONSTRAINT res_users_login_key UNIQUE (login)", "password varchar"),
    ),
    Model(
        "res.users.apikeys",
        "Users API Keys",
        {"name": char("Description"), "user_id": many2one("User", "res.users")},
        closed=True,
        constraints=("key varchar NOT NULL", "index varchar(8)"),
    ),
    Model(
        "ir.attachment",
        "Attachment",
        {
            "name": char("Name", required=True),
            "type": choice("Type", ("url", "URL"), ("binary", "File"), default="'binary'"),
            "res_model": char("Resource Model"),
            "res_id": Field("integer", "Resource ID"),
            "mimetype": char("Mime Type"),
            "checksum": char("Checksum/SHA1", index=True),
            "store_fname": char("Stored Filename", index=True),
            "file_size": Field("integer", "File Size"),
            "description": Field("text", "Description"),
            "url": char("Url"),
            "public": flag("Is public document"),
            "company_id": many2one("Company", "res.company", default="1"),
            "datas": Field("binary", "File Content (base64)", sql=DECODED),
            "raw": Field("binary", "File Content (raw)", sql=DECODED),
        },
        order="id desc",
        indexes=("(res_model, res_id)",),
    ),
    Model(
        "ir.sequence",
        "Sequence",
        {"name": char("Name", required=True), "code": char("Sequence Code")},
    ),
)
