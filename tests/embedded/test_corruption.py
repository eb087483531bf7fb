"""A corrupt page on a whole platform: what a switchover leaves, and what a copy made anew mends."""

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
from harness.platforms.embedded import EmbeddedPlatform
from harness.platforms.embedded.layout import Layout, load_state
from harness.platforms.embedded.waiting import await_ready
from tests.core import simulate

pytestmark = [pytest.mark.platform, pytest.mark.timeout(300)]
TABLE = "product_template"
WHOLE_S = 120


@pytest.fixture
def damaged(platform: EmbeddedPlatform, tmp_path: Path) -> Iterator[str]:
    """The leader's node, with garbage in a page; mended and given the lead back afterwards."""
    node = platform.database.leader()
    assert node is not None
    entry = Entry(page_corruption.NAME, (("node", node), ("table", TABLE)), "r", tmp_path)
    deed = page_corruption.DEED
    asked = dict(entry.parameters)
    assert not deed.seen(platform, asked)
    try:
        instant = platform.database.corrupt_page(node, TABLE)
        assert instant.earliest_ns < instant.latest_ns <= time.monotonic_ns()
        assert deed.seen(platform, asked)
        assert not deed.is_undone(platform, entry)
        yield node
    finally:
        deed.begin(platform, entry)
        await_ready("the copy", lambda: deed.is_undone(platform, entry), within_s=WHOLE_S)
        await_ready("the platform", lambda: platform.whole().whole, within_s=WHOLE_S)
        platform.database.switchover(node)
        await_ready("the platform", lambda: platform.whole().whole, within_s=WHOLE_S)
    assert not deed.seen(platform, asked)


def test_a_node_that_merely_rejoins_is_still_corrupt_and_is_named(
    platform: EmbeddedPlatform, damaged: str, tmp_path: Path
) -> None:
    database = platform.database
    other = "b" if damaged == "a" else "a"
    reading_is_refused(platform, damaged)
    assert reading(platform, other) > 200
    assert database.checksum_failures(damaged) > 0
    assert database.corruption(other) == ()
    with pytest.raises(PlatformError, match="leads"):
        database.reinitialize(damaged)
    with pytest.raises(PlatformError, match=f"{TABLE}|damaged pages"):
        platform.backups.take()  # no backup carries the damage
    assert database.switchover() == other
    assert database.switchover(other) == other  # harmless
    with psycopg.connect(database.application_dsn()) as connection:  # customers are served again
        assert connection.execute(f"SELECT count(*) > 200 FROM {TABLE}").fetchone() == (True,)
    await_ready("the old primary", lambda: platform.nodes.is_back(damaged), within_s=WHOLE_S)
    found = inspected(platform, tmp_path)
    assert found[f"node {damaged}"].ok is False
    assert f"node {damaged} is still corrupt" in found[f"node {damaged}"].told
    assert TABLE in found[f"node {damaged}"].told
    assert found[f"node {other}"].ok is True
    own = load_state(Layout(platform.directory)).backup_id  # others may be planted, and refused
    assert found[f"backup {own}"].ok is True
    assert gate_proofs(checks.nothing_corrupt, list(found.values())).verdict is Verdict.MISSED
    database.reinitialize(damaged)
    assert not platform.nodes.is_back(damaged)  # nobody takes it for the old copy any more
    await_ready("the copy", lambda: platform.nodes.is_back(damaged), within_s=WHOLE_S)
    assert database.corruption(damaged) == ()
    assert reading(platform, damaged) > 200


def test_what_cannot_be_damaged_is_refused(platform: EmbeddedPlatform) -> None:
    with pytest.raises(FaultError, match="no table"):
        platform.database.corrupt_page("a", "moon")
    for asked in (platform.database.superuser_dsn, platform.database.corruption):
        with pytest.raises(PlatformError, match="no database node 'c'"):
            asked("c")


def reading_is_refused(platform: EmbeddedPlatform, node: str) -> None:
    with pytest.raises(psycopg.errors.DataCorrupted, match="invalid page"):
        reading(platform, node)


def reading(platform: EmbeddedPlatform, node: str) -> int:
    """How many rows a node reads, by way of the table itself."""
    with psycopg.connect(platform.database.superuser_dsn(node)) as connection:
        connection.execute("SET enable_indexonlyscan = off")
        row = connection.execute(f"SELECT count(*) FROM {TABLE}").fetchone()
    assert row
    return int(row[0])


def inspected(platform: EmbeddedPlatform, folder: Path) -> dict[str, Proof]:
    run = RunDirectory.create(folder, "r1").path
    begun = "2000-01-01T00:00:00Z"  # every backup is looked into
    scene = Scene(platform, run, "r1", cast(Any, None), simulate.TARGETS, begun)
    corruption.nothing_is_corrupt(scene)
    return {p.subject: p for p in read_lines(run / layout.PROOFS, Proof)}
