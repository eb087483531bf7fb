"""A page that is damaged on disk: who notices, and who carries it on."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from harness.core import checks
from harness.core.proof_findings import gate_proofs
from harness.core.proofs import Proof
from harness.core.verdict import Verdict
from harness.errors import PlatformError
from harness.evidence import layout
from harness.evidence.lines import read_lines
from harness.evidence.rundir import RunDirectory
from harness.inspection import corruption
from harness.inspection.scene import Scene
from harness.platforms.embedded import EmbeddedPlatform, damage, pages, patroni, postgres
from harness.platforms.embedded.backup import Access
from harness.platforms.embedded.credentials import files_of
from harness.platforms.embedded.layout import Layout, load_state
from harness.platforms.embedded.waiting import await_ready
from tests.conftest import missing_in_the_end
from tests.track_record.barman import Barman

pytestmark = [pytest.mark.track_record, pytest.mark.platform, pytest.mark.timeout(400)]
TABLE = "peakdrill_damaged"
BACK_S = 120
_OLD_LSN = bytes(8)  # a page that says it is older than the backup: every tool checks those


@pytest.fixture
def damaged(platform: EmbeddedPlatform) -> Iterator[str]:
    """The leader, with garbage in the only page of a table of our own."""
    node = platform.database.leader()
    assert node is not None
    layout_ = Layout(platform.directory)
    port = load_state(layout_).ports[f"pg_{node}"]
    with postgres.connected(port, files_of(layout_), database=postgres.DATABASE) as connection:
        connection.execute("CREATE EXTENSION IF NOT EXISTS pg_buffercache")
        connection.execute(f"CREATE TABLE {TABLE} AS SELECT generate_series(1, 50) AS told")
        try:
            damage.settle(connection, TABLE)
            row = connection.execute("SELECT pg_relation_filepath(%s)", [TABLE]).fetchone()
            assert row is not None
            _write_garbage(layout_.pgdata(node) / str(row[0]))
            damage.evict(connection, TABLE)
            assert damage.reading_fails(connection, TABLE)
            yield node
        finally:
            connection.execute(f"DROP TABLE {TABLE}")
            connection.execute("CHECKPOINT")
    assert missing_in_the_end(platform) == ()


def _write_garbage(path: Path) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.pwrite(descriptor, _OLD_LSN + secrets.token_bytes(pages.PAGE_BYTES - 8), 0)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def test_barman_cloud_backup_succeeds_on_a_corrupt_page_and_no_gate_of_ours_does(
    platform: EmbeddedPlatform, damaged: str, barman: Barman, tmp_path: Path
) -> None:
    layout_ = Layout(platform.directory)
    port = load_state(layout_).ports[f"pg_{damaged}"]
    words = ["-h", "127.0.0.1", "-p", str(port), "-U", "postgres", "-d", "postgres"]
    taken = barman.run("backup", "--immediate-checkpoint", *words, *barman.target)
    assert taken.returncode == 0, taken.stderr
    restored = tmp_path / "restored"
    back = barman.run("restore", *barman.target, "latest", str(restored))
    assert back.returncode == 0, back.stderr
    found, _ = pages.damaged_pages(restored)
    print(f"barman-cloud-backup: exit {taken.returncode}; damaged pages in it: {len(found)}")
    assert len(found) == 1

    access = Access(port, files_of(layout_).superuser_pass)
    with pytest.raises(PlatformError, match="checksum") as refused:
        postgres.run(
            ["pg_basebackup", "-d", access.dsn(), "-D", str(tmp_path / "base"), "--format=tar",
             "--wal-method=fetch", "--checkpoint=fast", "--no-sync", "--no-password"],
            home=_home_of_postgres(layout_),
        )  # fmt: skip
    print(refused.value.what)
    before = platform.backups.candidates()
    with pytest.raises(PlatformError) as gated:
        platform.backups.take()
    print(gated.value.what)
    assert platform.backups.candidates() == before


def _home_of_postgres(layout_: Layout) -> Path:
    return layout_.pgdata("a").parent


def test_the_old_primary_rejoins_and_is_still_corrupt(
    platform: EmbeddedPlatform, tmp_path: Path
) -> None:
    """The runbook of somebody who only switches over: all is green, and the damage is there."""
    database = platform.database
    old = database.leader()
    assert old is not None
    run = RunDirectory.create(tmp_path, "r1").path
    try:
        database.corrupt_page(old, "product_template")
        database.switchover()
        await_ready("the old primary", lambda: platform.nodes.is_back(old), within_s=BACK_S)
        assert missing_in_the_end(platform) == ()
        assert {m.node for m in patroni.members(database.cluster) if m.state == "streaming"} == {
            old
        }
        proofs = inspected(platform, run)
        print(proofs[f"node {old}"].told)
        assert f"node {old} is still corrupt" in proofs[f"node {old}"].told
        finding = gate_proofs(checks.nothing_corrupt, list(proofs.values()))
        assert finding.verdict is Verdict.MISSED
    finally:
        database.reinitialize(old)
        await_ready("the copy made anew", lambda: platform.nodes.is_back(old), within_s=BACK_S)
    assert database.corruption(old) == ()
    assert missing_in_the_end(platform) == ()


def inspected(platform: EmbeddedPlatform, run: Path) -> dict[str, Proof]:
    began = datetime.now(UTC).isoformat()
    scene = Scene(platform, run, "r1", cast(Any, None), cast(Any, SimpleNamespace()), began)
    corruption.nothing_is_corrupt(scene)
    return {p.subject: p for p in read_lines(run / layout.PROOFS, Proof)}
