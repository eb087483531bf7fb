"""What is read of orders besides their keys, on the shop's own tables: a row of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import LiteralString

import numpy as np
import psycopg
from psycopg import sql

from harness.core.operation import content_digest, order_content
from harness.readback import queries, store_rows
from shop.database.schema import schema_sql
from tests.bench.key_reader import RUN, WORKERS, timed
from tests.bench.rows import Job, Row, Spread, held, in_turn, ratios

WANTED = 1.3
_SCHEMA = "content"
_DIGEST = content_digest(order_content(101, [(1, 2, 300), (2, 1, 500)]))
_FILL: tuple[LiteralString, ...] = (
    (
        "INSERT INTO sale_order (id, name, partner_id, client_order_ref, state, amount_total)"
        " SELECT n, 'S' || n, 101, 'pd-' || {run} || '-' || n % {workers} || '-' || n / {workers}, 'sale', 11"
        " FROM generate_series(1, {orders}) n"
    ),
    (
        "INSERT INTO sale_order_line (order_id, product_id, product_uom_qty, price_unit, price_total)"
        " SELECT n, p, 3 - p, 1 + 2 * p, CASE p WHEN 1 THEN 6 ELSE 5 END"
        " FROM generate_series(1, {orders}) n, generate_series(1, 2) p"
    ),
    "INSERT INTO stock_picking (id, sale_id, state) SELECT id, id, 'assigned' FROM sale_order",
    (
        "INSERT INTO stock_move (picking_id, sale_line_id, product_id, product_uom_qty, state)"
        " SELECT order_id, id, product_id, product_uom_qty, 'assigned' FROM sale_order_line"
    ),
    (
        "INSERT INTO stock_move_line (move_id, product_id, quantity, state)"
        " SELECT id, product_id, product_uom_qty, 'assigned' FROM stock_move"
    ),
    "ANALYZE",
)


def content(job: Job, dsn: str) -> Row:
    """Beside the same query, answered to nobody."""
    orders = job.pick(20_000, 100_000)
    with psycopg.connect(dsn, autocommit=True) as database:
        fill(database, orders)
        database.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        query = queries.for_run(queries.ORDERS, RUN, kind="shop", version=19)
        floor = sql.SQL("COPY ({}) TO '/dev/null'").format(query)
        ways: dict[str, Callable[[], float]] = {
            "floor": timed(lambda: database.execute(floor)),
            "ours": timed(lambda: read(database, orders)),
        }
        found = in_turn(ways, job.pick(3, 5))
    ours, beside = Spread.of(found["ours"]), ratios(found["ours"], found["floor"])
    return Row(
        "reconciliation: what the orders hold (content hashes, states, parts), with their keys",
        f"none stated; taken here: at most {WANTED:g}x its own query to /dev/null",
        beside.text("x"),
        f"{Spread.of([orders / s for s in found['ours']]).text('/s')} of orders of two lines, each "
        f"with its transfer, moves and reservations; {orders:,} in {ours.text(' s')}; over the wire "
        f"{store_rows.PACKED_BYTES} bytes an order",
        held(beside.median <= WANTED),
        "" if beside.median <= WANTED else "the keys are read apart, and the rows held against them",
        {"orders": orders, "ours s": ours.median, "floor s": Spread.of(found["floor"]).median},
    )  # fmt: skip


def fill(database: psycopg.Connection, orders: int) -> None:
    """Orders of two lines, confirmed and reserved."""
    database.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(_SCHEMA)))
    database.execute(sql.SQL("SET search_path TO {}").format(sql.Identifier(_SCHEMA)))
    database.execute(schema_sql().encode())
    for statement in _FILL:
        bound = sql.SQL(statement).format(run=RUN, workers=WORKERS, orders=orders)
        database.execute(bound)


def read(database: psycopg.Connection, orders: int) -> None:
    """As each look does it. Every order is whole and as it was sent, or it is no measure."""
    with database.transaction():
        rows, foreign = store_rows.of_store(database, "orders", RUN, kind="shop", version=19)
    whole = (rows["expected_parts"] & ~rows["parts"] == 0) & (rows["digest"] == np.uint64(_DIGEST))
    if foreign or len(rows) != orders or not whole.all():
        raise RuntimeError(f"{len(rows)} orders, {int(whole.sum())} whole, {foreign} foreign")
