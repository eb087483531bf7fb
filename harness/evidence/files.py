"""A file on disk whole, or not at all."""

from __future__ import annotations

import os
from pathlib import Path


def write_whole(file: Path, body: bytes) -> None:
    """A temporary file, synced, then renamed; the folder is made where there is none."""
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_name(f".{file.name}.part")
    with temporary.open("wb") as stream:
        stream.write(body)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.rename(file)
