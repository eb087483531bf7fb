"""A signed run, and its link of the chain, kept in object storage: under a lock where it is asked.

    PREFIX/runs/<run>/...        every file of the run directory
    PREFIX/chain/<n>-<run>.json  its link; one object a link, so that nothing is ever rewritten

What counts as kept was read back and hashed. Nothing that lies there is replaced: the same run
shipped twice is harmless, and other bytes under its name are refused.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from harness.errors import DamagedEvidence, PeakdrillError, Refused, UsageError
from harness.evidence import canonical, chain
from harness.evidence.findings import State, Verified

_DESTINATION = re.compile(
    r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/(?P<prefix>.+?))?/*"
)
_DAYS_MAX = 36_500


@dataclass(frozen=True, slots=True)
class Destination:
    """Where runs are shipped to."""

    bucket: str
    prefix: str = ""  # without a slash at either end
    endpoint: str = ""  # "" for the one that the S3 client knows by itself
    keep_days: int = 0  # under object lock, in compliance mode; 0: no lock is asked for

    def key(self, name: str) -> str:
        return f"{self.prefix}/{name}" if self.prefix else name

    def __str__(self) -> str:
        return f"s3://{self.key_of_bucket()}"

    def key_of_bucket(self) -> str:
        return f"{self.bucket}/{self.prefix}" if self.prefix else self.bucket


def destination(text: str, *, endpoint: str = "", keep_days: int = 0) -> Destination:
    """Of `s3://BUCKET/PREFIX`. Raises UsageError.

    >>> str(destination("s3://evidence/drills/"))
    's3://evidence/drills'
    """
    found = _DESTINATION.fullmatch(text)
    if found is None or not text.isprintable():
        raise UsageError(
            f"{text!r} names no place in object storage", next_step="s3://BUCKET/PREFIX"
        )
    if not 0 <= keep_days <= _DAYS_MAX:
        raise UsageError(
            f"runs cannot be locked for {keep_days} days", next_step=f"0 to {_DAYS_MAX}"
        )
    return Destination(found["bucket"], (found["prefix"] or "").strip("/"), endpoint, keep_days)


class Shelf(Protocol):
    """Object storage, as far as shipping needs it. Raises PeakdrillError when it is silent."""

    def get(self, key: str) -> bytes | None:
        """The newest version; None where there is no such object."""

    def put(self, key: str, content: bytes, *, keep_until: dt.datetime | None) -> None: ...

    def is_locked(self, key: str, until: dt.datetime) -> bool:
        """Nobody can delete this version before then, by the store's own word."""


@dataclass(frozen=True, slots=True)
class Shipped:
    """What lies there now, read back."""

    run_id: str
    files: int
    size: int  # bytes
    where: str
    sent: int  # of `files`: the others lay there already
    keep_until_utc: str  # "" where no lock was asked for

    def sentence(self) -> str:
        kept = f", locked until {self.keep_until_utc}" if self.keep_until_utc else ""
        return f"{self.run_id}: {self.files} files, {self.size:,} bytes, in {self.where}{kept}"


def ship(
    directory: Path,
    to: Destination,
    shelf: Shelf,
    *,
    verify: Callable[[Path], Verified],
    now: dt.datetime,
) -> Shipped:
    """Verify, send what is not there yet, and read all of it back.

    Raises Refused for a run that is not whole and signed, DamagedEvidence where other bytes lie
    under its name or come back, PeakdrillError where the store does not do it.
    """
    found = verify(directory)
    if found.state is not State.INTACT:
        why = found.problems[0].what if found.problems else "it is not signed"
        raise Refused(
            f"{directory.name} is {found.state.value}: {why}; only a whole, signed run is shipped",
            next_step=f"peakdrill verify {directory}",
        )
    until = now + dt.timedelta(days=to.keep_days) if to.keep_days else None
    sent = size = files = 0
    for name, content in _objects(directory, found.run_id):
        sent += _keep(shelf, to.key(name), content, until)
        size, files = size + len(content), files + 1
    return Shipped(
        run_id=found.run_id, files=files, size=size, where=str(to), sent=sent,
        keep_until_utc=f"{until:%Y-%m-%dT%H:%M:%SZ}" if until else "",
    )  # fmt: skip


def _objects(directory: Path, run_id: str) -> Iterator[tuple[str, bytes]]:
    """The link comes last: where it lies, the whole run does."""
    for path in sorted(directory.rglob("*")):
        if path.is_file():
            yield f"runs/{run_id}/{path.relative_to(directory).as_posix()}", path.read_bytes()
    entry = chain.entry_of(directory.parent, run_id)
    if entry is not None:
        yield f"chain/{entry.sequence:08d}-{run_id}.json", canonical.dumps(entry)


def _keep(shelf: Shelf, key: str, content: bytes, until: dt.datetime | None) -> bool:
    """Whether it had to be sent. It lies there, and as it should, when this returns."""
    there = shelf.get(key)
    if there is not None and there != content:
        raise DamagedEvidence(
            f"{key} holds other bytes (SHA-256 {_digest(there)}) than the run ({_digest(content)})",
            next_step="find out who wrote them; ship to another prefix meanwhile",
        )
    must_lock = until is not None and (there is None or not shelf.is_locked(key, until))
    if there is None or must_lock:
        shelf.put(key, content, keep_until=until)
        if shelf.get(key) != content:
            raise DamagedEvidence(f"{key} does not come back as it was sent")
    if until is not None and not shelf.is_locked(key, until):
        raise PeakdrillError(
            f"{key} was stored, and is not locked until {until:%Y-%m-%d}",
            next_step="make the bucket with object lock enabled, or ship without --keep-days",
        )
    return there is None


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
