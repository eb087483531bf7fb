"""An attack on the backups themselves, with the keys that a thief has: does object lock hold?

Every way that S3 offers to make an object go away, or to make it count for less, is tried on the
newest base backup and on the newest WAL, with each identity. What was tried, what the store
answered, and whether the bytes of before are still there afterwards: that is the evidence. A
refusal that was only promised proves nothing, so the bytes are fetched again, by version.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from harness.errors import FaultError
from harness.platforms.capabilities import Endpoints

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

IDENTITIES = ("default", "admin")  # sections of the credentials file: the writer's, and worse
ON_TOP = ("overwrite it", "hide it behind a delete marker")  # allowed: they only add a version
_NOT_THE_LOCK = frozenset({
    "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken",
    "RequestTimeTooSkewed", "SlowDown", "NoSuchBucket", "NotImplemented",
})  # fmt: skip
_OBJECTS = 6  # attacked and watched: a base backup and the newest segments
_GARBAGE = b"all your backups are belong to us\n"


@dataclass(frozen=True, slots=True)
class Kept:
    """One version of one object as it was before the attack."""

    key: str
    version: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """One thing that was tried. `refused` by the store's own answer; None where it was another.

    Who is not known to the store, or finds it busy, is refused too, lock or no lock.
    """

    what: str  # "delete the version"
    identity: str
    key: str
    refused: bool | None
    told: str


def watched(
    endpoints: Endpoints, backup_id: str, *, identity: str = IDENTITIES[0]
) -> tuple[Kept, ...]:
    """The objects that a restore would need first, with the digest of their bytes.

    Raises FaultError where the store holds no such backup: then nothing is attacked.
    """
    store, bucket = _store(endpoints, identity), endpoints.s3_bucket
    versions = sorted(_versions(store, bucket), key=lambda v: v[2], reverse=True)
    base = [v for v in versions if f"/base/{backup_id}/" in v[0]]
    wals = [v for v in versions if "/wals/" in v[0]]
    if not base:
        raise FaultError(f"the store holds no base backup {backup_id}: there is nothing to attack")
    chosen = (*base[:3], *wals[: max(0, _OBJECTS - len(base[:3]))])
    return tuple(
        Kept(key, version, _digest(store, bucket, key, version)) for key, version, _ in chosen
    )


def attack(endpoints: Endpoints, targets: tuple[Kept, ...]) -> tuple[Attempt, ...]:
    """Try everything, with every identity. Raises FaultError when the store cannot be asked."""
    made: list[Attempt] = []
    for identity in IDENTITIES:
        store = _store(endpoints, identity)
        for target in targets:
            made += _on_object(store, endpoints.s3_bucket, identity, target)
        made += _on_bucket(store, endpoints.s3_bucket, identity)
    return tuple(made)


def still_there(
    endpoints: Endpoints, target: Kept, *, identity: str = IDENTITIES[0]
) -> tuple[bool, str]:
    """Whether the version of before answers with the bytes of before, and a sentence about it."""
    store = _store(endpoints, identity)
    try:
        now = _digest(store, endpoints.s3_bucket, target.key, target.version)
    except (ClientError, BotoCoreError) as error:
        return False, f"{target.key}: the version of before the attack is gone ({_code(error)})"
    if now != target.sha256:
        return False, f"{target.key}: the version of before the attack has other bytes"
    return True, f"{target.key}: same bytes as before the attack, by SHA-256"


def poison(endpoints: Endpoints, backup_id: str, poisoned_id: str) -> tuple[str, ...]:
    """A newer base backup that looks like one: the old one's objects, their content spoiled."""
    store, bucket = _store(endpoints, IDENTITIES[0]), endpoints.s3_bucket
    made = []
    versions = sorted(_versions(store, bucket), key=lambda v: v[2], reverse=True)
    first = {key: version for key, version, _ in versions if f"/base/{backup_id}/" in key}
    for key, version in sorted(first.items()):  # others may lie on top already
        body = store.get_object(Bucket=bucket, Key=key, VersionId=version)["Body"].read()
        spoiled = body if key.endswith(".json") else _spoiled(body)
        new_key = key.replace(backup_id, poisoned_id)
        store.put_object(Bucket=bucket, Key=new_key, Body=spoiled.replace(
            backup_id.encode(), poisoned_id.encode()
        ))  # fmt: skip
        made.append(new_key)
    if not made:
        raise FaultError(f"the store holds no base backup {backup_id}: nothing could be poisoned")
    return tuple(made)


def _spoiled(body: bytes) -> bytes:
    """The same length, another content in the middle: a size check sees nothing."""
    middle = len(body) // 2
    return body[:middle] + bytes(b ^ 0x5A for b in body[middle : middle + 4096]) + body[
        middle + 4096 :
    ]  # fmt: skip


