"""Documents by the hash of their bytes: a row count proves nothing.

A missing file reads back from Odoo as an empty string without an error, and a truncated one is
served with 200, so the filestore itself is read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Document:
    """`digest`: first 8 bytes of the SHA-1 of the bytes, 0 when they are missing."""

    digest: int
    whole: bool  # the file is there; whether its bytes are the right ones, the digest tells


def read(
    attachments: Iterable[tuple[int, str | None, str | None]], filestore: Path | None
) -> dict[int, Document]:
    """Order id -> its document, for rows (res_id, store_fname, checksum).

    Of several documents of one order the missing one speaks. Without a filestore the database's
    own checksum is all there is to compare; where there is one, a document without a file is
    missing, whatever its checksum says.
    """
    found: dict[int, Document] = {}
    for order_id, store_fname, checksum in attachments:
        document = _read_one(store_fname, checksum, filestore)
        if order_id not in found or found[order_id].whole:
            found[order_id] = document
    return found


def _read_one(store_fname: str | None, checksum: str | None, filestore: Path | None) -> Document:
    if not checksum:
        return Document(0, False)
    if filestore is None:
        return Document(int(checksum[:16], 16), True)
    if not store_fname:
        return Document(0, False)
    path = filestore / store_fname
    if not path.is_file() or filestore.resolve() not in path.resolve().parents:
        return Document(0, False)
    sha1 = hashlib.sha1(path.read_bytes(), usedforsecurity=False).hexdigest()
    return Document(int(sha1[:16], 16), True)
