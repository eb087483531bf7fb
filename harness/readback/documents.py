"""Documents by the hash of their bytes: a row count proves nothing.

A missing file reads back from Odoo as an empty string without an error, and a truncated one is
served with 200, so the filestore itself is read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from harness.platforms.capabilities import Endpoints, Filestore
from harness.platforms.documents import DocumentFolder
from harness.readback import bucket


@dataclass(frozen=True, slots=True)
class Document:
    """`digest`: first 8 bytes of the SHA-1 of the bytes, 0 when they are missing."""

    digest: int
    whole: bool  # the file is there; whether its bytes are the right ones, the digest tells


Fetch = Callable[[Iterable[str]], Iterator[bytes | None]]  # in the order of the names


def read(
    attachments: Iterable[tuple[int, str | None, str | None]], fetch: Fetch | None
) -> dict[int, Document]:
    """Order id -> its document, for rows (res_id, store_fname, checksum).

    Of several documents of one order the missing one speaks. Without a filestore the database's
    own checksum is all there is to compare; where there is one, a document without a file is
    missing, whatever its checksum says.
    """
    found: dict[int, Document] = {}
    rows = list(attachments)
    named = [name for _, name, checksum in rows if name and checksum]
    contents = fetch(named) if fetch else iter(())
    for order_id, store_fname, checksum in rows:
        if not checksum:
            document = Document(0, False)
        elif fetch is None:
            document = Document(int(checksum[:16], 16), True)
        else:
            document = _document(next(contents) if store_fname else None)
        if order_id not in found or found[order_id].whole:
            found[order_id] = document
    return found


def source_of(endpoints: Endpoints, filestore: Filestore | None) -> Fetch | None:
    """Where the bytes lie: as the platform reads them, on disk, else in a bucket.

    None where nobody has told.
    """
    if filestore is not None:
        return filestore.contents
    if endpoints.filestore is not None:
        return DocumentFolder(endpoints.filestore).contents
    if endpoints.s3_bucket:
        fetch = bucket.fetcher(endpoints)
        return lambda names: map(fetch, names)
    return None


def _document(content: bytes | None) -> Document:
    if content is None:
        return Document(0, False)
    sha1 = hashlib.sha1(content, usedforsecurity=False).hexdigest()
    return Document(int(sha1[:16], 16), True)
