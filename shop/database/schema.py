"""The tables, from the models; the functions, from sql/. Safe to run again."""

from __future__ import annotations

from pathlib import Path

from shop.models import MODELS
from shop.orm.fields import AUTOMATIC, COLUMN_TYPES, Model

SQL_DIRECTORY = Path(__file__).parent.parent / "sql"
# Which release the tables are of, as Odoo keeps it. Then what is not Odoo's: what the marketplace
# has delivered already, and what partners are still owed.
OWN_TABLES = """
CREATE TABLE IF NOT EXISTS ir_module_module (
    id serial PRIMARY KEY,
    name varchar NOT NULL UNIQUE,
    state varchar,
    latest_version varchar);
CREATE TABLE IF NOT EXISTS shop_inbox (
    key varchar PRIMARY KEY,
    message_id varchar NOT NULL,
    order_id int4 NOT NULL,
    received_at timestamptz NOT NULL DEFAULT clock_timestamp());
CREATE TABLE IF NOT EXISTS shop_inbox_refused (
    message_id varchar PRIMARY KEY,
    body text NOT NULL,
    reason text NOT NULL,
    refused_at timestamptz NOT NULL DEFAULT clock_timestamp());
CREATE TABLE IF NOT EXISTS shop_outbox (
    id bigserial PRIMARY KEY,
    partner varchar NOT NULL,
    key varchar NOT NULL,
    payload jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    published_at timestamptz,
    done_at timestamptz,
    answer jsonb);
CREATE INDEX IF NOT EXISTS shop_outbox_owed ON shop_outbox (id) WHERE published_at IS NULL;
CREATE INDEX IF NOT EXISTS shop_outbox_undone ON shop_outbox (published_at) WHERE done_at IS NULL;
CREATE INDEX IF NOT EXISTS shop_outbox_key ON shop_outbox (key);
CREATE SEQUENCE IF NOT EXISTS shop_sale_name;
CREATE SEQUENCE IF NOT EXISTS shop_out_name;
CREATE SEQUENCE IF NOT EXISTS shop_pos_name;
CREATE SEQUENCE IF NOT EXISTS shop_invoice_name;
"""


def table_ddl(model: Model) -> str:
    """CREATE TABLE with every field of every dialect: one database serves all three."""
    columns = ["id serial PRIMARY KEY"]
    for name, field in {**AUTOMATIC, **model.fields}.items():
        if name == "id" or not field.stored:
            continue
        column = f'"{name}" {COLUMN_TYPES[field.type]}'
        column += f" DEFAULT {field.default}" if field.default else ""
        column += " NOT NULL" if field.required else ""
        columns.append(column)
    columns += model.constraints
    return f"CREATE TABLE IF NOT EXISTS {model.table} ({', '.join(columns)});"


def index_ddl(model: Model) -> list[str]:
    indexed = [f"({name})" for name, field in model.fields.items() if field.index and field.stored]
    return [
        f"CREATE INDEX IF NOT EXISTS {model.table}_{columns.strip('()').replace(', ', '_')}_index"
        f" ON {model.table} {columns};"
        for columns in (*indexed, *model.indexes)
    ]


def schema_sql() -> str:
    """The whole schema as one script."""
    statements: list[str] = []
    tables = [model for model in MODELS if not model.view]
    for model in tables:
        statements.append(table_ddl(model))
        statements.extend(index_ddl(model))
    statements.append(OWN_TABLES)
    statements.extend(
        f"CREATE OR REPLACE VIEW {model.table} AS {model.view};" for model in MODELS if model.view
    )
    statements.extend(
        path.read_text(encoding="utf-8") for path in sorted(SQL_DIRECTORY.glob("*.sql"))
    )
    return "\n".join(statements)
