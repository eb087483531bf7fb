"""The real generator against the real shop on a plain PostgreSQL, in every dialect."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from harness.core.operation import Kind, Outcome, Workload, key_of, pos_uuid
from harness.ledger.reader import read_ledgers

pytestmark = pytest.mark.alone

STAND = Path(__file__).parent.parent / "shop" / "stand.py"
EVERY_RECORD = """
    SELECT client_order_ref FROM sale_order WHERE client_order_ref LIKE 'pd-%'
    UNION ALL SELECT ref FROM account_move WHERE ref LIKE 'pd-%' AND move_type = 'out_invoice'
"""


def the_shop_s_stand():
    spec = importlib.util.spec_from_file_location("shop_stand", STAND)
    module = importlib.util.module_from_spec(spec)
    import sys

    sys.modules["shop_stand"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    stand = the_shop_s_stand()
    with stand.postgres(tmp_path_factory.mktemp("pg")) as running:
        yield stand, running


@pytest.fixture(params=[19, 18, 14])
def shop(request, server, tmp_path):
    stand, postgres = server
    database = f"shop{request.param}"
    postgres.create(database)
    made = stand.make_shop(tmp_path / "shop", postgres, database, dialect=request.param)
    made.start()
    yield made, request.param
    made.stop()


def test_every_workload_is_served_and_every_record_is_there(shop, server, make_load, tmp_path):
    (running, version), (_, postgres) = shop, server
    load = make_load(running.config["port"], max_s=8)
    load.plan["application"] |= {"database": running.config["database"], "version": version}
    load.prepare()
    load.prepare()  # twice is harmless
    load.start()
    assert load.process.wait(90) == 0, load.output.read_text()
    operations, (health,) = read_ledgers(load.ledgers)
    assert load.status()["troubles"] == []
    assert (health.torn, health.dropped, health.closed) == (0, 0, True)
    for workload in Workload:
        mine = operations.where(operations.workload == workload.code)
        acked = np.count_nonzero(mine.outcome == Outcome.ACKED) / len(mine)
        bad = mine.where(mine.outcome != Outcome.ACKED)
        assert acked > 0.98, (workload, bad.kind, bad.stage, bad.flags, bad.detail)
    assert set(operations.kind) == {*Kind} - {Kind.RESYNC, *never_by_chance(operations)}
    with postgres.connect(running.config["database"]) as connection:
        stored = {row[0] for row in connection.execute(EVERY_RECORD)}
        tills = {
            row[0]
            for row in connection.execute("SELECT coalesce(uuid, pos_reference) FROM pos_order")
        }
    made = operations.where(
        (operations.kind == Kind.CREATE) & (operations.outcome == Outcome.ACKED)
    )
    for seq, code in zip(made.seq.tolist(), made.workload.tolist(), strict=True):
        key = key_of(load.plan["run_id"], 0, seq)
        if code == Workload.POINT_OF_SALE.code:
            assert any(pos_uuid(key) in till for till in tills)
        else:
            assert key in stored


def never_by_chance(operations) -> set[Kind]:
    """A cancellation is one order in fifty: a short load may have none."""
    return {Kind.CANCEL} - set(operations.kind.tolist())
