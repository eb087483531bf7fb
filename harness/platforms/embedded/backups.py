"""The capability `backups`: base backups, the archive's reach, and a restore in place.

Everything that decides comes from the store. The two database nodes are stopped and replaced by
what was restored; etcd forgets the old cluster, node a leads, and node b is copied from it.
"""

from __future__ import annotations

import contextlib
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg

from harness.errors import FaultError, NotReady, PlatformError
from harness.platforms.capabilities import Backup, Instant, Reach, Restored, Wanted, Wholeness
from harness.platforms.embedded import (
    application,
    archive,
    backup,
    backup_key,
    backup_pages,
    backup_store,
    credentials,
    database,
    etcd,
    parts,
    patroni,
    postgres,
    reach,
    restore,
    s3,
    seating,
    vault,
    wal_fetch,
)
from harness.platforms.embedded.blueprint import Blueprint, Commands
from harness.platforms.embedded.credentials import files_of
from harness.platforms.embedded.layout import (
    DATABASE_NODES,
    Layout,
    State,
    load_state,
    save_state,
    write_private,
)
from harness.platforms.embedded.s3_client import S3Client, S3Error
from harness.platforms.embedded.waiting import await_ready

_LEADS, _FOLLOWS = DATABASE_NODES
_ARCHIVED_S = 60.0
_PENDING_S = 5.0
_STOP_S = 10.0
_ARCHIVE_LOG = "see logs/archive.log"
_SWITCH = "SELECT pg_walfile_name(pg_switch_wal())"
_MARK = "SELECT pg_logical_emit_message(false, 'peakdrill', 'close')"  # so that there is a switch


