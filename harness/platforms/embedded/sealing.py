"""Sealed bytes: what leaves for the store is secret, and cannot be replaced by something else.

AES-256-GCM in chunks. Each chunk is bound to the object's name, to its place and to being the
last one or not, so nobody can swap, cut or reorder what they cannot read. Records that must stay
readable are stamped with an HMAC instead. Both keys are derived from the one backup key.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from collections.abc import Iterator, Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
_MAGIC = b"PDS1"
_PREFIX_BYTES = 8  # of the nonce: drawn for each object; the chunk's number makes it whole
_TAG_BYTES = 16
_CHUNK_BYTES = 4 << 20
_HEAD_BYTES = len(_MAGIC) + _PREFIX_BYTES


class SealError(Exception):
    """These bytes were not sealed with this key, under this name."""


def seal(content: bytes, key: bytes, name: str) -> bytes:
    """Encrypt; `name` is where the object will lie."""
    cipher, prefix = AESGCM(_derived(key, "content")), os.urandom(_PREFIX_BYTES)
    chunks = [_MAGIC, prefix]
    for number, place, last in _places(len(content), _CHUNK_BYTES):
        part = content[place : place + _CHUNK_BYTES]
        chunks.append(cipher.encrypt(_nonce(prefix, number), part, _bound(name, last=last)))
    return b"".join(chunks)


def unseal(sealed: bytes, key: bytes, name: str) -> bytes:
    """Decrypt what `seal` made. Raises SealError, and then tells nothing of the content."""
    if sealed[: len(_MAGIC)] != _MAGIC or len(sealed) < _HEAD_BYTES + _TAG_BYTES:
        raise SealError(f"{name} is not sealed")
    cipher, prefix = AESGCM(_derived(key, "content")), sealed[len(_MAGIC) : _HEAD_BYTES]
    step, chunks = _CHUNK_BYTES + _TAG_BYTES, []
    try:
        for number, place, last in _places(len(sealed) - _HEAD_BYTES, step):
            begin = _HEAD_BYTES + place
            part = sealed[begin : begin + step]
            chunks.append(cipher.decrypt(_nonce(prefix, number), part, _bound(name, last=last)))
    except InvalidTag as error:
        raise SealError(f"{name} was sealed with another key, or changed since") from error
    return b"".join(chunks)


def stamp(record: Mapping[str, object], key: bytes) -> str:
    """What only a holder of the key can put under a record."""
    text = json.dumps(record, sort_keys=True, separators=(",", ":"))
    return hmac.new(_derived(key, "record"), text.encode(), hashlib.sha256).hexdigest()


def is_ours(record: Mapping[str, object], stamped: object, key: bytes) -> bool:
    return isinstance(stamped, str) and hmac.compare_digest(
        stamp(record, key).encode(), stamped.encode()
    )


def _places(length: int, step: int) -> Iterator[tuple[int, int, bool]]:
    """Number, offset and whether it is the last; an empty content is one empty chunk."""
    count = max(1, -(-length // step))
    for number in range(count):
        yield number, number * step, number == count - 1


def _nonce(prefix: bytes, number: int) -> bytes:
    return prefix + number.to_bytes(4, "big")


def _bound(name: str, *, last: bool) -> bytes:
    return name.encode() + (b"\0last" if last else b"\0more")


def _derived(key: bytes, purpose: str) -> bytes:
    return hmac.new(key, b"peakdrill " + purpose.encode(), hashlib.sha256).digest()
