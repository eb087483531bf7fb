"""Every page in a base backup, by its checksum.

A manifest proves that a backup is what was copied, not that what was copied was sound; and
pg_basebackup passes over every page whose LSN looks newer than the backup's start, which is what
garbage mostly looks like. Here such a page is forgiven only where its LSN lies within the backup:
it may have been read half written, and WAL replay writes it anew.
"""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.errors import PlatformError
from harness.platforms.embedded import pages, wal_names

_FOLDERS = ("base", "global")
_LISTED = 3
_CHUNK_PAGES = 2048


@dataclass(frozen=True, slots=True)
class Span:
    """The WAL that belongs to the backup itself."""

    start: int
    end: int


def damage_in(folder: Path) -> tuple[str, ...]:
    """A sentence for each damaged page of base.tar.gz, the first few. Raises PlatformError."""
    try:
        span = _span(folder / "backup_manifest")
        with tarfile.open(folder / "base.tar.gz", "r:gz") as archive:
            found = [
                f"{member.name}: block {block} is not what its checksum says"
                for member in archive
                if _is_relation(member)
                for block in _damaged(archive, member, span)
            ]
    except (OSError, ValueError, LookupError, tarfile.TarError) as error:
        raise PlatformError(f"{folder} holds no base backup that can be read: {error}") from error
    more = (f"and {len(found) - _LISTED} more damaged pages",) if len(found) > _LISTED else ()
    return (*found[:_LISTED], *more)


def _span(manifest: Path) -> Span:
    wal = json.loads(manifest.read_text(encoding="utf-8"))["WAL-Ranges"]
    start, end = wal[0]["Start-LSN"], wal[-1]["End-LSN"]
    return Span(wal_names.position(start), wal_names.position(end))


def _is_relation(member: tarfile.TarInfo) -> bool:
    place = Path(member.name)
    return member.isfile() and place.parts[0] in _FOLDERS and pages.is_relation_file(place)


def _damaged(archive: tarfile.TarFile, member: tarfile.TarInfo, span: Span) -> Iterator[int]:
    stream = archive.extractfile(member)
    assert stream is not None
    block = pages.first_block_of(Path(member.name))
    while chunk := stream.read(_CHUNK_PAGES * pages.PAGE_BYTES):
        for wrong, lsn in pages.wrong_blocks(chunk, block):
            if not span.start <= lsn <= span.end:
                yield wrong
        block += _CHUNK_PAGES
