"""Backups on a platform: what a restore brings back, what it must refuse, what it cannot promise."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator
from datetime import UTC
from pathlib import Path

import psycopg
import pytest

from harness.errors import PlatformError
from harness.platforms.capabilities import Wanted
from harness.platforms.embedded import EmbeddedPlatform, backup_key, backup_store, mirror, s3
from harness.platforms.embedded.credentials import load
from harness.platforms.embedded.layout import Layout, load_state
from harness.platforms.embedded.lock import locked
from harness.platforms.embedded.s3_client import S3Client
from harness.platforms.embedded.waiting import await_ready
from tests.conftest import missing_in_the_end

pytestmark = pytest.mark.platform
WHOLE_S = 90
MIRRORED_S = 60
# numbers of long ago: they cannot be deleted, and no other test must take them for the newest
PLANTED = ("20000101T000000", "20000102T000000", "20000103T000000")


class Probe:
    """A table of our own, written one transaction a row."""

    def __init__(self, platform: EmbeddedPlatform) -> None:
        self._platform = platform

    @contextlib.contextmanager
    def connected(self) -> Iterator[psycopg.Connection]:
        with psycopg.connect(self._platform.database.superuser_dsn(), autocommit=True) as database:
            database.execute("CREATE TABLE IF NOT EXISTS peakdrill_probe (told int)")
            yield database

    def write(self, *rows: int) -> list[int]:
        """The transactions' numbers."""
        with self.connected() as database:
            asked = "INSERT INTO peakdrill_probe VALUES (%s) RETURNING pg_current_xact_id()::text"
            return [int(database.execute(asked, (row,)).fetchone()[0]) for row in rows]

    def rows(self) -> list[int]:
        with self.connected() as database:
            return [r[0] for r in database.execute("SELECT told FROM peakdrill_probe ORDER BY 1")]

    def finish_segment(self) -> str:
        """The name of the segment that the leader was writing."""
        with self.connected() as database:
            database.execute("SELECT pg_logical_emit_message(false, 'peakdrill', 'mark')")
            return str(database.execute("SELECT pg_walfile_name(pg_switch_wal())").fetchone()[0])

    def clock(self) -> str:
        with self.connected() as database:
            now = database.execute("SELECT clock_timestamp()").fetchone()[0]
        return now.astimezone(UTC).isoformat(timespec="microseconds")

    def drop(self) -> None:
        with self.connected() as database:
            database.execute("DROP TABLE peakdrill_probe")


@pytest.fixture
def probe(platform: EmbeddedPlatform) -> Iterator[Probe]:
    made = Probe(platform)
    yield made
    await_ready("the platform", lambda: platform.whole().whole, within_s=WHOLE_S)
    made.drop()


def store_of(platform: EmbeddedPlatform, *, admin: bool = False) -> S3Client:
    layout = Layout(platform.directory)
    made = s3.admin if admin else s3.archivist
    return made(load_state(layout).ports, load(layout))


def seeded(platform: EmbeddedPlatform) -> str:
    """The first backup of the platform, taken of the release before."""
    found = [b for b in platform.backups.candidates() if b.backup_id not in PLANTED]
    assert found[-1].release == "1"
    return found[-1].backup_id


def test_back_to_just_before_a_transaction(platform: EmbeddedPlatform, probe: Probe) -> None:
    taken = platform.backups.take()
    assert platform.backups.candidates()[0] == taken
    assert taken.encrypted
    _, _, third, _ = probe.write(1, 2, 3, 4)
    platform.backups.close_archive()
    reach = platform.backups.reach(taken.backup_id)
    assert reach.missing == ()
    assert reach.last_segment >= reach.first_segment

    restored = platform.backups.restore(taken.backup_id, Wanted(before_xid=third))
    assert restored.complete
    assert restored.reached_utc <= reach.last_commit_utc
    assert probe.rows() == [1, 2]

    await_ready("the platform", lambda: platform.whole().whole, within_s=WHOLE_S)
    probe.write(5)  # on the new timeline, which the same backup reaches too
    platform.backups.close_archive()
    onward = platform.backups.reach(taken.backup_id)
    assert onward.missing == ()
    assert onward.last_segment[:8] > reach.last_segment[:8]
    assert onward.last_commit_utc > reach.last_commit_utc


def test_an_archive_that_stops_in_silence(platform: EmbeddedPlatform, probe: Probe) -> None:
    backups = platform.backups
    assert not backups.archive_is_stopped()
    taken = backups.take()
    probe.write(1)
    backups.close_archive()
    before = backups.reach(taken.backup_id)

    backups.stop_archive()
    probe.write(2)
    lost = probe.finish_segment()
    backups.close_archive()
    wanted = probe.clock()
    assert missing_in_the_end(platform) == ()  # that is the danger of it
    assert backups.archive_is_stopped()
    gap = backups.reach(taken.backup_id)
    assert gap.last_segment == before.last_segment
    assert gap.last_commit_utc == before.last_commit_utc
    assert lost in gap.missing
    assert gap.missing == tuple(sorted(gap.missing))
    assert all(name > gap.last_segment for name in gap.missing)

    restored = backups.restore(taken.backup_id, Wanted(until_utc=wanted))
    assert not restored.complete
    assert restored.reached_utc == gap.last_commit_utc < wanted
    assert probe.rows() == [1]

    backups.mend_archive()
    assert not backups.archive_is_stopped()
    newest = platform.backups.candidates()[0].backup_id
    assert newest > taken.backup_id
    backups.close_archive()
    assert platform.backups.reach(newest).missing == ()


