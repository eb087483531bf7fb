"""The capability `filestore` of a reference stack: documents read and mended by way of the keeper.

Nobody outside has the filestore's volume. The keeper has it mounted, and an exec there lists,
reads and writes; what arrives here are the bytes, and they are hashed here.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from harness.errors import PlatformError
from harness.platforms.documents import is_name
from harness.platforms.embedded import credentials, s3
from harness.platforms.embedded.layout import Layout
from harness.platforms.embedded.mirror import MirroredFilestore
from harness.platforms.reference.inside import documents
from harness.platforms.reference.ports import Ports
from harness.platforms.reference.site import KEEPER, Site

_AT_ONCE = 2000  # documents an exec: a few megabytes
_WITHIN_S = 120.0


def filestore(layout: Layout, ports: Ports, site: Site) -> MirroredFilestore:
    """As the application reads it, and its copies in the store."""
    store = s3.archivist(ports.named(), credentials.load(layout))
    return MirroredFilestore(KeptDocuments(site), store)


@dataclass(frozen=True, slots=True)
class KeptDocuments:
    """What lies where the keeper has it mounted."""

    site: Site

    def names(self) -> frozenset[str]:
        told = self._ask("list").decode("utf-8", "replace").splitlines()
        if not all(is_name(name) for name in told):
            raise PlatformError("the keeper lists what are no names of documents")
        return frozenset(told)

    def contents(self, names: Iterable[str]) -> Iterator[bytes | None]:
        """Asked for in batches, as they are needed."""
        for batch in _batches(list(names)):
            found = self._read(batch)
            yield from (found.get(name) for name in batch)

    def write(self, contents: Mapping[str, bytes]) -> None:
        if strange := next((name for name in contents if not is_name(name)), None):
            raise PlatformError(f"{strange!r} names no document")
        for batch in _batches(list(contents)):
            self._ask("write", documents.packed({name: contents[name] for name in batch}))

    def _read(self, names: Iterable[str]) -> dict[str, bytes]:
        """A name with a line's end in it is no document's: it would be two here."""
        asked = [name for name in names if is_name(name)]
        if not asked:
            return {}
        answer = self._ask("read", "\n".join(asked).encode())
        try:
            return dict(documents.unpack(io.BytesIO(answer)))
        except tarfile.TarError as error:
            raise PlatformError(f"what the keeper sent cannot be read: {error}") from error

    def _ask(self, word: str, stdin: bytes = b"") -> bytes:
        return self.site.run(KEEPER, [*documents.WORDS, word], stdin=stdin, within_s=_WITHIN_S)


def _batches(names: Sequence[str]) -> Iterator[Sequence[str]]:
    return (names[at : at + _AT_ONCE] for at in range(0, len(names), _AT_ONCE))
