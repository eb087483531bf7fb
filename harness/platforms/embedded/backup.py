"""Base backups: taken, gated, kept under object lock.

A backup tool's exit code is not enough (barman-cloud-backup returned 0 on a corrupt page). Here a
backup counts only after three gates: pg_basebackup checked every page's checksum, pg_verifybackup
compared every file with the manifest, and pg_amcheck walked every table and index. The gate's
record is uploaded last, so a backup without one is not a backup.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from harness.errors import PlatformError
from harness.platforms.embedded import postgres
from harness.platforms.embedded.archive import SERVER
from harness.platforms.embedded.s3_client import S3Client, S3Error

_GATE = "gate.json"
_FILES = ("base.tar.gz", "backup_manifest")


@dataclass(frozen=True, slots=True)
class Access:
    """A running node to copy from. The password is in the passfile."""

    port: int
    passfile: Path


def take(folder: Path, access: Access, home: Path) -> None:
    """Copy and gate. Raises PlatformError when a gate says no."""
    source = f"host=127.0.0.1 port={access.port} user=postgres passfile={access.passfile}"
    postgres.run(
        [
            "pg_basebackup", "-d", source, "-D", str(folder), "--format=tar",
            "--compress=client-gzip:1", "--wal-method=fetch", "--checkpoint=fast",
            "--no-sync", "--no-password",
        ],
        home=home,
    )  # fmt: skip
    gate(folder, access, home)


def gate(folder: Path, access: Access, home: Path) -> None:
    """The second and the third gate; pg_basebackup was the first."""
    postgres.run(
        ["pg_verifybackup", "--no-parse-wal", "--format=tar", "--exit-on-error", str(folder)],
        home=home,
    )
    source = (
        f"host=127.0.0.1 port={access.port} user=postgres passfile={access.passfile} "
        "dbname=template1"
    )
    postgres.run(
        ["pg_amcheck", "--all", "--install-missing", "--no-password", f"--maintenance-db={source}",
         "-h", "127.0.0.1", "-p", str(access.port), "-U", "postgres"],
        home=home,
    )  # fmt: skip
    record = {
        "taken": datetime.now(UTC).isoformat(timespec="seconds"),
        "gates": ["pg_basebackup", "pg_verifybackup", "pg_amcheck"],
    }
    folder.joinpath(_GATE).write_text(json.dumps(record), encoding="utf-8")


def upload(folder: Path, backup_id: str, store: S3Client) -> None:
    """The gate's record goes last: it says that all of the rest is there."""
    try:
        for name in (*_FILES, _GATE):
            store.put(_key(backup_id, name), folder.joinpath(name).read_bytes())
    except (OSError, S3Error) as error:
        raise PlatformError(f"the base backup was not stored: {error}") from error


def is_there(backup_id: str, store: S3Client) -> bool:
    """Stored whole, and gated."""
    try:
        return bool(backup_id) and store.head(_key(backup_id, _GATE)) is not None
    except S3Error:
        return False


def _key(backup_id: str, name: str) -> str:
    return f"{SERVER}/base/{backup_id}/{name}"


def new_id() -> str:
    return datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
