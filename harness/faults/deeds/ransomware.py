"""Rows and documents unreadable, backups attacked.

The recovery mends it in a new environment. Where a drill died before that, the undo restores the
platform in its place: from the backup that was sound, to just before the first harm.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping

import psycopg

from harness.attack.leaked import folder_of
from harness.faults import ransom
from harness.faults.deeds import Deed
from harness.faults.journal import Entry
from harness.platforms.capabilities import Platform, Wanted
from harness.platforms.having import having

NAME = "ransomware"


def _is_locked(platform: Platform) -> bool:
    return ransom.is_locked(having(platform.database, "database").application_dsn())


def _seen(platform: Platform, _parameters: Mapping[str, str]) -> bool:
    return _is_locked(platform)


def _begin(platform: Platform, entry: Entry) -> None:
    database, backups = having(platform.database, "database"), having(platform.backups, "backups")
    try:
        if _is_locked(platform):
            harm = ransom.first_harm(database.application_dsn())
            until = Wanted(until_utc=entry.parameter("began_utc"))
            wanted = Wanted(before_xid=harm.xid) if harm else until
            backups.close_archive()
            backups.stop_databases()
            backups.restore(entry.parameter("backup"), wanted)
    except psycopg.OperationalError:  # died within a restore: from its beginning once more
        backups.stop_databases()
        backups.restore(entry.parameter("backup"), Wanted(until_utc=entry.parameter("began_utc")))
    backups.mend_key()
    shutil.rmtree(folder_of(platform.directory), ignore_errors=True)  # what the thief had
    ransom.decrypt_documents(having(platform.filestore, "filestore"))


def _is_undone(platform: Platform, _entry: Entry) -> bool:
    sound = not ransom.damaged_documents(having(platform.filestore, "filestore"))
    return sound and not _is_locked(platform) and platform.whole().whole


DEED = Deed(
    name=NAME,
    describe=lambda _entry: "what was locked is restored to just before the first harm",
    holds=lambda platform, _entry: _is_locked(platform),
    begin=_begin,
    is_undone=_is_undone,
    seen=_seen,
    held=False,
)
