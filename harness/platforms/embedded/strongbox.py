"""Sealed objects read back: of several versions of a key, the oldest that opens is the true one.

Whoever holds the writer's S3 key can lay bytes on top of ours, or under a name that we have yet to
use. Neither opens with the backup key, so neither is ever taken for ours.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from harness.platforms.embedded import sealing, vault
from harness.platforms.embedded.s3_client import S3Client, S3Error
from harness.platforms.embedded.vault import Version


def by_key(store: S3Client, prefix: str) -> dict[str, tuple[Version, ...]]:
    """Key -> its versions, oldest first; delete markers hide nothing. Raises S3Error."""
    found: defaultdict[str, list[Version]] = defaultdict(list)
    for version in vault.versions(store, prefix):
        if not version.is_delete_marker:
            found[version.key].append(version)  # the store lists the newest first
    return {key: tuple(reversed(versions)) for key, versions in found.items()}


def open_oldest(store: S3Client, key: bytes, versions: Sequence[Version]) -> bytes | None:
    """What was sealed, None when no version opens. Raises S3Error."""
    for version in versions:
        query = {"versionId": version.version_id}
        answer = store.call("GET", version.key, query=query, timeout_s=60.0)
        if answer.status != 200:
            raise S3Error(f"get {version.key}: HTTP {answer.status}")
        try:
            return sealing.unseal(answer.body, key, version.key)
        except sealing.SealError:
            continue
    return None
