"""The base backups of one store, and what they and the archive carry: seen from outside alone.

Whoever has the store's port, the platform's folder and a leader's port can list, take, verify and
measure. Where databases run, and how they are stopped, is not known here.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import psycopg

from harness.errors import NotReady, PlatformError
from harness.platforms.capabilities import Backup, Reach, Wholeness
from harness.platforms.embedded import (
    backup,
    backup_key,
    backup_pages,
    backup_store,
    postgres,
    reach,
    vault,
    wal_fetch,
)
from harness.platforms.embedded.backup_key import BackupKey
from harness.platforms.embedded.credentials import SecretFiles, files_of
from harness.platforms.embedded.layout import Layout
from harness.platforms.embedded.s3_client import S3Client, S3Error
from harness.platforms.embedded.waiting import await_ready

_ARCHIVED_S = 60.0
_SWITCH = "SELECT pg_walfile_name(pg_switch_wal())"
_MARK = "SELECT pg_logical_emit_message(false, 'peakdrill', 'close')"  # so that there is a switch
_IS_DONE = """
SELECT EXISTS (SELECT 1 FROM pg_ls_archive_statusdir() WHERE name = %(name)s || '.done')
    OR NOT EXISTS (SELECT 1 FROM pg_ls_waldir() WHERE name = %(name)s)
"""  # the second: recycled since


@dataclass(frozen=True, slots=True)
class Shelf:
    """By the keys of one platform."""

    layout: Layout
    store: S3Client

    def candidates(self) -> tuple[Backup, ...]:
        """By the store's listing, newest first; nothing in it is believed yet."""
        found = backup_store.raw_records(self.store)
        return tuple(
            Backup(
                backup_id=backup_id,
                taken_utc=str((claim or {}).get("taken", "")),
                release=str((claim or {}).get("release", "")),
                encrypted=bool((claim or {}).get("encryption")),
            )
            for backup_id, claim in sorted(found.items(), reverse=True)
        )

    def take(self, leader_port: int) -> Backup:
        """Copy from the leader, gate, seal, store. Raises PlatformError when a gate says no."""
        key = backup_key.load(self.layout).key
        folder = self.layout.backup
        shutil.rmtree(folder, ignore_errors=True)
        access = backup.Access(leader_port, files_of(self.layout).superuser_pass)
        backup.take(folder, access, self.layout.home)
        record = backup.upload(folder, backup.new_id(), self.store, key)
        shutil.rmtree(folder)
        return Backup(record.backup_id, record.taken, record.release, encrypted=True)

    def verify(self, backup_id: str) -> Wholeness:
        """Whole, with what was lost or attacked and survived; or not, and why.

        Raises PlatformError when the store is silent: no reason to refuse a backup.
        """
        folder = self.layout.home / "verify"
        try:
            found = backup_key.load(self.layout)
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(mode=0o700)
            self._refuse_unsound(backup_id, found, folder)
            on_top = self._overwritten(backup_id)
        except S3Error as error:
            raise PlatformError(f"the store does not answer for {backup_id}: {error}") from error
        except PlatformError as error:
            if isinstance(error.__cause__, S3Error):
                raise
            return Wholeness(False, (error.what,))
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return Wholeness(True, (*found.lost, *on_top))

    def _refuse_unsound(self, backup_id: str, found: BackupKey, folder: Path) -> None:
        record = backup_store.record_of(self.store, found.key, backup_id)
        backup_store.fetch(self.store, found.key, record, folder)
        words = ["pg_verifybackup", "--no-parse-wal", "--format=tar", "--exit-on-error"]
        postgres.run([*words, str(folder)], home=folder)
        if damage := backup_pages.damage_in(folder):
            told = f"base backup {backup_id} carries damaged pages: {'; '.join(damage)}"
            raise backup_store.Unsound(told)

    def _overwritten(self, backup_id: str) -> list[str]:
        places = (
            backup_store.key_of(backup_id, name)
            for name in (backup_store.RECORD, *backup_store.FILES)
        )
        return [
            f"{place} was overwritten since; its first version is sound"
            for place in places
            if vault.is_overwritten(self.store, place)
        ]

    def reach(self, backup_id: str, claimed: Collection[str]) -> Reach:
        """`claimed`: what a leader has finished, asked before this, so never ahead of the store."""
        key = backup_key.load(self.layout).key
        record = backup_store.record_of(self.store, key, backup_id)
        try:
            wal = wal_fetch.Wal(self.store, key)
            return reach.measure(wal, record, claimed, self.layout.home)
        except S3Error as error:
            raise PlatformError(f"the archive cannot be read: {error}") from error

    def lacks(self, key: str) -> bool:
        """Whether the store has nothing under a key. Raises PlatformError when it is silent."""
        try:
            return self.store.head(key) is None
        except S3Error as error:
            raise PlatformError(f"the store does not answer: {error}") from error


def close_segment(leader_port: int, files: SecretFiles, *, next_step: str) -> None:
    """Have the leader finish its segment, until its own mark says that it is archived.

    Raises PlatformError.
    """
    try:
        with postgres.connected(leader_port, files) as connection:
            connection.execute(_MARK)
            row = connection.execute(_SWITCH).fetchone()
    except psycopg.Error as error:
        raise PlatformError(f"the leader did not finish its segment: {error}") from error
    assert row is not None
    name = str(row[0])
    try:
        await_ready(
            f"the archive of {name}",
            lambda: _is_archived(leader_port, files, name),
            within_s=_ARCHIVED_S,
            poll_s=0.05,
            next_step=next_step,
        )
    except NotReady as error:
        raise PlatformError(error.what, next_step=next_step) from error


def _is_archived(port: int, files: SecretFiles, name: str) -> bool:
    try:
        with postgres.connected(port, files) as connection:
            row = connection.execute(_IS_DONE, {"name": name}).fetchone()
    except psycopg.Error:
        return False
    return bool(row and row[0])
