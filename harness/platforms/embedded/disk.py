"""A node's data folder, wherever it lies: what damage and its discovery need of it."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from harness.platforms.embedded import pages
from harness.platforms.embedded.layout import write_private
from harness.platforms.embedded.pages import PAGE_BYTES, DamagedPage

_OLD_DATA = "peakdrill-thrown-away"  # in no backup and in no copy: it goes with the data it marks


class Disk(Protocol):
    """Raises OSError or PlatformError where the folder cannot be reached."""

    def damaged_pages(self) -> tuple[tuple[DamagedPage, ...], int]:
        """What is damaged among all pages of all relations, and how many pages there were."""

    def write_garbage(self, file: str, block: int) -> None:
        """A whole page of it, its LSN included, on disk when this returns.

        `file` as PostgreSQL names it, below the data folder.
        """

    def mark(self) -> None:
        """Mark the data, so that their end is seen. Harmless where there are none."""

    def is_marked(self) -> bool: ...
    def unmark(self) -> None: ...


@dataclass(frozen=True, slots=True)
class LocalDisk:
    """On this machine."""

    pgdata: Path

    def damaged_pages(self) -> tuple[tuple[DamagedPage, ...], int]:
        return pages.damaged_pages(self.pgdata)

    def write_garbage(self, file: str, block: int) -> None:
        descriptor = os.open(self.pgdata / file, os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.pwrite(descriptor, secrets.token_bytes(PAGE_BYTES), block * PAGE_BYTES)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def mark(self) -> None:
        if self.pgdata.is_dir():
            write_private(self._mark, "")

    def is_marked(self) -> bool:
        return self._mark.exists()

    def unmark(self) -> None:
        self._mark.unlink(missing_ok=True)

    @property
    def _mark(self) -> Path:
        return self.pgdata / _OLD_DATA