def test_the_first_backup_is_sealed_and_of_the_release_before(platform: EmbeddedPlatform) -> None:
    backup_id, store = seeded(platform), store_of(platform)
    assert platform.backups.verify(backup_id).missing == ()
    for name in backup_store.FILES:
        content = store.get(backup_store.key_of(backup_id, name))
        assert content is not None
        assert content[:4] == b"PDS1"
        assert b"WAL-Ranges" not in content


def test_poisoned_and_forged_backups_are_refused_by_name(platform: EmbeddedPlatform) -> None:
    stranger, borrowed, broken = PLANTED
    store, sound = store_of(platform), seeded(platform)
    record = json.loads(store.get(backup_store.key_of(sound, backup_store.RECORD)))
    objects = {n: store.get(backup_store.key_of(sound, n)) for n in backup_store.FILES}

    def plant(backup_id: str, told: dict[str, object], changed: bytes = b"") -> str:
        for name, content in objects.items():
            store.put(backup_store.key_of(backup_id, name), content + changed)
        key = backup_store.key_of(backup_id, backup_store.RECORD)
        store.put(key, json.dumps(told).encode())
        return backup_id

    digests = {n: hashlib.sha256(c + b"!").hexdigest() for n, c in objects.items()}
    forged = {**record, "backup_id": stranger, "objects": digests}
    refused = {
        plant(stranger, forged, b"!"): "does not bear our stamp",
        plant(borrowed, record): f"carries the record of {sound}",
        broken: "no record that can be read",
    }
    store.put(backup_store.key_of(broken, backup_store.RECORD), b"{")
    listed = [b.backup_id for b in platform.backups.candidates()]
    for backup_id, why in refused.items():
        assert backup_id in listed
        found = platform.backups.verify(backup_id)
        assert not found.whole
        assert backup_id in found.missing[0]
        assert why in found.missing[0]
    with pytest.raises(PlatformError, match="stamp"):
        platform.backups.reach(stranger)


def test_an_overwritten_backup_is_read_by_its_first_version(platform: EmbeddedPlatform) -> None:
    backup_id, store = seeded(platform), store_of(platform)
    key = backup_store.key_of(backup_id, "backup_manifest")
    store.put(key, b"something else")
    found = platform.backups.verify(backup_id)
    assert found.whole
    assert found.missing == (f"{key} was overwritten since; its first version is sound",)
    assert missing_in_the_end(platform) == ()


def test_one_lost_copy_of_the_key_is_survived_and_both_are_not(platform: EmbeddedPlatform) -> None:
    backup_id = seeded(platform)
    ours, escrow = backup_key.copies(Layout(platform.directory))
    away = [(path, path.with_suffix(".away")) for path in (ours, escrow)]
    try:
        for number, (path, elsewhere) in enumerate(away):
            path.rename(elsewhere)
            found = platform.backups.verify(backup_id)
            assert found.whole is (number == 0)
            assert "secrets/backup-key is lost" in found.missing[0]
        assert "secrets/escrow/backup-key is lost" in found.missing[0]
        assert "no backup can be opened" in found.missing[0]
        assert "no backup can be opened" in platform.whole().missing[0]
        with pytest.raises(PlatformError, match="no backup can be opened"):
            platform.backups.restore(backup_id, Wanted())
        assert platform.database.leader() is not None  # refused before anything was stopped
    finally:
        for path, elsewhere in away:
            if elsewhere.exists():
                elsewhere.replace(path)
    assert missing_in_the_end(platform) == ()


def test_a_lock_is_seen_and_its_absence_too(platform: EmbeddedPlatform) -> None:
    admin = store_of(platform, admin=True)
    key = backup_store.key_of(seeded(platform), backup_store.RECORD)
    assert locked(admin, key).missing == ()
    bare = S3Client(admin.port, admin.access_key, admin.secret_key, "without-a-lock")
    assert bare.call("PUT", "").status == 200
    try:
        bare.put(key, b"{}")
        found = locked(bare, key)
        assert not found.whole
        assert "does not keep versions" in found.missing[0]
        assert "not locked in COMPLIANCE mode" in found.missing[1]
        assert locked(bare, "absent").missing == ("absent is not there",)
    finally:
        bare.call("DELETE", key)
        bare.call("DELETE", "")


def test_documents_have_a_second_home(platform: EmbeddedPlatform) -> None:
    kept, store = platform.filestore, store_of(platform)
    folder = platform.endpoints().filestore
    assert folder is not None
    sound = _document(folder, b"an invoice")
    await_ready("the mirror", lambda: sound in kept.mirrored_names(), within_s=MIRRORED_S)
    assert kept.mirror_is_complete()
    store.put(mirror.key_of(sound), b"not an invoice")
    assert kept.mirrored(sound) == b"an invoice"
    assert kept.mirrored("00/" + "0" * 40) is None

    damaged = _document(folder, b"another invoice", cut=3)
    later = _document(folder, b"a third invoice")
    try:
        await_ready("the mirror", lambda: later in kept.mirrored_names(), within_s=MIRRORED_S)
        assert damaged not in kept.mirrored_names()
        assert not kept.mirror_is_complete()
    finally:
        for name in (sound, damaged, later):
            (folder / name).unlink()


def _document(folder: Path, content: bytes, *, cut: int = 0) -> str:
    digest = hashlib.sha1(content, usedforsecurity=False).hexdigest()
    path = folder / digest[:2] / digest
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content[: len(content) - cut])
    return f"{digest[:2]}/{digest}"
