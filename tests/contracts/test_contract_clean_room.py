"""Contract: an environment is left as it stands, and another one serves that shares nothing with it.

Each on a platform of its own: the environment that was left never serves again.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from harness.attack.__main__ import way_in
from harness.attack.leaked import CLASSES, load
from harness.attack.order import Order
from harness.attack.told import Denied
from harness.errors import Refused
from harness.inputs.kubernetes_file import PORTS
from harness.platforms import find
from harness.platforms.capabilities import CleanRoom, Platform, Wanted
from harness.platforms.embedded.waiting import await_ready
from harness.platforms.having import having
from harness.recovery.old_credentials import hand_out_all
from tests.contracts import stands

pytestmark = pytest.mark.timeout(900)
EMBEDDED = stands.Kind("embedded", "")
KINDS = (
    pytest.param(EMBEDDED, marks=pytest.mark.platform, id="embedded"),
    pytest.param(stands.CONTAINERS, marks=pytest.mark.containers, id="containers"),
    pytest.param(stands.KUBERNETES, marks=pytest.mark.kubernetes, id="kubernetes"),
)
_SHIFT = 400  # NodePorts of its own, beside a stack that has the defaults


@pytest.fixture(params=KINDS)
def own(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Platform]:
    """Whole, and gone with all its environments afterwards."""
    kind: stands.Kind = request.param
    monkeypatch.setenv("PEAKDRILL_HOME", str(tmp_path / "home"))
    file = None
    if kind is stands.KUBERNETES:
        told = {
            "kind": kind.name,
            "disposable": True,
            "namespace": f"room-{secrets.token_hex(3)}",
            "node_ports": {name: port + _SHIFT for name, port in PORTS},
        }
        file = tmp_path / "platform.yaml"
        file.write_text(json.dumps(told))  # JSON is YAML
        if "KUBECONFIG" not in os.environ:
            stands.missing(kind, "no KUBECONFIG")
    try:
        platform = find.start(kind.name, file, agreed=True)
    except Refused as error:
        stands.missing(kind, error.what)
    try:
        stands.await_whole(platform)
        yield platform
    finally:
        platform.down()
    assert not platform.directory.exists()


def test_another_environment_serves_and_shares_nothing(own: Platform, tmp_path: Path) -> None:
    stands.needs(own, "clean-room", "backups", "secrets", "ingress", "database")
    room, backups = having(own.clean_room, "clean-room"), having(own.backups, "backups")
    ingress = having(own.ingress, "ingress")
    hand_out_all(having(own.secrets, "secrets"), tmp_path / "leaked")
    backup_id = backups.take().backup_id
    written(own, "CREATE TABLE room_kept (n int)")
    xid = written(own, "CREATE TABLE room_lost (n int)")
    ingress.close(queue=True)
    backups.close_archive()
    audited = dict(having(own.audit, "audit").heads())

    listed = dict(room.preserve(own.directory / "forensics"))
    assert {"pgdata", "pg_wal", "logs"} <= {word for name in listed for word in name.split("/")}
    assert room.name() == ""
    assert room.prepare() == "clean-1"
    restored = room.restore(backup_id, Wanted(before_xid=xid))
    assert restored.complete
    room.enter()

    later = find.kind(own.facts().name).attach(own.directory)  # as another process finds it
    assert having(later.clean_room, "clean-room").name() == "clean-1"
    assert having(later.database, "database").leader() is not None
    assert tables(later) == {"room_kept"}
    assert room.shared() == ()
    assert ingress.is_closed()
    refused(room, tmp_path / "leaked", own.endpoints().version)
    lines = {log: count for log, (count, _) in audited.items()}
    now = having(later.audit, "audit").heads(lines)
    assert {log: now.get(log) for log in audited} == audited

    having(later.ingress, "ingress").open()
    await_ready("the open doors", having(later.ingress, "ingress").is_open, within_s=60.0)
    having(later.backups, "backups").take()
    stands.await_whole(later)
    assert dict(having(later.clean_room, "clean-room").preserved(list(listed))) == listed


def written(platform: Platform, statement: str) -> int:
    """In a transaction of its own; its number."""
    dsn = having(platform.database, "database").superuser_dsn()
    with psycopg.connect(f"{dsn} dbname={platform.endpoints().database}") as database:
        row = database.execute("SELECT pg_current_xact_id()::text::bigint").fetchone()
        database.execute(statement)
    assert row is not None
    return int(row[0])


def tables(platform: Platform) -> set[str]:
    dsn = having(platform.database, "database").superuser_dsn()
    with psycopg.connect(f"{dsn} dbname={platform.endpoints().database}") as database:
        named = database.execute("SELECT relname FROM pg_class WHERE relname LIKE 'room%'")
        return {str(name) for (name,) in named.fetchall()}


def refused(room: CleanRoom, folder: Path, version: int) -> None:
    """What a thief had of the environment that was left opens nothing in the one that serves."""
    given = Order("pd-contract-attacker", "", "", version, {}, max_s=0.0, max_tries=1)
    for credential in CLASSES:
        held = replace(load(folder / f"{credential}.json"), where=room.inside(credential))
        with pytest.raises(Denied):
            way_in(held, given)(0)
