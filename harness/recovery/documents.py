"""Documents against the restored database, by the hash of their bytes; mended from their copy.

After a restore the rows are older than the files. A row without its file, a file cut short and a
file with other bytes are damage; a file without a row is what came after the recovery point: it is
counted and left where it is. The same is asked of the copies in object storage.

A document on disk is mended from its copy there. A damaged copy is not mended from here: copies
are written once, so it is named, and stays damage.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import psycopg

from harness.errors import PlatformError
from harness.platforms.capabilities import Filestore
from harness.platforms.documents import is_name
from harness.platforms.having import having
from harness.recovery.ground import Ground
from harness.recovery.steps import Step

DISK, STORE = "disk", "object-store"  # the kinds of proof
_ROWS = """
SELECT store_fname, min(coalesce(checksum, '')), max(coalesce(file_size, 0)), min(name)
FROM ir_attachment WHERE store_fname IS NOT NULL GROUP BY store_fname
"""
_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Row:
    """What the database says of one file."""

    store_fname: str
    checksum: str  # SHA-1, hexadecimal
    size: int
    name: str  # of the attachment; of several with the same bytes the first


@dataclass(frozen=True, slots=True)
class Damage:
    """One document that is not what its row says."""

    store_fname: str
    told: str


@dataclass(frozen=True, slots=True)
class Survey:
    """Every document of one place."""

    place: str
    looked_at: int
    damaged: tuple[Damage, ...]
    orphaned: int

    @property
    def told(self) -> str:
        return (
            f"{self.place}: {self.looked_at:,} documents, {len(self.damaged):,} damaged, "
            f"{self.orphaned:,} files without a row"
        )


def rows_of(dsn: str) -> dict[str, Row]:
    """Every document that the database names. Raises PlatformError."""
    try:
        with psycopg.connect(dsn, connect_timeout=5, autocommit=True) as database:
            database.execute("SET statement_timeout = '60s'")
            return {name: Row(name, *rest) for name, *rest in database.execute(_ROWS)}
    except psycopg.Error as error:
        raise PlatformError(f"the documents' rows cannot be read: {error}") from error


def wrong(row: Row, content: bytes | None) -> str:
    """What is wrong with these bytes, "" when they are the row's. Pure.

    >>> wrong(Row("aa/b", "a9993e364706816aba3e25717850c26c9cd0d89d", 3, "x.pdf"), b"ab")
    'aa/b (x.pdf): truncated, 2 of 3 bytes'
    """
    what = f"{row.store_fname} ({row.name})"
    if content is None:
        return f"{what}: missing"
    if hashlib.sha1(content, usedforsecurity=False).hexdigest() == row.checksum:
        return ""
    if len(content) < row.size:
        return f"{what}: truncated, {len(content):,} of {row.size:,} bytes"
    return f"{what}: wrong content"


def on_disk(filestore: Filestore, rows: Mapping[str, Row]) -> Survey:
    """Every document read and hashed where the application reads it."""
    found = zip(rows.values(), filestore.contents(rows), strict=True)
    return _survey(DISK, rows, found, len(filestore.names() - rows.keys()))


def in_store(filestore: Filestore, rows: Mapping[str, Row]) -> Survey:
    """Every copy fetched and hashed. Raises PlatformError when object storage is silent."""
    names = filestore.mirrored_names()
    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        contents = pool.map(
            lambda name: filestore.mirrored(name) if name in names else None, list(rows)
        )
        found = zip(rows.values(), contents, strict=True)
        return _survey(STORE, rows, found, len(names - rows.keys()))


def _survey(
    place: str, rows: Mapping[str, Row], found: Iterator[tuple[Row, bytes | None]], orphaned: int
) -> Survey:
    told = ((row, wrong(row, content)) for row, content in found)
    damaged = tuple(Damage(row.store_fname, why) for row, why in told if why)
    return Survey(place, len(rows), damaged, orphaned)


def mend(filestore: Filestore, rows: Mapping[str, Row], damaged: tuple[Damage, ...]) -> int:
    """Put the copy in the place of each damaged file, where the copy is sound. How many."""
    sound = {}
    for damage in damaged:
        row = rows[damage.store_fname]
        copy = filestore.mirrored(row.store_fname) if is_name(row.store_fname) else None
        if copy is not None and not wrong(row, copy):
            sound[row.store_fname] = copy
    filestore.write(sound)
    return len(sound)


# the step of a runbook


def validate(ground: Ground) -> None:
    """Hold every document against its row, and mend what can be mended. Repeatable."""
    filestore = having(ground.platform.filestore, "filestore")
    rows = rows_of(ground.platform.endpoints().dsn)
    disk = on_disk(filestore, rows)
    mended = mend(filestore, rows, disk.damaged) if disk.damaged else 0
    store = in_store(filestore, rows)
    told = f"{disk.told}, {mended:,} of them mended; {store.told}"
    ground.say(told)
    ground.facts["documents_told"] = told


def validated(ground: Ground) -> str | None:
    """Validation has a result. What stays damaged is the inspection's to prove: it looks last."""
    return ground.facts.get("documents_told")


VALIDATE = Step(
    "validate-documents", "Hold every document against the restored database, by hash",
    validate, validated, limit_s=180.0,
)  # fmt: skip
