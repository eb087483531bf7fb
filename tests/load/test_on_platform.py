"""The real generator against the whole embedded platform: ingress, synchronous pair, queue."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import psycopg
import pytest

from harness.core.operation import Detail, Kind, Outcome, Stage, Workload, content_digest, key_of
from harness.ledger.reader import read_ledgers

pytestmark = [pytest.mark.platform, pytest.mark.alone]
LINES = """
    SELECT o.client_order_ref, o.state, o.partner_id || string_agg('|' || l.product_id || ':'
           || l.product_uom_qty::int || ':' || round(l.price_unit * 100)::int, ''
           ORDER BY l.product_id, l.product_uom_qty, l.price_unit)
    FROM sale_order o JOIN sale_order_line l ON l.order_id = o.id
    WHERE o.client_order_ref LIKE %s GROUP BY o.id
"""


def orders_of(dsn: str, run_id: str) -> dict[str, tuple[str, str]]:
    with psycopg.connect(dsn) as connection:
        rows = connection.execute(LINES, [f"pd-{run_id}-%"]).fetchall()
    assert len({row[0] for row in rows}) == len(rows), "one reference, two orders"
    return {row[0]: (row[1], row[2]) for row in rows}


def trade_on(platform, load) -> None:
    """Have the load trade on the whole platform."""
    at = platform.endpoints()
    load.plan["application"] |= {
        "url": at.application_url,
        "database": at.database,
        "login": at.login,
        "password_file": str(at.password_file),
        "version": at.version,
    }
    load.plan["queue"] = {"url": at.queue_url, "password_file": str(at.queue_password_file)}
    load.prepare()


def settled(dsn: str, run_id: str, keys: set[str]) -> dict[str, tuple[str, str]]:
    """The store, once the queue's consumers have caught up with what was acknowledged."""
    until = time.monotonic() + 60
    while True:
        stored = orders_of(dsn, run_id)
        if keys <= stored.keys() or time.monotonic() > until:
            return stored
        time.sleep(0.1)


@pytest.mark.parametrize("workers", [1, 2])
def test_what_was_acknowledged_is_in_the_store_as_it_was_sent(platform, make_load, workers):
    at = platform.endpoints()
    load = make_load(0, workers=workers, max_s=8)
    load.plan["run_id"] = f"platform{workers}"
    trade_on(platform, load)
    load.start(begin_in_s=4)
    assert load.process.wait(120) == 0, Path(load.output).read_text()
    operations, healths = read_ledgers(load.ledgers)
    assert all(h.closed and h.torn == h.dropped == 0 for h in healths)
    assert all(load.status(k)["troubles"] == [] for k in range(workers))
    for workload in Workload:
        mine = operations.where(operations.workload == workload.code)
        bad = mine.where(mine.outcome != Outcome.ACKED)
        # a busy machine makes canaries time out; nothing else may go wrong
        assert set(bad.detail.tolist()) <= {Detail.TIMEOUT}, (workload, bad.kind, bad.detail)
        assert len(bad) < 0.5 * len(mine)
    orders = operations.where(
        (operations.kind == Kind.CREATE)
        & (operations.outcome == Outcome.ACKED)
        & ~np.isin(operations.workload, [Workload.POINT_OF_SALE.code, Workload.FINANCE.code])
    )
    keys = [
        key_of(load.plan["run_id"], w, s)
        for w, s in zip(orders.worker.tolist(), orders.seq.tolist(), strict=True)
    ]
    stored = settled(at.dsn, load.plan["run_id"], set(keys))
    for row, key in enumerate(keys):
        state, content = stored[key]
        assert content_digest(content) == int(orders.digest[row]), content
        if orders.stage[row] == Stage.CONFIRMED:
            assert state == "sale"


def test_every_class_of_credentials_is_rotated_and_nothing_acknowledged_is_lost(
    platform, make_load, until
):
    """What is refused meanwhile is said to be; the load ends as it began, with everything served."""
    at = platform.endpoints()
    load = make_load(0, max_s=120)
    load.plan["run_id"] = "rotated"
    trade_on(platform, load)
    load.start(begin_in_s=3)
    until(lambda: sent_since(load, 0) > 200)
    for credential in platform.secrets.classes():
        platform.secrets.rotate(credential)
    rotated_ns = time.monotonic_ns()
    until(lambda: sent_since(load, rotated_ns) > 300)
    load.close()
    operations, (health,) = read_ledgers(load.ledgers)
    assert (health.closed, health.torn, health.dropped) == (True, 0, 0)
    assert load.status()["troubles"] == []
    after = operations.where(operations.sent_ns > rotated_ns)
    bad = after.where(after.outcome != Outcome.ACKED)
    assert len(after) > 300
    assert set(bad.detail.tolist()) <= {Detail.TIMEOUT}  # canaries of a busy machine
    refused = operations.outcome == Outcome.REFUSED
    assert np.count_nonzero(refused) < 0.1 * len(operations)
    orders = operations.where(
        (operations.kind == Kind.CREATE)
        & (operations.outcome == Outcome.ACKED)
        & ~np.isin(operations.workload, [Workload.POINT_OF_SALE.code, Workload.FINANCE.code])
    )
    keys = {key_of("rotated", 0, seq) for seq in orders.seq.tolist()}
    assert keys <= settled(at.dsn, "rotated", keys).keys()


def sent_since(load, instant_ns: int) -> int:
    if not load.ledgers.exists():
        return 0
    operations, _ = read_ledgers(load.ledgers)
    return int(np.count_nonzero(operations.sent_ns > instant_ns))
