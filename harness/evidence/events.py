"""events.jsonl: the marks of a run, append only, one JSON object a line.

Several processes write it (the harness and the experiment's child), and any of them may be killed
at any instant. So each line is one write under O_APPEND, on disk before the writer goes on, and a
reader tolerates exactly one kind of damage: the line that a killed writer left unfinished.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path

from harness.core.timeline import Mark, MarkName, Timeline
from harness.errors import DamagedEvidence, PeakdrillError
from harness.json_text import parsed

NOTE_MAX = 2000  # characters; a line stays small enough to be one write
TORN_NOTE = "the line above is unfinished: its writer was killed"
_FIELDS = {"name", "earliest_ns", "latest_ns", "note"}


@dataclass(frozen=True, slots=True)
class Events:
    """What was read: the marks, and a sentence for each unfinished line that was left out."""

    timeline: Timeline
    torn: tuple[str, ...] = ()


def append(path: Path, mark: Mark) -> None:
    """Write one mark and bring it to disk. Safe among processes. Raises PeakdrillError."""
    line = _encode(mark)
    try:
        fd = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)  # nobody may judge the file's end while it moves
            if _ends_unfinished(fd):
                line = b"\n" + _encode(_torn_mark()) + line
            written = os.write(fd, line)
            os.fsync(fd)
        finally:
            os.close(fd)
    except OSError as error:
        raise PeakdrillError(
            f"cannot write the mark {mark.name} to {path}: {error.strerror}",
            next_step="make room on the disk, then start a new run",
        ) from error
    if written != len(line):
        raise PeakdrillError(
            f"the mark {mark.name} was cut short in {path}: the disk is full",
            next_step="make room on the disk, then start a new run",
        )


def stamp(path: Path, name: MarkName, note: str = "") -> Mark:
    """Append a mark for this very instant, and return it."""
    now_ns = time.monotonic_ns()
    mark = Mark(name, now_ns, now_ns, note)
    append(path, mark)
    return mark


def read(path: Path) -> Events:
    """The marks in the order of their writing; none when the file is not there yet.

    Raises DamagedEvidence, naming file and line, for anything but an unfinished last line of a
    killed writer (which a later writer has fenced off by a mark of its own).
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return Events(Timeline(()))
    except OSError as error:
        raise DamagedEvidence(f"{path}: cannot be read: {error.strerror}") from error
    lines = data.split(b"\n")
    if lines[-1] == b"":
        lines.pop()
    marks: list[Mark] = []
    torn: list[str] = []
    for number, line in enumerate(lines, start=1):
        found = _decode(line)
        if isinstance(found, Mark):
            marks.append(found)
        elif _was_torn(data, lines, number):
            torn.append(
                f"{path.name}:{number}: {len(line)} bytes of a line whose writer was killed"
            )
        else:
            raise DamagedEvidence(
                f"{path}:{number}: {found}",
                next_step="restore the run directory from a copy; this one cannot be judged",
            )
    return Events(Timeline(tuple(marks)), tuple(torn))


def _encode(mark: Mark) -> bytes:
    fields = {
        "name": mark.name.value,
        "earliest_ns": mark.earliest_ns,
        "latest_ns": mark.latest_ns,
        "note": mark.note[:NOTE_MAX],
    }
    return json.dumps(fields, separators=(",", ":")).encode("ascii") + b"\n"


def _decode(line: bytes) -> Mark | str:
    """The mark, or what is wrong with the line."""
    try:
        found = parsed(line)
    except (ValueError, RecursionError):
        return "not a whole JSON object"
    if not isinstance(found, dict) or set(found) != _FIELDS:
        return f"not a mark: the keys must be {', '.join(sorted(_FIELDS))}"
    name, earliest_ns, latest_ns, note = (
        found["name"], found["earliest_ns"], found["latest_ns"], found["note"],
    )  # fmt: skip
    if name not in list(MarkName):
        return f"unknown mark {name!r}"
    if type(earliest_ns) is not int or type(latest_ns) is not int or not isinstance(note, str):
        return f"mark {name}: a value has the wrong type"
    if earliest_ns > latest_ns:
        return f"mark {name}: it ends before it begins"
    return Mark(MarkName(name), earliest_ns, latest_ns, note)


def _was_torn(data: bytes, lines: list[bytes], number: int) -> bool:
    """Unfinished and last, or unfinished and fenced off by the next writer."""
    if not _is_unfinished(lines[number - 1]):
        return False
    if number == len(lines):
        return not data.endswith(b"\n")
    following = _decode(lines[number])
    return isinstance(following, Mark) and following.note == TORN_NOTE


def _is_unfinished(line: bytes) -> bool:
    """The beginning of a line of ours: it is sound as far as it goes."""
    if not b'{"name":"'.startswith(line[:9]) or not line.isascii():
        return False
    try:
        parsed(line)
    except json.JSONDecodeError as error:
        inside_string = error.msg.startswith(("Unterminated string", "Invalid \\"))
        return inside_string or error.pos >= len(line)
    return False


def _torn_mark() -> Mark:
    now_ns = time.monotonic_ns()
    return Mark(MarkName.STEP, now_ns, now_ns, TORN_NOTE)


def _ends_unfinished(fd: int) -> bool:
    size = os.fstat(fd).st_size
    return size > 0 and os.pread(fd, 1, size - 1) != b"\n"
