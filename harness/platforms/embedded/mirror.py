"""The documents' second home: every file of the filestore goes to object storage, once.

A file's name is the SHA-1 of its content (Odoo's own layout), so a copy never has to change, and
a file that does not match its name is not copied: damage stays where it happened. What somebody
puts on top of a copy does not match either, and the version below it is read.
"""

from __future__ import annotations

import hashlib
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from harness.errors import PlatformError
from harness.platforms.documents import DocumentFolder, Documents, is_name
from harness.platforms.embedded import vault
from harness.platforms.embedded.s3_client import S3Client, S3Error

FOLDER = "filestore/"
_PAUSE_S = 0.5
_SETTLED_NS = 1_000_000_000  # a folder's clock is coarse: two changes may bear one time


def key_of(store_fname: str) -> str:
    return FOLDER + store_fname


def is_sound(content: bytes, store_fname: str) -> bool:
    digest = hashlib.sha1(content, usedforsecurity=False).hexdigest()
    return store_fname == f"{digest[:2]}/{digest}"


@dataclass
class Mirror:
    """Runs as long as its process; what it could not copy it tries again at its next round."""

    documents: Path
    store: Callable[[], S3Client]
    _done: set[str] | None = None
    _looked_at: dict[str, int] = field(default_factory=dict)  # folder -> mtime when all was done
    _told: str = ""

    def run(self) -> None:
        while True:
            try:
                self.round()
                self._told = ""
            except (OSError, S3Error) as error:
                if str(error) != self._told:  # once for each outage, not twice a second
                    self._told = str(error)
                    print(f"mirror of the documents: {error}", file=sys.stderr, flush=True)
            time.sleep(_PAUSE_S)

    def round(self) -> None:
        """One look at every folder that changed. Raises OSError and S3Error."""
        if not self.documents.is_dir():
            return
        store = self.store()
        if self._done is None:
            self._done = names(store)
        for folder in self.documents.iterdir():
            changed = folder.stat().st_mtime_ns
            if not folder.is_dir() or self._looked_at.get(folder.name) == changed:
                continue
            settled = time.time_ns() - changed > _SETTLED_NS
            if self._copy(folder, store, self._done) and settled:
                self._looked_at[folder.name] = changed

    def _copy(self, folder: Path, store: S3Client, done: set[str]) -> bool:
        """Whether the folder needs no further look until it changes."""
        all_sound = True
        for path in folder.iterdir():
            name = f"{folder.name}/{path.name}"
            if not is_name(name) or name in done:
                continue
            content = _read(path)
            if is_sound(content, name):
                digest = hashlib.sha256(content).hexdigest()
                store.put(key_of(name), content, metadata={"sha256": digest})
                done.add(name)
            else:
                all_sound = False
        return all_sound


def _read(path: Path) -> bytes:
    """Nothing, which matches no name but that of nothing, where it cannot be read."""
    try:
        return path.read_bytes()
    except OSError:
        return b""


def names(store: S3Client) -> set[str]:
    """Every store_fname that object storage holds. Raises S3Error."""
    return {key.removeprefix(FOLDER) for key in vault.originals(store, FOLDER)}


@dataclass(frozen=True, slots=True)
class MirroredFilestore:
    """The capability `filestore`. Raises PlatformError when object storage is silent."""

    documents: Documents
    store: S3Client

    def names(self) -> frozenset[str]:
        return self.documents.names()

    def contents(self, names: Iterable[str]) -> Iterator[bytes | None]:
        return self.documents.contents(names)

    def write(self, contents: Mapping[str, bytes]) -> None:
        self.documents.write(contents)

    def mirrored(self, store_fname: str) -> bytes | None:
        """The copy that matches its name; the first version where none does, None without any."""
        with _told():
            newest = self.store.get(key_of(store_fname))
            if newest is not None and is_sound(newest, store_fname):
                return newest
            return vault.original(self.store, key_of(store_fname))

    def mirrored_names(self) -> frozenset[str]:
        with _told():
            return frozenset(names(self.store))

    def mirror_is_complete(self) -> bool:
        return self.names() <= self.mirrored_names()


def embedded(folder: Path, store: S3Client) -> MirroredFilestore:
    """Documents in a folder of this machine."""
    return MirroredFilestore(DocumentFolder(folder), store)


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except S3Error as error:
        raise PlatformError(
            f"the documents' mirror cannot be read: {error}", next_step="see logs/s3.log"
        ) from error
