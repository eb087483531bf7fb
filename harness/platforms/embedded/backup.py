"""Base backups: taken and gated. What is stored, and how, is backup_store's.

A backup tool's exit code is not enough (barman-cloud-backup returned 0 on a corrupt page). Here a
backup counts only after three gates: pg_basebackup checked the checksums of the pages that it
took for old ones, and we those of all others; pg_verifybackup compared every file with the
manifest; and pg_amcheck walked every table and index.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from harness.errors import PlatformError
from harness.platforms.embedded import backup_pages, backup_store, postgres, wal_names
from harness.platforms.embedded.backup_store import Record
from harness.platforms.embedded.s3_client import S3Client

_TAKEN = "taken.json"
_GATES = ("pg_basebackup", "pg_verifybackup", "pg_amcheck")
_CIPHER = "AES-256-GCM"
_CONNECT_S = 5


@dataclass(frozen=True, slots=True)
class Access:
    """A running node to copy from. The password is in the passfile."""

    port: int
    passfile: Path

    def dsn(self, database: str = "") -> str:
        named = f" dbname={database}" if database else ""
        return f"host=127.0.0.1 port={self.port} user=postgres passfile={self.passfile}{named}"


@dataclass(frozen=True, slots=True)
class Taken:
    """What is known of a backup when it has passed its gates."""

    taken: str
    release: str
    system_identifier: str
    last_commit: str


def take(folder: Path, access: Access, home: Path) -> None:
    """Copy and gate. Raises PlatformError when a gate says no."""
    taken = _described(access)
    postgres.run(
        [
            "pg_basebackup", "-d", access.dsn(), "-D", str(folder), "--format=tar",
            "--compress=client-gzip:1", "--wal-method=fetch", "--checkpoint=fast",
            "--no-sync", "--no-password",
        ],
        home=home,
    )  # fmt: skip
    gate(folder, access, home)
    folder.joinpath(_TAKEN).write_text(json.dumps(asdict(taken)), encoding="utf-8")


def gate(folder: Path, access: Access, home: Path) -> None:
    """What is left of the three; pg_basebackup was the first."""
    if damage := backup_pages.damage_in(folder):
        raise PlatformError(f"the base backup carries damaged pages: {'; '.join(damage)}")
    postgres.run(
        ["pg_verifybackup", "--no-parse-wal", "--format=tar", "--exit-on-error", str(folder)],
        home=home,
    )
    postgres.run(
        ["pg_amcheck", "--all", "--install-missing", "--no-password",
         f"--maintenance-db={access.dsn('template1')}",
         "-h", "127.0.0.1", "-p", str(access.port), "-U", "postgres"],
        home=home,
    )  # fmt: skip


def upload(folder: Path, backup_id: str, store: S3Client, key: bytes) -> Record:
    """Store what `take` made. Raises PlatformError."""
    first = first_segment(folder)
    try:
        taken = Taken(**json.loads(folder.joinpath(_TAKEN).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise PlatformError(f"{folder} holds no gated base backup: {error}") from error
    record = Record(
        **asdict(taken),
        backup_id=backup_id,
        gates=_GATES,
        encryption=_CIPHER,
        timeline=wal_names.timeline_of(first),
        first_segment=first,
        objects={},
    )
    return backup_store.put(store, key, folder, record)


def first_segment(folder: Path) -> str:
    """Where the WAL begins that is not in the backup itself. Raises PlatformError."""
    try:
        manifest = json.loads(folder.joinpath("backup_manifest").read_text(encoding="utf-8"))
        wal = manifest["WAL-Ranges"][-1]
        timeline, end = int(wal["Timeline"]), wal_names.position(wal["End-LSN"])
    except (OSError, ValueError, LookupError) as error:
        raise PlatformError(f"{folder} holds no base backup: {error}") from error
    # its own WAL ends with the segment in which its last byte lies
    return wal_names.after(wal_names.segment(timeline, end - 1))


def _described(access: Access) -> Taken:
    """Before the copy begins, so that what it says is in the backup for sure."""
    try:
        options = f"connect_timeout={_CONNECT_S} application_name=peakdrill"
        where = f"{access.dsn(postgres.DATABASE)} {options}"
        with psycopg.connect(where, autocommit=True) as connection:
            row = connection.execute(
                "SELECT (SELECT system_identifier::text FROM pg_control_system()),"
                " to_regclass('ir_module_module')::text,"
                " CASE WHEN current_setting('track_commit_timestamp')::bool THEN"
                " (SELECT to_char(timestamp AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US')"
                " FROM pg_last_committed_xact()) END"
            ).fetchone()
            assert row is not None
            release = _release(connection) if row[1] else ""
    except psycopg.Error as error:
        raise PlatformError(f"the database to back up does not answer: {error}") from error
    now = datetime.now(UTC).isoformat(timespec="seconds")
    commit = f"{row[2]}+00:00" if row[2] else ""
    return Taken(now, release, system_identifier=str(row[0]), last_commit=commit)


def _release(connection: psycopg.Connection[tuple[object, ...]]) -> str:
    """As Odoo keeps it: the newest module version says which release made the tables."""
    row = connection.execute(
        "SELECT max(latest_version) FROM ir_module_module WHERE state = 'installed'"
    ).fetchone()
    return str(row[0]) if row and row[0] else ""


def new_id() -> str:
    return datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
