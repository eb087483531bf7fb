"""One look at the instrument's processes, and a census of what it and its platform have about them."""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.selftest.saboteurs import load_workers
from tests.campaign.striking import named
from tests.soak.flat import Sample

_EVERY_S = 5.0
_SHARED = Path("/dev/shm")
_LISTENING = "0A"


@dataclass(frozen=True, slots=True)
class Census:
    """Who and what is there at a quiet moment. Back ends of a database come and go: left out."""

    processes: Counter[str]
    ports: int
    files: frozenset[str]

    def beyond(self, before: Census) -> list[str]:
        """What there is more of than before."""
        more = self.processes - before.processes
        told = [f"{count} more of the process {what}" for what, count in sorted(more.items())]
        if self.ports > before.ports:
            told.append(f"{self.ports - before.ports} more listening ports")
        return told + [f"left behind: {name}" for name in sorted(self.files - before.files)]


def census(home: Path, temporary: Path) -> Census:
    """Of every process that names `home` in its arguments or environment."""
    pids = named(home)
    words = (_words(pid) for pid in pids)
    files = [str(path) for folder in (temporary, _SHARED) for path in folder.glob("*")]
    return Census(
        Counter(said for said in words if said and not said.startswith("postgres:")),
        sum(_listening(pid) for pid in pids),
        frozenset(files),
    )


def sample(run: Path, begun_ns: int) -> Sample:
    """This process, and the load workers of the run."""
    load = load_workers(run)
    return Sample(
        at_s=(time.monotonic_ns() - begun_ns) / 1e9,
        harness_mb=_anonymous_mb(os.getpid()),
        load_mb=sum(_anonymous_mb(pid) for pid in load),
        harness_descriptors=_descriptors(os.getpid()),
        load_descriptors=sum(_descriptors(pid) for pid in load),
        harness_threads=threading.active_count(),
    )


@contextmanager
def sampling(run: Path, begun_ns: int) -> Iterator[list[Sample]]:
    """Every few seconds while within."""
    samples: list[Sample] = []
    over = threading.Event()

    def look() -> None:
        while not over.wait(_EVERY_S):
            samples.append(sample(run, begun_ns))

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield samples
    finally:
        over.set()
        thread.join(_EVERY_S)


def _anonymous_mb(pid: int) -> float:
    for line in _status(pid):
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) / 1024
    return 0.0


def _status(pid: int) -> list[str]:
    try:
        return (
            Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace").splitlines()
        )
    except OSError:
        return []


def _descriptors(pid: int) -> int:
    try:
        return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return 0


def _words(pid: int) -> str:
    """What it is, without what differs from one start to the next."""
    try:
        said = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return ""
    first = " ".join(word.decode(errors="replace") for word in said[:3])
    return first if first.startswith("postgres:") else Path(first.split(" ")[0]).name


def _listening(pid: int) -> int:
    """TCP sockets that it listens on, in whichever network it lives."""
    try:
        sockets = {str(entry.readlink()) for entry in Path(f"/proc/{pid}/fd").iterdir()}
        lines = Path(f"/proc/{pid}/net/tcp").read_text(encoding="ascii").splitlines()[1:]
    except OSError:
        return 0
    inodes = {f"socket:[{f[9]}]" for line in lines if (f := line.split())[3] == _LISTENING}
    return len(inodes & sockets)
