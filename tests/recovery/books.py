"""Orders in a real PostgreSQL that keeps the times of commits: for a bad release to hurt.

A test module takes the fixtures by name: `from tests.recovery.books import books, server`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
import pytest

from tests.shop.stand import Postgres, make_shop, postgres

SHOP, TRIAL = "orders", "trial"
ORDERS = 200
# written without the modules' own queries: the whole content, as text
CONTENT = """
SELECT o.id, o.amount_total, array_agg(to_jsonb(l) - 'write_date' ORDER BY l.id) FROM sale_order o
LEFT JOIN sale_order_line l ON l.order_id = o.id GROUP BY o.id ORDER BY o.id
"""


@dataclass(frozen=True)
class Books:
    """A database with orders in it."""

    dsn: str
    database: psycopg.Connection

    def order(self, count: int = 1, price: float = 24.0) -> int:
        lines = [
            {"product_id": 1, "product_uom_qty": 2, "price_unit": price},
            {"product_id": 2, "product_uom_qty": 1, "price_unit": price},
        ]
        made = 0
        for _ in range(count):
            statement = "SELECT shop_order_create(%s, %s, 2)"
            values = (json.dumps({"partner_id": 101}), json.dumps(lines))
            made = int(self.database.execute(statement, values).fetchone()[0])
        return made

    def confirm(self, order: int) -> None:
        self.database.execute("SELECT shop_order_confirm(ARRAY[%s], 19, 2)", (order,))

    def content(self) -> list[tuple[object, ...]]:
        return self.database.execute(CONTENT).fetchall()

    def ask(self, statement: str, *values: object) -> object:
        return self.database.execute(statement, values).fetchone()[0]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    folder = tmp_path_factory.mktemp("bad-release")
    with postgres(folder / "pg") as running:
        with running.connect("postgres") as database:
            database.execute("ALTER SYSTEM SET track_commit_timestamp = on")
        running.stop()
        running.start()
        running.create(SHOP)
        make_shop(folder / "shop", running, SHOP)
        yield running


@pytest.fixture
def books(server: Postgres) -> Iterator[Books]:
    """Orders of a while ago, each by a transaction of its own."""
    with server.connect("postgres") as admin:
        admin.execute(f"DROP DATABASE IF EXISTS {TRIAL} WITH (FORCE)")
        admin.execute(f"CREATE DATABASE {TRIAL} TEMPLATE {SHOP}")
    with server.connect(TRIAL) as database:
        found = Books(server.dsn(TRIAL), database)
        found.order(ORDERS)
        database.execute("SELECT pg_sleep(0.15)")  # a tail leaves out the last tenth of a second
        yield found
