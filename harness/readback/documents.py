"""Documents by the hash of their bytes: a row count proves nothing.

A missing file reads back from Odoo as an empty string without an error, and a truncated one is
served with 200, so the filestore itself is read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from harness.platforms.capabilities import Endpoints
from harness.readback import bucket


@dataclass(frozen=True, slots=True)
class Document:
    """`digest`: first 8 bytes of the SHA-1 of the bytes, 0 when they are missing."""

    digest: int
    whole: bool  # the file is there; whether its bytes are the right ones, the digest tells


Fetch = Callable[[str], bytes | None]


def read(
    attachments: Iterable[tuple[int, str | None, str | None]], fetch: Fetch | None
) -> dict[int, Document]:
    """Order id -> its document, for rows (res_id, store_fname, checksum).

    Of several documents of one order the missing one speaks. Without a filestore the database's
    own checksum is all there is to compare; where there is one, a document without a file is
    missing, whatever its checksum says.
    """
    found: dict[int, Document] = {}
    for order_id, store_fname, checksum in attachments:
        document = _read_one(store_fname, checksum, fetch)
        if order_id not in found or found[order_id].whole:
            found[order_id] = document
    return found


def source_of(endpoints: Endpoints) -> Fetch | None:
    """Where the bytes lie: on disk, else in a bucket; None where nobody has told."""
    if endpoints.filestore is not None:
        return on_disk(endpoints.filestore)
    if endpoints.s3_bucket:
        return bucket.fetcher(endpoints)
    return None


def on_disk(filestore: Path) -> Fetch:
    """Laid out as Odoo does: sha1[:2]/sha1. What leads out of it is not there."""

    def fetch(store_fname: str) -> bytes | None:
        path = filestore / store_fname
        if not path.is_file() or filestore.resolve() not in path.resolve().parents:
            return None
        return path.read_bytes()

    return fetch


def _read_one(store_fname: str | None, checksum: str | None, fetch: Fetch | None) -> Document:
    if not checksum:
        return Document(0, False)
    if fetch is None:
        return Document(int(checksum[:16], 16), True)
    if not store_fname:
        return Document(0, False)
    content = fetch(store_fname)
    if content is None:
        return Document(0, False)
    sha1 = hashlib.sha1(content, usedforsecurity=False).hexdigest()
    return Document(int(sha1[:16], 16), True)
