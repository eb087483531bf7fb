"""Base backups in the store: sealed, under a stamped record, read by their first versions.

A record without our stamp is somebody else's, however plausible it reads. An object counts when
its digest is the one that the record names, and opens with our key.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from harness.errors import PlatformError
from harness.platforms.embedded import sealing, vault
from harness.platforms.embedded.archive import SERVER
from harness.platforms.embedded.s3_client import S3Client, S3Error

FOLDER = f"{SERVER}/base/"
RECORD = "gate.json"
FILES = ("base.tar.gz", "backup_manifest")
_SUFFIX = ".sealed"


class Unsound(PlatformError):
    """A backup that must not be restored; the message says why."""


@dataclass(frozen=True, slots=True)
class Record:
    """What a backup says of itself."""

    backup_id: str
    taken: str  # UTC, ISO 8601
    release: str  # of the application in it
    gates: tuple[str, ...]
    encryption: str  # "AES-256-GCM"
    system_identifier: str
    timeline: int
    first_segment: str  # where the WAL begins that is not in the backup itself
    last_commit: str  # UTC, ISO 8601 with microseconds; "" where it was not asked
    objects: Mapping[str, str]  # file -> SHA-256 of what lies in the store


def key_of(backup_id: str, name: str) -> str:
    suffix = "" if name == RECORD else _SUFFIX
    return f"{FOLDER}{backup_id}/{name}{suffix}"


def put(store: S3Client, key: bytes, folder: Path, record: Record) -> Record:
    """Seal and store. The record goes last: it says that all of the rest is there.

    Raises PlatformError.
    """
    digests = {}
    try:
        for name in FILES:
            place = key_of(record.backup_id, name)
            sealed = sealing.seal(folder.joinpath(name).read_bytes(), key, place)
            digests[name] = hashlib.sha256(sealed).hexdigest()
            store.put(place, sealed)
        whole = {**asdict(record), "gates": list(record.gates), "objects": digests}
        whole["stamp"] = sealing.stamp(whole, key)
        store.put(key_of(record.backup_id, RECORD), json.dumps(whole).encode())
    except (OSError, S3Error) as error:
        raise PlatformError(f"the base backup was not stored: {error}") from error
    return _record(whole)


def raw_records(store: S3Client) -> dict[str, Mapping[str, object] | None]:
    """Backup id -> what its record claims, believed by nobody yet; None where none can be read.

    Raises PlatformError when the store does not answer.
    """
    found: dict[str, Mapping[str, object] | None] = {}
    try:
        for key in vault.originals(store, FOLDER):
            found.setdefault(key.removeprefix(FOLDER).partition("/")[0], None)
        for backup_id in found:
            found[backup_id] = _parsed(vault.original(store, key_of(backup_id, RECORD)))
    except S3Error as error:
        raise PlatformError(f"the store does not list its backups: {error}") from error
    return found


def record_of(store: S3Client, key: bytes, backup_id: str) -> Record:
    """The record, if it is ours. Raises Unsound, PlatformError when the store is silent."""
    try:
        raw = _parsed(vault.original(store, key_of(backup_id, RECORD)))
    except S3Error as error:
        raise PlatformError(f"the record of {backup_id} cannot be read: {error}") from error
    if raw is None:
        raise Unsound(f"base backup {backup_id} has no record that can be read")
    told = {name: value for name, value in raw.items() if name != "stamp"}
    if not sealing.is_ours(told, raw.get("stamp"), key):
        raise Unsound(
            f"the record of base backup {backup_id} does not bear our stamp: it is forged, or was "
            "stamped with another key"
        )
    record = _record(told)
    if record.backup_id != backup_id:
        raise Unsound(f"base backup {backup_id} carries the record of {record.backup_id}")
    return record


def fetch(store: S3Client, key: bytes, record: Record, folder: Path) -> None:
    """The backup's files, compared with the record and opened, into `folder`.

    Raises Unsound with what is wrong, PlatformError when the store is silent.
    """
    for name in FILES:
        place = key_of(record.backup_id, name)
        try:
            sealed = vault.original(store, place)
            if sealed is None:
                raise Unsound(f"{place} is not in the store")
            digest = hashlib.sha256(sealed).hexdigest()
            if digest != record.objects.get(name):
                raise Unsound(f"{place} is not what its record says: its SHA-256 is {digest}")
            folder.joinpath(name).write_bytes(sealing.unseal(sealed, key, place))
        except S3Error as error:
            raise PlatformError(f"{place} cannot be fetched: {error}") from error
        except sealing.SealError as error:
            raise Unsound(str(error)) from error


def is_there(backup_id: str, store: S3Client, key: bytes) -> bool:
    """Gated by us, and every object lies in the store: cheap, nothing is fetched."""
    try:
        record = record_of(store, key, backup_id)
        there = vault.originals(store, f"{FOLDER}{backup_id}/")
        return all(key_of(backup_id, name) in there for name in record.objects)
    except (PlatformError, S3Error):
        return False


def _parsed(content: bytes | None) -> Mapping[str, object] | None:
    try:
        raw = json.loads(content or b"")
    except ValueError:
        return None
    return raw if isinstance(raw, dict) else None


def _record(raw: Mapping[str, object]) -> Record:
    """Of a stamped record: we wrote it, so its fields are what they should be."""
    gates, objects = raw["gates"], raw["objects"]
    assert isinstance(gates, list)
    assert isinstance(objects, dict)
    words = {
        name: str(raw[name])
        for name in (
            "backup_id", "taken", "release", "encryption", "system_identifier", "first_segment",
            "last_commit",
        )
    }  # fmt: skip
    return Record(**words, gates=tuple(gates), timeline=int(str(raw["timeline"])), objects=objects)
