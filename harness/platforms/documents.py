"""A filestore's folder, laid out like Odoo's: sha1[:2]/sha1. Wherever it is mounted."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from harness.errors import PlatformError

_DIGEST = re.compile(r"[0-9a-f]{40}")


class Documents(Protocol):
    """Files by their store_fname, where the application reads them. Raises PlatformError."""

    def names(self) -> frozenset[str]:
        """Every store_fname that is there, sound or not; drafts are not documents yet."""

    def contents(self, names: Iterable[str]) -> Iterator[bytes | None]:
        """Of each in turn: its bytes, None where no such file is there.

        A name that leads out of the filestore is not there, whatever lies where it leads.
        """

    def write(self, contents: Mapping[str, bytes]) -> None:
        """Each whole or not at all, and durable when this returns.

        Raises PlatformError, with nothing written, for a name that is no store_fname.
        """


@dataclass(frozen=True, slots=True)
class DocumentFolder:
    """On this machine."""

    root: Path

    def names(self) -> frozenset[str]:
        return frozenset(on_disk(self.root))

    def contents(self, names: Iterable[str]) -> Iterator[bytes | None]:
        inside = self.root.resolve()
        return (_read(inside, name) for name in names)

    def write(self, contents: Mapping[str, bytes]) -> None:
        for name in contents:
            if not is_name(name):
                raise PlatformError(f"{name!r} names no document")
        try:
            for name, content in contents.items():
                _write(self.root / name, content)
        except OSError as error:
            raise PlatformError(f"a document cannot be written: {error}") from error


def on_disk(root: Path) -> Iterator[str]:
    """Every store_fname below a folder, sound or not."""
    for folder in root.iterdir() if root.is_dir() else ():
        if folder.is_dir():
            for path in folder.iterdir():
                if is_name(name := f"{folder.name}/{path.name}"):
                    yield name


def is_name(text: str) -> bool:
    """Whether a file may be written under it: two digits of its digest, and the digest.

    >>> is_name("a9/a9993e364706816aba3e25717850c26c9cd0d89d"), is_name("../outside")
    (True, False)
    """
    folder, _, digest = text.partition("/")
    return _DIGEST.fullmatch(digest) is not None and folder == digest[:2]


def _read(root: Path, name: str) -> bytes | None:
    """A file that may not be read is not one that is missing: PlatformError."""
    try:
        path = (root / name).resolve()
        return path.read_bytes() if root in path.parents and path.is_file() else None
    except (FileNotFoundError, ValueError):  # gone meanwhile; a name that no file can have
        return None
    except OSError as error:
        raise PlatformError(f"the document {name} cannot be read: {error}") from error


def _write(file: Path, content: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = file.with_name(f".{file.name}.draft")
    with draft.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    draft.replace(file)
