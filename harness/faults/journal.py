"""The undo journal: on disk before the deed, gone only after the undo was observed.

One JSON file a deed under `<platform.directory>/undo/`. It survives the death of the experiment's
child, of the harness and of both; `undo.replay` reads it. The lock beside the entries serialises
deeds and undoings, so that nobody can undo an entry between its writing and its deed.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.errors import FaultError
from harness.json_text import parsed

FOLDER = "undo"
_LOCK = "lock"
_POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class Entry:
    """A deed that may have been done, and by which run."""

    fault: str  # the name of a Deed
    parameters: tuple[tuple[str, str], ...]
    run_id: str
    file: Path

    def parameter(self, name: str) -> str:
        for key, value in self.parameters:
            if key == name:
                return value
        raise FaultError(f"undo journal: {self.file} names no {name}", next_step=_REPAIR)


_REPAIR = "mend the platform by hand (or `peakdrill platform down`), then delete the file"


def write(directory: Path, fault: str, parameters: Mapping[str, str], run_id: str) -> Entry:
    """Bring an entry to disk, file and folder. Raises FaultError; then nothing may be broken."""
    folder = directory / FOLDER
    name = f"{time.time_ns()}-{os.getpid()}.json"
    entry = Entry(fault, tuple(sorted(parameters.items())), run_id, folder / name)
    fields = {"fault": fault, "parameters": dict(entry.parameters), "run_id": run_id}
    unfinished = folder / f".{name}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        with unfinished.open("w", encoding="utf-8") as file:
            json.dump(fields, file)
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(entry.file)
        _sync_folder(folder)
        _sync_folder(directory)
    except OSError as error:
        for left in (unfinished, entry.file):
            left.unlink(missing_ok=True)
        raise FaultError(
            f"the undo of {fault} cannot be brought to disk under {folder}: {error.strerror}; "
            "so nothing was broken",
            next_step="make room on the disk",
        ) from error
    return entry


def remove(entry: Entry) -> None:
    """The undo was observed: forget the deed. Harmless when it is forgotten already."""
    entry.file.unlink(missing_ok=True)
    _sync_folder(entry.file.parent)


def pending(directory: Path) -> tuple[Entry, ...]:
    """Every deed that is not known to be undone, oldest first.

    Raises FaultError for an entry that cannot be read: something may be broken, and nobody knows
    what.
    """
    readable, damaged = scan(directory)
    if damaged:
        raise FaultError(f"undo journal: {damaged[0]} cannot be read", next_step=_REPAIR)
    return readable


def scan(directory: Path) -> tuple[tuple[Entry, ...], tuple[Path, ...]]:
    """The readable entries, oldest first, and the files that cannot be read."""
    readable: list[Entry] = []
    damaged: list[Path] = []
    for file in sorted((directory / FOLDER).glob("[0-9]*.json")):
        entry = _read(file)
        if entry is not None:
            readable.append(entry)
        elif file.exists():  # else somebody removed it while we looked: undone
            damaged.append(file)
    return tuple(readable), tuple(damaged)


@contextmanager
def locked(directory: Path, *, within_s: float) -> Iterator[None]:
    """Hold the journal's lock. It dies with its holder. Raises FaultError after `within_s`."""
    folder = directory / FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    fd = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        deadline = time.monotonic() + within_s
        while not _try_lock(fd):
            if time.monotonic() >= deadline:
                raise FaultError(
                    f"the undo journal {folder} was busy for {within_s:g} s: "
                    "another process breaks or mends this platform",
                    next_step="wait for it to end, then try again",
                )
            time.sleep(_POLL_S)
        yield
    finally:
        os.close(fd)


def _try_lock(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _read(file: Path) -> Entry | None:
    try:
        fields = parsed(file.read_bytes())
        fault, run_id, parameters = fields["fault"], fields["run_id"], fields["parameters"]
        if not isinstance(fault, str) or not isinstance(run_id, str):
            return None
        pairs = tuple(sorted((str(key), str(value)) for key, value in parameters.items()))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return Entry(fault, pairs, run_id, file)


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
