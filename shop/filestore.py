"""Documents on disk, laid out like Odoo's: sha1[:2]/sha1, whole and durable before the row is."""

from __future__ import annotations

import asyncio
import hashlib
import os
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Stored:
    store_fname: str
    checksum: str
    file_size: int


class Filestore:
    """Content under its own digest: the same bytes twice are one file."""

    def __init__(self, root: Path) -> None:
        self._root = root

    async def keep(self, content: bytes) -> Stored:
        """Durable when this returns: the file and the folder that names it are synced."""
        return await asyncio.to_thread(self._keep, content)

    async def load(self, store_fname: str) -> bytes:
        """The bytes; none when the file is missing, as Odoo answers."""
        return await asyncio.to_thread(self._load, store_fname)

    def _keep(self, content: bytes) -> Stored:
        digest = hashlib.sha1(content, usedforsecurity=False).hexdigest()
        folder = self._root / digest[:2]
        target = folder / digest
        stored = Stored(f"{digest[:2]}/{digest}", digest, len(content))
        if target.exists() and target.stat().st_size == len(content):
            return stored
        folder.mkdir(parents=True, exist_ok=True)
        draft = folder / f".{digest}.{secrets.token_hex(4)}"
        with draft.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)
        _sync_folder(folder)
        return stored

    def _load(self, store_fname: str) -> bytes:
        folder, _, digest = store_fname.partition("/")
        if len(folder) != 2 or not digest.isalnum():
            return b""
        try:
            return (self._root / folder / digest).read_bytes()
        except OSError:
            return b""


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