def _on_object(store: S3Client, bucket: str, identity: str, target: Kept) -> Iterator[Attempt]:
    key, version = target.key, target.version
    soon = datetime.now(UTC) + timedelta(minutes=1)
    tries: tuple[tuple[str, Callable[[], object]], ...] = (
        ("delete the version",
         lambda: store.delete_object(Bucket=bucket, Key=key, VersionId=version)),
        ("delete it past the lock",
         lambda: store.delete_object(
             Bucket=bucket, Key=key, VersionId=version, BypassGovernanceRetention=True)),
        ("delete it in a batch",
         lambda: _batch(store, bucket, key, version)),
        ("shorten its retention",
         lambda: store.put_object_retention(
             Bucket=bucket, Key=key, VersionId=version,
             Retention={"Mode": "COMPLIANCE", "RetainUntilDate": soon})),
        ("weaken its lock",
         lambda: store.put_object_retention(
             Bucket=bucket, Key=key, VersionId=version, BypassGovernanceRetention=True,
             Retention={"Mode": "GOVERNANCE", "RetainUntilDate": soon})),
        ("overwrite it",
         lambda: store.put_object(Bucket=bucket, Key=key, Body=_GARBAGE)),
        ("hide it behind a delete marker",
         lambda: store.delete_object(Bucket=bucket, Key=key)),
    )  # fmt: skip
    for what, deed in tries:
        yield _tried(what, identity, key, deed)


def _on_bucket(store: S3Client, bucket: str, identity: str) -> Iterator[Attempt]:
    tries: tuple[tuple[str, Callable[[], object]], ...] = (
        ("suspend versioning",
         lambda: store.put_bucket_versioning(
             Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})),
        ("delete the bucket", lambda: store.delete_bucket(Bucket=bucket)),
    )  # fmt: skip
    for what, deed in tries:
        yield _tried(what, identity, "", deed)


def _tried(what: str, identity: str, key: str, deed: Callable[[], object]) -> Attempt:
    try:
        deed()
    except ClientError as error:
        refused = None if _is_about_the_asker(error) else True
        return Attempt(what, identity, key, refused=refused, told=_code(error))
    except BotoCoreError as error:
        raise FaultError(f"the store cannot be asked to {what}: {type(error).__name__}") from error
    return Attempt(what, identity, key, refused=False, told="answered as done")


def _batch(store: S3Client, bucket: str, key: str, version: str) -> None:
    """A batch answers 200 and lists its refusals: those are raised like any other."""
    answer = store.delete_objects(
        Bucket=bucket, Delete={"Objects": [{"Key": key, "VersionId": version}]}
    )
    for refused in answer.get("Errors", []):
        raise ClientError({"Error": {"Code": refused.get("Code", "")}}, "DeleteObjects")


def _versions(store: S3Client, bucket: str) -> Iterator[tuple[str, str, datetime]]:
    """(key, version, last modified) of every version in the bucket."""
    for page in store.get_paginator("list_object_versions").paginate(Bucket=bucket):
        for row in page.get("Versions", []):
            yield row["Key"], row["VersionId"], row["LastModified"]


def _digest(store: S3Client, bucket: str, key: str, version: str) -> str:
    body = store.get_object(Bucket=bucket, Key=key, VersionId=version)["Body"]
    found = hashlib.sha256()
    for block in body.iter_chunks(1 << 20):
        found.update(block)
    return found.hexdigest()


def _is_about_the_asker(error: ClientError) -> bool:
    """Neither the lock nor the object was asked: not this identity, or not now."""
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return _code(error) in _NOT_THE_LOCK or status >= 500


def _code(error: ClientError | BotoCoreError) -> str:
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code") or "refused")
    return type(error).__name__


def _store(endpoints: Endpoints, identity: str) -> S3Client:
    """A client that tries once, soon gives up, and reads its keys from the file."""
    if endpoints.s3_credentials_file is None:
        raise FaultError("this platform names no S3 credentials: its backups cannot be attacked")
    keys = _keys(endpoints.s3_credentials_file.read_text(encoding="utf-8"), identity)
    settings = Config(
        connect_timeout=3, read_timeout=20, retries={"total_max_attempts": 2},
        s3={"addressing_style": "path"},
    )  # fmt: skip
    return boto3.client(
        "s3", endpoint_url=endpoints.s3_url, region_name="us-east-1", config=settings,
        aws_access_key_id=keys["aws_access_key_id"],
        aws_secret_access_key=keys["aws_secret_access_key"],
    )  # fmt: skip


def _keys(text: str, identity: str) -> dict[str, str]:
    from configparser import ConfigParser

    parsed = ConfigParser(interpolation=None)
    parsed.read_string(text)
    if identity not in parsed:
        raise FaultError(f"the credentials file names no identity {identity!r}")
    return dict(parsed[identity])
