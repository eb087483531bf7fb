"""Secrets are renewed under a running replica: the new ones work, the old ones do not."""

from __future__ import annotations

import contextlib
import json
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import redis

from tests.shop.stand import JSON, REPOSITORY, RpcError, make_shop, send, wait_until
from tests.shop.test_shop_queue import Queue

OLD, NEW = "old-secret-of-the-role", "new-secret-of-the-role"


def replace_config(shop, **changes) -> None:
    """As whoever renews a secret does it: a whole new file in the place of the old one."""
    shop.config |= changes
    draft = shop._path.with_suffix(".draft")
    draft.write_text(json.dumps(shop.config))
    draft.replace(shop._path)


def renew(shop, what: str) -> None:
    words = ["-m", "shop.renew", str(shop._path), what]
    subprocess.run([sys.executable, *words], cwd=REPOSITORY, check=True)


@pytest.fixture
def running(server, tmp_path):
    """A shop with secrets of its own, an audit log, and a role that is asked for its password."""
    name = f"secrets{tmp_path.name[-4:]}".lower()
    hba = server._folder / "data" / "pg_hba.conf"
    with server.connect("postgres") as connection:
        connection.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{OLD}'")
        connection.execute(f"CREATE DATABASE {name} OWNER {name}")
        hba.write_text(f"host all {name} 127.0.0.1/32 scram-sha-256\n{hba.read_text()}")
        connection.execute("SELECT pg_reload_conf()")
    shop = make_shop(
        tmp_path, server, name, dsn=dsn(server, name, OLD), audit_log=str(tmp_path / "audit.jsonl")
    )
    shop.start()
    yield shop
    shop.stop()


def dsn(server, name: str, password: str) -> str:
    return f"host=127.0.0.1 port={server.port} dbname={name} user={name} password={password}"


def audited(shop) -> list[dict]:
    text = Path(shop.config["audit_log"]).read_text()
    return [json.loads(line) for line in text.splitlines()]


def refused(shop, **more) -> bool:
    try:
        shop.rpc("res.partner", "search_count", [], **more)
    except RpcError as error:
        return error.name == "odoo.exceptions.AccessDenied"
    return False


