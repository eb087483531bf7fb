"""Logs that are only ever added to: their lines by a marker, and what they began with."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path

Heads = dict[str, tuple[int, str]]  # log -> its first so many lines, their SHA-256


def heads(files: Mapping[str, Path], lines: Mapping[str, int] | None = None) -> Heads:
    """All that a log has, where no `lines` are named.

    A torn last line is not there yet; a log that is gone is left out.
    """
    found: Heads = {}
    for name, file in files.items():
        try:
            body = file.read_bytes()
        except FileNotFoundError:
            continue
        whole = [line for line in body.splitlines(keepends=True) if line.endswith(b"\n")]
        head = whole if lines is None else whole[: lines.get(name, 0)]
        found[name] = len(head), hashlib.sha256(b"".join(head)).hexdigest()
    return found


def lines_with(file: Path, marker: str) -> Iterator[str]:
    with file.open(encoding="utf-8", errors="replace") as lines:
        yield from (line for line in lines if marker in line)
