"""Every file of a run directory by name and digest, and what is no file.

Folders that hold nothing are not evidence, and neither are modes and times. A symbolic link, a
pipe or a device is refused: its bytes are somewhere else, or different at every look.
"""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from harness.evidence import layout
from harness.evidence.seal import digest_of

_LINK, _SPECIAL = "a symbolic link, which is no evidence", "not a plain file"


@dataclass(frozen=True, slots=True)
class Listing:
    """What lies in a run directory."""

    files: dict[str, str]  # name -> SHA-256, hex
    refused: dict[str, str]  # name -> why it is no evidence

    def of_the_run(self) -> dict[str, str]:
        """What the run's own statement covers."""
        beside = {*layout.REPORTS, *layout.SIGNATURES}
        return {name: digest for name, digest in self.files.items() if name not in beside}

    def of_the_reports(self) -> dict[str, str]:
        return {name: digest for name, digest in self.files.items() if name in layout.REPORTS}


def listing(directory: Path) -> Listing:
    """Look at everything below a directory, without following a link."""
    found = Listing({}, {})
    _look(directory, "", found)
    return found


def _look(folder: Path, prefix: str, found: Listing) -> None:
    for entry in sorted(os.scandir(folder), key=lambda e: e.name):
        name = prefix + entry.name
        try:
            mode = entry.stat(follow_symlinks=False).st_mode
            if not _is_text(name):
                found.refused[ascii(name)] = "its name is not UTF-8"
            elif stat.S_ISLNK(mode):
                found.refused[name] = _LINK
            elif stat.S_ISDIR(mode):
                _look(folder / entry.name, f"{name}/", found)
            elif not stat.S_ISREG(mode):
                found.refused[name] = _SPECIAL
            else:
                found.files[name] = digest_of(folder / entry.name)
        except OSError as error:
            found.refused[name] = f"cannot be read: {error.strerror}"


def _is_text(name: str) -> bool:
    return all(not "\ud800" <= letter <= "\udfff" for letter in name)


@cache
def build_digest() -> str:
    """SHA-256 over the code that judges and renders: two builds may word one record differently."""
    package = Path(__file__).resolve().parents[1]
    folders = (package / "core", package / "evidence", package.parent / "reports")
    digest = hashlib.sha256()
    for folder in folders:
        for file in sorted(f for f in folder.rglob("*") if f.suffix not in {".pyc", ".pyo"}):
            if file.is_file():
                name = f"{folder.name}/{file.relative_to(folder).as_posix()}"
                digest.update(f"{name} {digest_of(file)}\n".encode())
    return digest.hexdigest()