class Customer:
    """Calls without a pause, from several threads, until told to stop; counts the answers."""

    def __init__(self, shop, threads: int = 6) -> None:
        self.shop, self.served, self.failed = shop, 0, 0
        self._ending = threading.Event()
        self._threads = [threading.Thread(target=self._call) for _ in range(threads)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._ending.set()
        for thread in self._threads:
            thread.join()

    def _call(self) -> None:
        while not self._ending.is_set():
            try:
                self.shop.rpc("res.partner", "search_count", [])
                self.served += 1
            except (AssertionError, OSError):
                self.failed += 1


def test_a_renewed_database_password_costs_no_request_and_no_restart(server, running):
    name = running.config["database"]
    with Customer(running) as customer, server.connect("postgres") as connection:
        wait_until(lambda: customer.served > 50, "the shop is busy")
        connection.execute(f"ALTER ROLE {name} PASSWORD '{NEW}'")
        row = connection.execute("SELECT clock_timestamp()").fetchone()
        replace_config(running, dsn=dsn(server, name, NEW))

        def sessions(older: bool) -> int:
            found = connection.execute(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE usename = %s AND (backend_start < %s) = %s",
                (name, row[0], older),
            ).fetchone()
            return found[0]

        wait_until(lambda: sessions(older=True) == 0, "nobody uses the old password's sessions")
        wait_until(lambda: sessions(older=False) > 0, "there are sessions by the new one")
        served = customer.served
        wait_until(lambda: customer.served > served + 50, "the shop goes on")
    assert customer.failed == 0
    assert running.process.poll() is None


def test_a_half_written_configuration_changes_nothing(running):
    whole = running._path.read_text()
    running._path.write_text(whole[:40])
    with Customer(running) as customer:
        wait_until(lambda: customer.served > 20, "the shop goes on")
    assert customer.failed == 0
    running._path.write_text(whole)


def test_the_old_password_is_refused_once_the_replica_has_its_new_configuration(running):
    old = running.config["admin_password"]
    assert not refused(running, password=old)
    replace_config(running, admin_password="a-new-password")
    renew(running, "password")
    wait_until(lambda: refused(running, password=old), "the old password is refused")
    assert running.rpc("res.partner", "search_count", []) > 0


def test_a_renewed_key_is_the_only_one(server, running):
    old = running.config["api_key"]
    assert by_key(running, old) == 200
    replace_config(running, api_key="f" * 40)
    renew(running, "api-key")
    renew(running, "api-key")
    wait_until(lambda: by_key(running, old) == 401, "the old key is refused")
    assert by_key(running, "f" * 40) == 200
    with server.connect(running.config["database"]) as connection:
        row = connection.execute("SELECT count(*) FROM res_users_apikeys").fetchone()
    assert row == (1,)


def test_a_key_that_was_taken_away_does_not_come_back_with_a_restored_database(server, running):
    old = running.config["api_key"]
    replace_config(running, api_key="e" * 40)
    assert by_key(running, old) == 200  # as after a restore: the row is there, the secret is not
    running.install()
    wait_until(lambda: by_key(running, old) == 401, "the old key is refused")
    assert by_key(running, "e" * 40) == 200


def test_ended_sessions_stay_out_though_their_files_come_back(running, tmp_path):
    folder = tmp_path / "filestore-sessions"
    old = log_in(running)
    assert by_cookie(running, old)
    kept = tmp_path / "kept"
    shutil.copytree(folder, kept)
    renew(running, "sessions")
    assert not by_cookie(running, old)
    shutil.copytree(kept, folder, dirs_exist_ok=True)
    assert (folder / old).exists()
    assert not by_cookie(running, old)
    assert by_cookie(running, log_in(running))


def test_the_audit_log_says_who_came_in_by_what_and_nothing_else(running):
    for _ in range(7):
        running.rpc("res.partner", "search_count", [])
    assert refused(running, password="a-wrong-password")
    by_key(running, running.config["api_key"], agent="a thief")
    by_key(running, "a-wrong-key")
    cookie = log_in(running)
    by_cookie(running, cookie)
    by_cookie(running, "AWrongCookie")
    expected = {
        ("password", True), ("password", False), ("api-key", True), ("api-key", False),
        ("session-cookie", True), ("session-cookie", False),
    }  # fmt: skip
    wait_until(lambda: expected <= seen(running), "all uses are in the log")
    entries = audited(running)
    assert (
        sum(e["uses"] for e in entries if (e["credential"], e["accepted"]) == ("password", True))
        == 8
    )
    assert [e["agent"] for e in entries if e["credential"] == "api-key" and e["accepted"]] == [
        "a thief"
    ]
    assert all(0 < e["first_ns"] <= e["at_ns"] for e in entries)
    text = Path(running.config["audit_log"]).read_text()
    secrets = ("a-wrong-password", "a-wrong-key", running.config["api_key"], cookie, OLD)
    assert not [word for word in secrets if word in text]
    assert Path(running.config["audit_log"]).stat().st_mode & 0o777 == 0o600


def test_what_was_noted_is_written_when_the_replica_is_told_to_end(running):
    running.rpc("res.partner", "search_count", [])
    running.stop(signal.SIGTERM)
    assert ("password", True) in seen(running)


def test_the_queues_consumers_take_a_renewed_password(server, tmp_path):
    queue = Queue(tmp_path)
    queue.client.config_set("requirepass", OLD)
    queue.client = redis.Redis(port=queue.port, password=OLD)
    at = {"url": f"redis://127.0.0.1:{queue.port}/0", "password": OLD}
    server.create("consumers")
    shop = make_shop(tmp_path / "s", server, "consumers", queue=at)
    try:
        shop.start()
        queue.push("before")
        wait_until(lambda: found(shop, "before"), "an order comes in")
        queue.client.config_set("requirepass", NEW)
        replace_config(shop, queue={**at, "password": NEW})
        queue.client = redis.Redis(port=queue.port, password=NEW)
        queue.client.client_kill_filter(_type="normal", skipme=True)
        queue.push("after")
        wait_until(lambda: found(shop, "after"), "an order comes in by the new password")
    finally:
        shop.stop()
        queue.kill()


def found(shop, reference: str) -> int:
    return shop.rpc("sale.order", "search_count", [["client_order_ref", "=", reference]])


def seen(shop) -> set[tuple[str, bool]]:
    with contextlib.suppress(OSError):
        return {(entry["credential"], entry["accepted"]) for entry in audited(shop)}
    return set()


def by_key(shop, key: str, agent: str = "a test") -> int:
    headers = {**JSON, "authorization": f"bearer {key}", "user-agent": agent}
    return send(
        f"{shop.url}/json/2/res.partner/search_count", "POST", headers, b'{"domain": []}'
    ).status


def log_in(shop) -> str:
    params = {
        "db": shop.config["database"],
        "login": "admin",
        "password": shop.config["admin_password"],
    }
    body = json.dumps({"jsonrpc": "2.0", "params": params}).encode()
    answer = send(f"{shop.url}/web/session/authenticate", "POST", JSON, body)
    return answer.headers["set-cookie"].partition("session_id=")[2].partition(";")[0]


def by_cookie(shop, cookie: str) -> bool:
    headers = {**JSON, "cookie": f"session_id={cookie}"}
    answer = send(f"{shop.url}/web/session/check", "POST", headers, b"{}")
    return "error" not in answer.json
