"""chain.jsonl: every signed run of a folder, each naming the envelope before it.

It lies beside the run directories and holds their envelopes, so that a run whose directory is
gone is still named. One canonical JSON object a line, append only. A writer holds the file's lock
from reading the last line to having its own on disk: two drills that end at once stand one after
the other, and never fork. A last line that a kill has torn was never told; the next writer cuts
it off.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

from harness.errors import DamagedEvidence, PeakdrillError
from harness.evidence import canonical, layout
from harness.evidence.statement import Link, RunClaim, Statement, opened_by

_NEXT = "restore chain.jsonl from a copy; moved away, the next run begins a new chain"


@dataclass(frozen=True, slots=True)
class Entry:
    """One run as the chain keeps it. Envelope and key are text as they stand in their files."""

    sequence: int
    run_id: str
    envelope_sha256: str
    envelope: str
    key: str

    def statement(self) -> Statement[RunClaim]:
        """What was signed, by the key that stands beside it. Raises DamagedEvidence."""
        return opened_by(self.envelope.encode(), self.key.encode(), RunClaim)[0]


Sign = Callable[[Link], tuple[str, bytes, bytes]]  # -> run id, envelope, public key


def append(store: Path, sign: Sign) -> Entry:
    """Sign the next link and bring it to disk, nobody else writing meanwhile.

    Raises DamagedEvidence where the chain's end cannot be read, PeakdrillError where it cannot
    be written; then the chain is what it was.
    """
    file = store / layout.CHAIN
    try:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            whole = _without_torn(descriptor)
            entry = _entry(sign, _next_link(file, whole))
            _write(descriptor, canonical.dumps(entry), len(whole))
            _sync_folder(store)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise PeakdrillError(
            f"the chain {file} cannot be written: {error.strerror}",
            next_step="make it writable, then: peakdrill evidence seal RUN",
        ) from error
    return entry


def read(store: Path) -> tuple[Entry, ...]:
    """Every whole line in its order; () where there is no chain. Raises DamagedEvidence.

    A line that can be parsed may still be false: that is for who walks the chain to find.
    """
    file = store / layout.CHAIN
    try:
        lines = file.read_bytes().split(b"\n")[:-1]  # the last part is empty, or torn
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise DamagedEvidence(f"{file}: cannot be read: {error.strerror}") from error
    return tuple(_parsed(file, number, line) for number, line in enumerate(lines, 1))


def entry_of(store: Path, run_id: str) -> Entry | None:
    return next((entry for entry in read(store) if entry.run_id == run_id), None)


def _entry(sign: Sign, link: Link) -> Entry:
    run_id, envelope, key = sign(link)
    digest = hashlib.sha256(envelope).hexdigest()
    return Entry(link.sequence, run_id, digest, envelope.decode(), key.decode())


def _next_link(file: Path, whole: bytes) -> Link:
    lines = whole.split(b"\n")[:-1]
    if not lines:
        return Link(1, "", "")
    last = _parsed(file, len(lines), lines[-1])
    if last.sequence != len(lines):
        raise DamagedEvidence(
            f"{file}:{len(lines)}: it says that it is link {last.sequence}", next_step=_NEXT
        )
    return Link(last.sequence + 1, last.run_id, last.envelope_sha256)


def _parsed(file: Path, number: int, line: bytes) -> Entry:
    try:
        entry = TypeAdapter(Entry).validate_json(line, strict=True)
        same = canonical.dumps(entry) == line + b"\n"
    except ValueError as error:
        raise DamagedEvidence(f"{file}:{number}: not a link of a chain", next_step=_NEXT) from error
    if not same or hashlib.sha256(entry.envelope.encode()).hexdigest() != entry.envelope_sha256:
        raise DamagedEvidence(f"{file}:{number}: this link was changed", next_step=_NEXT)
    return entry


def _without_torn(descriptor: int) -> bytes:
    """The whole lines; what a killed writer left of one is cut off."""
    size = os.fstat(descriptor).st_size
    body = b""
    while len(body) < size:
        body += os.pread(descriptor, size - len(body), len(body))
    end = body.rfind(b"\n") + 1
    if end != size:
        os.ftruncate(descriptor, end)
    return body[:end]


def _write(descriptor: int, line: bytes, end: int) -> None:
    """All of it or none: half a line would be cut off, and its run with it."""
    try:
        left = line
        while left:
            left = left[os.write(descriptor, left) :]
        os.fsync(descriptor)
    except OSError:
        os.ftruncate(descriptor, end)
        raise


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
