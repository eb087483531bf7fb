"""The shop outlives its database, and acknowledges nothing that is not committed."""

from __future__ import annotations

import itertools
import os
import signal
import threading

import pytest

from tests.shop.interference import kill_waiting
from tests.shop.stand import JSON, RpcError, make_shop, postgres, send, wait_until


@pytest.fixture(scope="module")
def breakable(tmp_path_factory):
    """A server of this module's own, to be broken."""
    with postgres(tmp_path_factory.mktemp("breakable") / "pg") as server:
        yield server


@pytest.fixture
def own(breakable, tmp_path):
    """A database and a shop for one test; whatever it broke runs again afterwards."""
    breakable.create("own")
    shop = make_shop(tmp_path / "shop", breakable, "own")
    shop.start()
    yield breakable, shop
    shop.stop()
    if not breakable.is_up():
        breakable.start()
    with breakable.connect("postgres") as connection:
        connection.execute("DROP DATABASE own WITH (FORCE)")


def create(shop, reference):
    values = {"partner_id": 101, "client_order_ref": reference,
              "order_line": [[0, 0, {"product_id": 1, "price_unit": 1}]]}  # fmt: skip
    made = shop.rpc("sale.order", "create", values)
    shop.rpc("sale.order", "action_confirm", [made])


def test_what_was_acknowledged_survives_the_death_of_the_database(own):
    """Three tills create and confirm while PostgreSQL is killed and started twice."""
    server, shop = own
    acknowledged: list[str] = []
    names: set[str] = set()
    stop = threading.Event()
    served = threading.Semaphore(0)

    def trade(who):
        for number in itertools.count():
            if stop.is_set():
                return
            reference = f"{who}-{number}"
            try:
                create(shop, reference)
            except RpcError as error:
                names.add(error.name)
                continue
            acknowledged.append(reference)
            served.release()

    threads = [threading.Thread(target=trade, args=(who,)) for who in range(3)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(2):
            for _ in range(10):
                assert served.acquire(timeout=30)
            server.stop("immediate")
            wait_until(lambda: "psycopg2.OperationalError" in names, "the outage is seen")
            while served.acquire(blocking=False):
                pass
            server.start()
        for _ in range(10):
            assert served.acquire(timeout=30)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    with server.connect("own") as database:
        kept = database.execute(
            "SELECT client_order_ref FROM sale_order WHERE state = 'sale'"
        ).fetchall()
        torn = database.execute(
            "SELECT count(*) FROM sale_order o WHERE o.state = 'sale' AND NOT EXISTS"
            " (SELECT 1 FROM stock_move m JOIN sale_order_line l ON l.id = m.sale_line_id"
            "  WHERE l.order_id = o.id AND m.state = 'assigned')"
        ).fetchone()
    assert set(acknowledged) <= {row[0] for row in kept}
    assert torn == (0,)
    assert names <= {"psycopg2.OperationalError", "psycopg2.InterfaceError"}


def test_the_first_request_after_the_database_is_back_is_served(own):
    server, shop = own
    for _ in range(3):
        server.stop("immediate")
        with pytest.raises(RpcError) as down:
            create(shop, "down")
        assert down.value.name in ("psycopg2.OperationalError", "psycopg2.InterfaceError")
        health = f"{shop.url}/web/health"
        assert send(health, "GET", {}, None).status == 200
        assert send(f"{health}?db_server_status=1", "GET", {}, None).status == 500
        server.start()
        create(shop, "back")
        assert send(f"{health}?db_server_status=1", "GET", {}, None).status == 200


def test_a_write_whose_backend_dies_says_that_its_outcome_is_open(own):
    server, shop = own
    body = (
        '{"jsonrpc":"2.0","id":1,"params":{"service":"object","method":"execute_kw","args":'
        '["own",2,"admin","res.partner","write",[[101],{"phone":"1"}]]}}'
    )
    answer = kill_waiting(
        server, "own", 101, lambda: send(f"{shop.url}/jsonrpc", "POST", JSON, body.encode())
    )
    assert answer.status == 200
    assert answer.json["error"]["data"]["name"] == "psycopg2.InterfaceError"


def test_a_frozen_statement_is_answered_within_five_seconds(own):
    """A lock that nobody releases: the statement's own time-out speaks, and nothing was done."""
    server, shop = own
    with server.connect("own") as holder:
        holder.execute("BEGIN")
        holder.execute("UPDATE res_partner SET comment = 'x' WHERE id = 101")
        with pytest.raises(RpcError) as late:
            shop.rpc("res.partner", "write", [101], {"phone": "2"})
        holder.execute("ROLLBACK")
        assert late.value.name in (
            "psycopg2.errors.LockNotAvailable",
            "psycopg2.errors.QueryCanceled",
        )
        phone = holder.execute("SELECT phone FROM res_partner WHERE id = 101").fetchone()
    assert phone == (None,)


def test_a_frozen_server_costs_its_own_statements_alone(own):
    """Backends that are stopped hang for ever; those who wait for them are answered all the same."""
    server, shop = own
    create(shop, "before")
    with server.connect("own") as database:
        rows = database.execute(
            "SELECT pid FROM pg_stat_activity WHERE application_name = 'shop'"
        ).fetchall()
        for (pid,) in rows:
            os.kill(pid, signal.SIGSTOP)
        try:
            with pytest.raises(RpcError) as hung:
                create(shop, "hung")
            assert hung.value.name == "psycopg2.InterfaceError"
            create(shop, "after")
        finally:
            for (pid,) in rows:
                os.kill(pid, signal.SIGCONT)


def test_the_shop_starts_without_its_database_and_finds_it_later(own):
    server, shop = own
    shop.stop()
    server.stop()
    shop.start()
    with pytest.raises(RpcError):
        create(shop, "too early")
    server.start()
    create(shop, "in time")


def test_a_shop_that_is_told_to_leave_leaves(own):
    _, shop = own
    shop.process.send_signal(signal.SIGTERM)
    assert shop.process.wait(30) == 0
