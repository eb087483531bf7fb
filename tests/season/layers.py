"""A file's bytes, and what is packed in them: archives and base64, a few layers deep."""

from __future__ import annotations

import base64
import binascii
import gzip
import io
import lzma
import re
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass

_DEPTH = 4
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{20,}={0,2}")
_ONLY_HEX = re.compile(rb"^[0-9a-fA-F]+$")
_ZEROS = re.compile(rb"\0{64,}")
_TEXT = re.compile(rb"^[\x09\x0a\x0d\x20-\x7e\x80-\xff]*$")


@dataclass(frozen=True, slots=True)
class Layer:
    """A stretch of bytes, and where it lies in what it was taken from."""

    body: bytes
    within: str  # how it was packed, "" for the file itself
    at: int


def layers(body: bytes, within: str = "", depth: int = 0) -> Iterator[Layer]:
    """The bytes themselves, stretches of zeros left out, then everything that is packed in them."""
    at = 0
    for zeros in (*_ZEROS.finditer(body), None):
        end = zeros.start() if zeros else len(body)
        if end > at:
            yield Layer(body[at:end], within, at)
        at = zeros.end() if zeros else end
    if depth < _DEPTH:
        for how, inner in _packed(body):
            named = f"{within}, {how}" if within else how
            yield from layers(inner, named, depth + 1)


def _packed(body: bytes) -> Iterator[tuple[str, bytes]]:
    if zipfile.is_zipfile(io.BytesIO(body)):
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            yield from ((f"zip member {name}", archive.read(name)) for name in archive.namelist())
        return
    if body.startswith(b"\x1f\x8b"):
        yield "gzip", gzip.decompress(body)
        return
    if body.startswith(b"\xfd7zXZ\x00"):
        yield "xz", lzma.decompress(body)
        return
    if body[257:262] == b"ustar":
        with tarfile.open(fileobj=io.BytesIO(body)) as tar:
            for entry in tar:
                stream = tar.extractfile(entry)
                if stream is not None:
                    yield f"tar member {entry.name}", stream.read()
        return
    yield from (("base64", inner) for inner in _decoded(body))


def _decoded(body: bytes) -> Iterator[bytes]:
    """Base64 that says something: a key, an archive, an envelope's payload or a header."""
    for hit in _BASE64.finditer(body):
        word = hit.group().rstrip(b"=")
        if _ONLY_HEX.match(word):
            continue
        word = word.translate(bytes.maketrans(b"-_", b"+/"))
        try:
            inner = base64.b64decode(word + b"=" * (-len(word) % 4), validate=True)
        except binascii.Error:
            continue
        if _TEXT.match(inner) or inner[:2] in {b"\x1f\x8b", b"PK", b"\xfd7"}:
            yield inner