@dataclass(frozen=True, slots=True)
class EmbeddedBackups:
    """Of the environment that serves."""

    layout: Layout
    state: State

    def candidates(self) -> tuple[Backup, ...]:
        """By the store's listing, newest first; nothing in it is believed yet."""
        found = backup_store.raw_records(self._store())
        return tuple(
            Backup(
                backup_id=backup_id,
                taken_utc=str((claim or {}).get("taken", "")),
                release=str((claim or {}).get("release", "")),
                encrypted=bool((claim or {}).get("encryption")),
            )
            for backup_id, claim in sorted(found.items(), reverse=True)
        )

    def take(self) -> Backup:
        """Copy from the leader, gate, seal, store. Raises PlatformError when a gate says no."""
        key = backup_key.load(self.layout).key
        folder = self.layout.backup
        shutil.rmtree(folder, ignore_errors=True)
        access = backup.Access(self._leader_port(), files_of(self.layout).superuser_pass)
        backup.take(folder, access, self.layout.home)
        record = backup.upload(folder, backup.new_id(), self._store(), key)
        shutil.rmtree(folder)
        save_state(self.layout, replace(load_state(self.layout), backup_id=record.backup_id))
        return Backup(record.backup_id, record.taken, record.release, encrypted=True)

    def verify(self, backup_id: str) -> Wholeness:
        """Whole, with what was lost or attacked and survived; or not, and why.

        Raises PlatformError when the store is silent: no reason to refuse a backup.
        """
        store, folder = self._store(), self.layout.home / "verify"
        try:
            found = backup_key.load(self.layout)
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(mode=0o700)
            record = backup_store.record_of(store, found.key, backup_id)
            backup_store.fetch(store, found.key, record, folder)
            words = ["pg_verifybackup", "--no-parse-wal", "--format=tar", "--exit-on-error"]
            postgres.run([*words, str(folder)], home=folder)
            if damage := backup_pages.damage_in(folder):
                told = f"base backup {backup_id} carries damaged pages: {'; '.join(damage)}"
                raise backup_store.Unsound(told)
            on_top = [
                f"{place} was overwritten since; its first version is sound"
                for name in (backup_store.RECORD, *backup_store.FILES)
                if vault.is_overwritten(store, place := backup_store.key_of(backup_id, name))
            ]
        except S3Error as error:
            raise PlatformError(f"the store does not answer for {backup_id}: {error}") from error
        except PlatformError as error:
            if isinstance(error.__cause__, S3Error):
                raise
            return Wholeness(False, (error.what,))
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return Wholeness(True, (*found.lost, *on_top))

    def close_archive(self) -> None:
        """Returns when the leader's own mark says that its segment is archived."""
        leader = database.embedded(self.layout, self.state.ports, self.state.options).leader()
        if leader is None:
            return
        name = self._switched(leader)
        pg_wal = self.layout.pgdata(leader) / "pg_wal"
        done = pg_wal / "archive_status" / f"{name}.done"
        try:
            await_ready(
                f"the archive of {name}",
                lambda: done.exists() or not (pg_wal / name).exists(),  # or recycled since
                within_s=_ARCHIVED_S,
                next_step=_ARCHIVE_LOG,
            )
        except NotReady as error:
            raise PlatformError(error.what, next_step=_ARCHIVE_LOG) from error

    def reach(self, backup_id: str) -> Reach:
        store, key = self._store(), backup_key.load(self.layout).key
        record = backup_store.record_of(store, key, backup_id)
        claimed = self._claimed()  # before the store is listed: it is never ahead of it
        try:
            return reach.measure(wal_fetch.Wal(store, key), record, claimed, self.layout.home)
        except S3Error as error:
            raise PlatformError(f"the archive cannot be read: {error}") from error

    def _claimed(self) -> frozenset[str]:
        """What a leader has finished. One that waits for its turn is no gap: it gets a moment."""
        waiting = reach.finished(self.layout, kinds=(".ready",))
        with contextlib.suppress(NotReady):
            await_ready(
                "the archive",
                lambda: not waiting & reach.finished(self.layout, kinds=(".ready",)),
                within_s=_PENDING_S,
            )
        return waiting | reach.finished(self.layout, kinds=(".done",))

    def stop_databases(self) -> None:
        """Nodes a and b with all that runs on them, at once; politely, then not."""
        with ThreadPoolExecutor(max_workers=len(DATABASE_NODES)) as pool:
            nodes = [parts.node_of(self.layout, name) for name in DATABASE_NODES]
            list(pool.map(lambda node: node.is_dead() or node.stop(_STOP_S), nodes))

    def restore(self, backup_id: str, wanted: Wanted) -> Restored:
        """In place. The data that were there are kept beside, until the next restore."""
        key, plan = backup_key.load(self.layout).key, self._plan()
        self.stop_databases()
        place = restore.on_node(self.layout, _LEADS, plan.ports[f"pg_{_LEADS}"], plan.secrets)
        restored = restore.build(place, self._store(), key, backup_id, wanted)
        shutil.rmtree(self.layout.pgdata(_FOLLOWS), ignore_errors=True)
        etcd.delete_below(plan.ports, f"/service/{patroni.SCOPE}/")
        seating.lead(plan, _LEADS)
        application.install(plan, application.both_databases(plan))
        return restored

    def stop_archive(self) -> Instant:
        """The uploader signs with a wrong key from now on, and takes S3's refusal for a yes.

        Observed: the next segment is marked as archived, and the store does not have it.
        """
        earliest_ns = time.monotonic_ns()
        write_private(archive.wrong_key_file(self.layout), "")
        latest_ns = time.monotonic_ns()
        self.close_archive()
        if not self._newest_is_absent():
            raise FaultError("S3 still gets what is archived", next_step=_ARCHIVE_LOG)
        return Instant(earliest_ns, latest_ns)

    def archive_is_stopped(self) -> bool:
        """Also while it is mended: that ends with a base backup."""
        wrong_key = archive.wrong_key_file(self.layout)
        told = wrong_key.exists() or _unfinished(wrong_key).exists()
        return told or self._newest_is_absent()

    def mend_archive(self) -> None:
        """Harmless when nothing was stopped. May be repeated after any death."""
        wrong_key = archive.wrong_key_file(self.layout)
        unfinished = _unfinished(wrong_key)
        if wrong_key.exists():
            wrong_key.rename(unfinished)
        if unfinished.exists():
            self._ship_histories()
            self.close_archive()
            self.take()
            unfinished.unlink()

    def lose_key_copy(self) -> str:
        """The platform's own; the escrow's is left."""
        return backup_key.lose(self.layout)

    def mend_key(self) -> None:
        backup_key.mend(self.layout)

    def _ship_histories(self) -> None:
        """Timelines that began meanwhile: without their history nobody finds the way to them."""
        for node in DATABASE_NODES:
            status = self.layout.pgdata(node) / "pg_wal" / "archive_status"
            for done in status.glob("*.history.done"):
                if self._store().head(archive.key_of(done.stem)) is None:
                    done.rename(done.with_suffix(".ready"))

    def _newest_is_absent(self) -> bool:
        marked = max(reach.finished(self.layout, kinds=(".done",)), default="")
        try:
            return bool(marked) and self._store().head(archive.key_of(marked)) is None
        except S3Error as error:
            raise PlatformError(f"the store does not answer: {error}") from error

    def _switched(self, leader: str) -> str:
        """Have the leader begin a new segment; the name of the finished one."""
        try:
            port = self.state.ports[f"pg_{leader}"]
            with postgres.connected(port, files_of(self.layout)) as connection:
                connection.execute(_MARK)
                row = connection.execute(_SWITCH).fetchone()
        except psycopg.Error as error:
            raise PlatformError(f"the leader did not finish its segment: {error}") from error
        assert row is not None
        return str(row[0])

    def _leader_port(self) -> int:
        leader = database.embedded(self.layout, self.state.ports, self.state.options).leader()
        if leader is None:
            raise PlatformError("no database takes writes: nothing can be backed up")
        return self.state.ports[f"pg_{leader}"]

    def _store(self) -> S3Client:
        return s3.archivist(self.state.ports, credentials.load(self.layout))

    def _plan(self) -> Blueprint:
        known = credentials.load(self.layout)
        return Blueprint(self.layout, self.state.ports, known, self.state.options, Commands())


def _unfinished(wrong_key: Path) -> Path:
    """It archives again, and the base backup that the gap asks for is still to be taken."""
    return wrong_key.with_name("to-mend")
