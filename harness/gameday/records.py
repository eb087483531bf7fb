"""The day's folder: records that are only ever added, each signed, each naming the one before.

    OUT/gameday-<name>/records/0001.json ...   one DSSE envelope a record
    OUT/gameday-<name>/gameday.yaml            the plan, as it was when the day began

A record is there whole or not at all. What was changed, moved or put between shows in the chain; a
tail that was cut off shows by the head, which lies with the installation and not with the day.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from harness import __version__
from harness.core.gameday import records as said
from harness.core.gameday.plan import written
from harness.core.gameday.state import DayState, Phase, state_of
from harness.errors import DamagedEvidence, Refused
from harness.evidence import canonical, envelope
from harness.evidence.keys import PublicKey, signer, trusted_keys

RECORD_TYPE = "application/vnd.peakdrill.gameday-record.v1+json"
PREFIX = "gameday-"
PLAN = "gameday.yaml"
_RECORDS, _LOCK, _CONDUCTED = "records", ".lock", ".conducted"
_RESTORE = "restore the day's folder from where it was archived; it proves nothing as it is"


@dataclass(frozen=True, slots=True)
class Head:
    """How far the day had come when this installation last added to it."""

    number: int
    digest: str


@dataclass(frozen=True, slots=True)
class Book:
    """The records of one day."""

    folder: Path

    @classmethod
    def of(cls, out: Path, day: str) -> Book:
        return cls(out.resolve() / f"{PREFIX}{day}")

    @property
    def day(self) -> str:
        return self.folder.name.removeprefix(PREFIX)

    @property
    def exists(self) -> bool:
        return (self.folder / _RECORDS).is_dir()

    def files(self) -> tuple[Path, ...]:
        return tuple(sorted((self.folder / _RECORDS).glob("[0-9]*.json")))

    def entries(self) -> tuple[said.Entry, ...]:
        """All of them, in order. Raises DamagedEvidence that names the first which is wrong."""
        found: list[said.Entry] = []
        files = self.files()
        keys = _keys() if files else ()
        previous = ""
        for number, file in enumerate(files, start=1):
            body = file.read_bytes()
            entry = self._entry(file, body, keys)
            if (entry.number, file.stem) != (number, f"{number:04d}"):
                raise self._damaged(file, f"a record before it is missing: {number:04d}.json")
            if entry.previous != previous:
                raise self._damaged(file, "does not follow the record before it")
            previous = hashlib.sha256(body).hexdigest()
            found.append(entry)
        self._hold_against_head(files)
        if found:
            self._hold_against_day(found[0])
        return tuple(found)

    def state(self) -> DayState:
        return state_of(self.entries())

    def add(self, told: said.Said, now: dt.datetime) -> said.Entry:
        """One more record, the day's first before it where there is none. Raises Refused."""
        with self._alone():
            entries = self.entries()
            if not entries:
                opened = said.Opened(self.day, __version__)
                entries = (self._append(opened, (), now),)
            _refuse(told, state_of(entries))
            return self._append(told, entries, now)

    @contextmanager
    def conducting(self) -> Iterator[None]:
        """One process conducts the day. Raises Refused while another does."""
        self.folder.mkdir(parents=True, exist_ok=True)
        fd = os.open(self.folder / _CONDUCTED, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Refused(
                    f"another process conducts {self.day}",
                    next_step="peakdrill gameday status, or peakdrill gameday abort",
                ) from None
            yield
        finally:
            os.close(fd)

    def is_conducted(self) -> bool:
        """Whether a process that lives conducts the day."""
        try:
            with self.conducting():
                return False
        except Refused:
            return True

    def _entry(self, file: Path, body: bytes, keys: tuple[PublicKey, ...]) -> said.Entry:
        try:
            payload = envelope.opened(body, keys, RECORD_TYPE).payload
            entry = _adapter().validate_json(payload)
        except DamagedEvidence as error:
            raise self._damaged(file, error.what) from error
        except ValidationError as error:
            raise self._damaged(file, "holds no record") from error
        if canonical.dumps(entry) != payload:
            raise self._damaged(file, "is not in its canonical form")
        return entry

    def _append(
        self, told: said.Said, entries: tuple[said.Entry, ...], now: dt.datetime
    ) -> said.Entry:
        previous = hashlib.sha256(self.files()[-1].read_bytes()).hexdigest() if entries else ""
        entry = said.Entry(len(entries) + 1, previous, written(now), told)
        body = envelope.seal(canonical.dumps(entry), RECORD_TYPE, signer())
        file = self.folder / _RECORDS / f"{entry.number:04d}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        put(file, body)
        self._save_head(Head(entry.number, hashlib.sha256(body).hexdigest()))
        return entry

    @contextmanager
    def _alone(self) -> Iterator[None]:
        self.folder.mkdir(parents=True, exist_ok=True)
        fd = os.open(self.folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            yield
        finally:
            os.close(fd)

    def _head_file(self) -> Path:
        from harness.platforms.embedded.layout import state_home

        name = hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:32]
        return state_home() / "gamedays" / f"{name}.json"

    def _save_head(self, head: Head) -> None:
        file = self._head_file()
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        put(file, canonical.dumps(head))

    def _hold_against_head(self, files: tuple[Path, ...]) -> None:
        """A folder without any record is a new day; one with fewer than before was cut."""
        file = self._head_file()
        if not files or not file.exists():
            return
        head = canonical.loads(Head, file)
        if len(files) < head.number:
            raise self._damaged(
                files[-1], f"the {head.number - len(files)} records after it are gone"
            )
        if hashlib.sha256(files[head.number - 1].read_bytes()).hexdigest() != head.digest:
            raise self._damaged(files[head.number - 1], "is not the record that was added")

    def _hold_against_day(self, first: said.Entry) -> None:
        if not isinstance(first.said, said.Opened) or first.said.day != self.day:
            raise self._damaged(self.files()[0], f"does not open the day {self.day}")

    def _damaged(self, file: Path, what: str) -> DamagedEvidence:
        return DamagedEvidence(f"{self.folder.name}/{file.name}: {what}", next_step=_RESTORE)


def put(file: Path, body: bytes) -> None:
    """Whole or not at all: a temporary file, synced, then renamed, and the folder synced."""
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with temporary.open("wb") as stream:
            stream.write(body)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.rename(file)
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()
    fd = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def books(out: Path) -> tuple[Book, ...]:
    """Every day below a folder, oldest first by its first record."""
    found = [Book(f) for f in out.resolve().glob(f"{PREFIX}*") if (f / _RECORDS).is_dir()]
    return tuple(sorted((b for b in found if b.files()), key=lambda b: b.entries()[0].at_utc))


def _refuse(told: said.Said, state: DayState) -> None:
    """What may not be added any more. Raises Refused."""
    if state.phase is Phase.CLOSED:
        raise Refused(
            "the day is closed: nothing can be added to it",
            next_step="give the next day a name of its own with --name, or in gameday.yaml",
        )
    over = state.phase is not Phase.GOING
    if isinstance(told, said.ScenarioBegun) and (over or state.aborts):
        raise Refused("the day does not go on: nothing is broken any more")
    if isinstance(told, said.Started) and (state.phase is not Phase.PLANNED or state.aborts):
        raise Refused("the day was begun or aborted before: it cannot begin again")


def _keys() -> tuple[PublicKey, ...]:
    """Ours, and those that the reader trusts."""
    return (signer().public, *trusted_keys())


@cache
def _adapter() -> TypeAdapter[said.Entry]:
    return TypeAdapter(said.Entry)
