"""What a runbook remembers: on disk before the next thing is done, so that it survives any death.

One JSON file a run, `<platform.directory>/recovery/<run_id>.json`, replaced as a whole and synced.
It is there from the first step until the runbook has ended well.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, MutableMapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from harness.core.targets import Targets
from harness.errors import DamagedEvidence, PlatformError
from harness.evidence import canonical

FOLDER = "recovery"


@dataclass(frozen=True, slots=True)
class Course:
    """A runbook under way: everything that it takes to go on with it without its drill."""

    runbook: str
    run_id: str
    run: str  # the run's directory; it may be gone
    parameters: dict[str, str]
    targets: Targets
    at: str = ""  # the step that was begun last
    done: tuple[str, ...] = ()  # names of the steps whose effect was seen
    facts: dict[str, str] = field(default_factory=dict)


def file_of(directory: Path, run_id: str) -> Path:
    """Where the course of a run's recovery lies, given the platform's directory."""
    return directory / FOLDER / f"{run_id}.json"


def save(file: Path, course: Course) -> None:
    """Whole or not at all, and on disk when this returns. Raises PlatformError."""
    unfinished = file.with_suffix(".part")
    try:
        file.parent.mkdir(mode=0o700, exist_ok=True)
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(canonical.dumps(course))
            stream.flush()
            os.fsync(stream.fileno())
        unfinished.rename(file)
        _sync_folder(file.parent)
    except OSError as error:
        raise PlatformError(
            f"the course of the recovery cannot be brought to disk: {file}: {error.strerror}",
            next_step="make room on the disk, then `peakdrill undo`",
        ) from error


def load(file: Path) -> Course:
    """Raises PlatformError for a file that is not one of ours."""
    try:
        return canonical.loads(Course, file)
    except DamagedEvidence as error:
        raise PlatformError(
            f"a recovery was under way, and its course cannot be read: {error.what}",
            next_step="look after the platform by hand (or `peakdrill platform down`), then "
            f"delete {file}",
        ) from error


def forget(file: Path) -> None:
    """The runbook has ended well. Harmless when it is forgotten already."""
    file.unlink(missing_ok=True)
    if file.parent.is_dir():
        _sync_folder(file.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class Facts(MutableMapping[str, str]):
    """Small texts that one step leaves for the next: `ground.facts["backup"] = backup_id`.

    Each change is on disk when the assignment returns. They are printed and kept in the clear: a
    secret never goes in here, only the name of the file that holds it. Without a file (tests)
    they live in memory.
    """

    def __init__(self, course: Course, file: Path | None = None) -> None:
        self._course, self._file = course, file

    @property
    def course(self) -> Course:
        return self._course

    def begin(self, step: str) -> None:
        """Remember where the runbook stands, before anything of the step is done."""
        self._keep(replace(self._course, at=step))

    def end(self, step: str) -> None:
        """The step's effect was seen; it is not done again."""
        self._keep(replace(self._course, done=(*self._course.done, step)))

    def forget(self) -> None:
        """The runbook has ended well."""
        if self._file is not None:
            forget(self._file)

    def __getitem__(self, key: str) -> str:
        return self._course.facts[key]

    def __setitem__(self, key: str, value: str) -> None:
        if not isinstance(value, str):
            raise TypeError(f"a fact is text, and {key} is {type(value).__name__}")
        self._keep(replace(self._course, facts={**self._course.facts, key: value}))

    def __delitem__(self, key: str) -> None:
        left = {k: v for k, v in self._course.facts.items() if k != key}
        self._keep(replace(self._course, facts=left))

    def __iter__(self) -> Iterator[str]:
        return iter(self._course.facts)

    def __len__(self) -> int:
        return len(self._course.facts)

    def _keep(self, course: Course) -> None:
        if self._file is not None:
            save(self._file, course)
        self._course = course
