"""The locked bucket as a restore must read it: by an object's first version, whatever came after.

Backups and WAL segments are written once. Under object lock nobody can remove or change what was
written, but whoever holds the writer's key can put other bytes, or a delete marker, on top of it.
So the oldest version is the true one, and the newest is not to be believed.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass

from harness.platforms.embedded.s3_client import S3Client, S3Error

_SPACE = "{http://s3.amazonaws.com/doc/2006-03-01/}"
_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Version:
    """One version of one key. `written` is the store's own ISO 8601 time."""

    key: str
    version_id: str
    written: str
    is_delete_marker: bool


def originals(store: S3Client, prefix: str) -> dict[str, Version]:
    """Key -> its oldest version. Raises S3Error."""
    found: dict[str, Version] = {}
    for version in versions(store, prefix):
        known = found.get(version.key)
        if not version.is_delete_marker and (known is None or version.written <= known.written):
            found[version.key] = version  # of two in one moment, the store lists the newer first
    return found


def original(store: S3Client, key: str) -> bytes | None:
    """The bytes of the oldest version, None where the key never was. Raises S3Error."""
    version = originals(store, key).get(key)
    if version is None:
        return None
    answer = store.call("GET", key, query={"versionId": version.version_id}, timeout_s=60.0)
    if answer.status != 200:
        raise S3Error(f"get {key}, version {version.version_id}: HTTP {answer.status}")
    return answer.body


def is_overwritten(store: S3Client, key: str) -> bool:
    """Whether something lies on top of the original: on write-once keys, the mark of an attack."""
    return sum(version.key == key for version in versions(store, key)) > 1


def versions(store: S3Client, prefix: str) -> Iterator[Version]:
    """Every version under a prefix, delete markers among them. Raises S3Error."""
    marker: dict[str, str] = {}
    while True:
        query = {"versions": "", "prefix": prefix, "max-keys": str(_PAGE), **marker}
        answer = store.call("GET", "", query=query, timeout_s=20.0)
        if answer.status != 200:
            raise S3Error(f"list the versions of {prefix}: HTTP {answer.status}")
        page = _Page(ET.fromstring(answer.body))  # noqa: S314  our own store's answer
        yield from page.versions()
        if page.text("IsTruncated") != "true":
            return
        marker = {
            "key-marker": page.text("NextKeyMarker"),
            "version-id-marker": page.text("NextVersionIdMarker"),
        }


class _Page:
    """One answer of ListObjectVersions."""

    def __init__(self, root: ET.Element) -> None:
        self._root = root

    def text(self, name: str) -> str:
        return self._root.findtext(f"{_SPACE}{name}", "") or ""

    def versions(self) -> Iterator[Version]:
        for kind, marker in (("Version", False), ("DeleteMarker", True)):
            for row in self._root.iter(f"{_SPACE}{kind}"):
                yield Version(
                    key=row.findtext(f"{_SPACE}Key", ""),
                    version_id=row.findtext(f"{_SPACE}VersionId", ""),
                    written=row.findtext(f"{_SPACE}LastModified", ""),
                    is_delete_marker=marker,
                )
