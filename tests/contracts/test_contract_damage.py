"""Contract: a corrupt page is seen, survives a switchover, and is mended by a copy made anew."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import psycopg
import pytest

from harness.core import checks
from harness.core.proof_findings import gate_proofs
from harness.core.proofs import Proof
from harness.core.verdict import Verdict
from harness.errors import FaultError, PlatformError
from harness.evidence import layout
from harness.evidence.lines import read_lines
from harness.evidence.rundir import RunDirectory
from harness.faults.deeds import page_corruption
from harness.faults.journal import Entry
from harness.inspection import corruption
from harness.inspection.scene import Scene
from harness.platforms.capabilities import Platform
from harness.platforms.embedded.waiting import await_ready
from harness.platforms.having import having
from tests.contracts.stands import await_whole, needs
from tests.core import simulate

pytestmark = pytest.mark.timeout(900)
TABLE = "product_template"
WHOLE_S = 300


@pytest.fixture
def damaged(kept: Platform, tmp_path: Path) -> Iterator[str]:
    """The leader's node, with garbage in a page; mended and given the lead back afterwards."""
    needs(kept, "database.damage", "nodes")
    platform, database = kept, having(kept.database, "database")
    node = database.leader()
    assert node is not None
    entry = Entry(page_corruption.NAME, (("node", node), ("table", TABLE)), "r", tmp_path)
    deed = page_corruption.DEED
    asked = dict(entry.parameters)
    assert not deed.seen(platform, asked)
    try:
        instant = database.corrupt_page(node, TABLE)
        assert instant.earliest_ns < instant.latest_ns <= time.monotonic_ns()
        assert deed.seen(platform, asked)
        assert not deed.is_undone(platform, entry)
        yield node
    finally:
        deed.begin(platform, entry)
        await_ready("the copy", lambda: deed.is_undone(platform, entry), within_s=WHOLE_S)
        await_whole(platform)
        database.switchover(node)
        await_whole(platform)
    assert not deed.seen(platform, asked)


def test_a_node_that_merely_rejoins_is_still_corrupt_and_is_named(
    kept: Platform, damaged: str, tmp_path: Path
) -> None:
    platform, database = kept, having(kept.database, "database")
    nodes, backups = having(kept.nodes, "nodes"), having(kept.backups, "backups")
    sound = next(b.backup_id for b in backups.candidates() if backups.verify(b.backup_id).whole)
    other = nodes.resolve("standby")
    reading_is_refused(platform, damaged)
    assert reading(platform, other) > 200
    assert database.checksum_failures(damaged) > 0
    assert database.corruption(other) == ()
    with pytest.raises(PlatformError, match="leads"):
        database.reinitialize(damaged)
    with pytest.raises(PlatformError, match=f"{TABLE}|damaged pages"):
        backups.take()  # no backup carries the damage
    assert database.switchover() == other
    assert database.switchover(other) == other  # harmless
    with psycopg.connect(database.application_dsn()) as connection:  # customers are served again
        assert connection.execute(f"SELECT count(*) > 200 FROM {TABLE}").fetchone() == (True,)
    await_ready("the old primary", lambda: nodes.is_back(damaged), within_s=WHOLE_S)
    found = inspected(platform, tmp_path)
    assert found[f"node {damaged}"].ok is False
    assert f"node {damaged} is still corrupt" in found[f"node {damaged}"].told
    assert TABLE in found[f"node {damaged}"].told
    assert found[f"node {other}"].ok is True
    assert found[f"backup {sound}"].ok is True  # others may be planted, and refused
    assert gate_proofs(checks.nothing_corrupt, list(found.values())).verdict is Verdict.MISSED
    database.reinitialize(damaged)
    assert not nodes.is_back(damaged)  # nobody takes it for the old copy any more
    await_ready("the copy", lambda: nodes.is_back(damaged), within_s=WHOLE_S)
    assert database.corruption(damaged) == ()
    assert reading(platform, damaged) > 200


def test_what_cannot_be_damaged_is_refused(kept: Platform) -> None:
    needs(kept, "database.damage")
    database = having(kept.database, "database")
    leader = database.leader()
    assert leader is not None
    with pytest.raises(FaultError, match="no table"):
        database.corrupt_page(leader, "moon")
    for asked in (database.superuser_dsn, database.corruption):
        with pytest.raises(PlatformError, match="no database node 'moon'"):
            asked("moon")


def reading_is_refused(platform: Platform, node: str) -> None:
    with pytest.raises(psycopg.errors.DataCorrupted, match="invalid page"):
        reading(platform, node)


def reading(platform: Platform, node: str) -> int:
    """How many rows a node reads, by way of the table itself."""
    with psycopg.connect(having(platform.database, "database").superuser_dsn(node)) as connection:
        connection.execute("SET enable_indexonlyscan = off")
        row = connection.execute(f"SELECT count(*) FROM {TABLE}").fetchone()
    assert row
    return int(row[0])


def inspected(platform: Platform, folder: Path) -> dict[str, Proof]:
    run = RunDirectory.create(folder, "r1").path
    begun = "2000-01-01T00:00:00Z"  # every backup is looked into
    scene = Scene(platform, run, "r1", cast(Any, None), simulate.TARGETS, begun)
    corruption.nothing_is_corrupt(scene)
    return {p.subject: p for p in read_lines(run / layout.PROOFS, Proof)}
