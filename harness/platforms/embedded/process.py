"""Pids that cannot be mistaken: a pid together with the time its process started.

The kernel reuses pids. Nothing here signals a number: it opens a pidfd, checks that the process
behind it is the one that was meant, and signals through the pidfd.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ProcessId:
    pid: int
    start_ticks: int  # field 22 of /proc/PID/stat: tells a reused pid apart


@dataclass(frozen=True, slots=True)
class _Stat:
    process: ProcessId
    state: str
    parent: int


def _stat(pid: int | str) -> _Stat | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    return _parse(text)


def _parse(text: str) -> _Stat | None:
    """The name in brackets may hold anything, so fields are counted from the last bracket."""
    try:
        pid = int(text[: text.index(" ")])
        fields = text[text.rindex(")") + 2 :].split()
        return _Stat(ProcessId(pid, int(fields[19])), fields[0], int(fields[1]))
    except (ValueError, IndexError):
        return None


def identify(pid: int) -> ProcessId | None:
    """The living process that has this pid now."""
    stat = _stat(pid)
    return stat.process if stat and stat.state not in "ZX" else None


def from_stat_file(path: Path) -> ProcessId | None:
    """A process that wrote its own /proc/self/stat into a file before it went on."""
    try:
        stat = _parse(path.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return None
    return stat.process if stat else None


def is_alive(process: ProcessId) -> bool:
    """A zombie is dead: it holds nothing any more."""
    return identify(process.pid) == process


def children(pid: int) -> tuple[ProcessId, ...]:
    """Living children, from the kernel's list or, where that is lacking, from all of /proc."""
    return tuple(stat.process for stat in _children(pid) if stat.state not in "ZX")


def zombies(pid: int) -> tuple[int, ...]:
    """Children that are dead, and whose exit code nobody has asked for yet."""
    return tuple(stat.process.pid for stat in _children(pid) if stat.state == "Z")


def _children(pid: int) -> list[_Stat]:
    try:
        listed = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    except OSError:
        return [stat for stat in _everybody() if stat.parent == pid]
    return [stat for entry in listed if (stat := _stat(entry))]


def everybody() -> tuple[ProcessId, ...]:
    """Every living process that this pid namespace sees."""
    return tuple(stat.process for stat in _everybody() if stat.state not in "ZX")


def _everybody() -> list[_Stat]:
    numbers = [path.name for path in Path("/proc").iterdir() if path.name.isdigit()]
    return [stat for name in numbers if (stat := _stat(name))]


def works_in(process: ProcessId, folder: Path) -> bool:
    """Whether that is its working folder; not where we may not know."""
    try:
        return Path(f"/proc/{process.pid}/cwd").readlink() == folder
    except OSError:
        return False


def descendants(pid: int) -> tuple[ProcessId, ...]:
    """The whole family below a process."""
    below = children(pid)
    return below + tuple(far for near in below for far in descendants(near.pid))


def inner_pid(process: ProcessId) -> int | None:
    """The pid that a process has in its innermost pid namespace."""
    try:
        status = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    for line in status.splitlines():
        if line.startswith("NSpid:"):
            return int(line.split()[-1])
    return None


@contextmanager
def held(processes: Sequence[ProcessId]) -> Iterator[list[int]]:
    """Pidfds of those that live, verified; closed at the end."""
    descriptors: list[int] = []
    try:
        for process in processes:
            with contextlib.suppress(OSError):
                descriptor = os.pidfd_open(process.pid)
                descriptors.append(descriptor)
                if not is_alive(process):
                    os.close(descriptors.pop())
        yield descriptors
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def send(descriptors: Sequence[int], number: signal.Signals) -> None:
    for descriptor in descriptors:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(descriptor, number)


def await_death(descriptors: Sequence[int], within_s: float) -> bool:
    """Whether all of them were seen to die in time. A pidfd is readable once its process died."""
    waiting = set(descriptors)
    deadline = time.monotonic() + within_s
    poller = select.poll()
    for descriptor in waiting:
        poller.register(descriptor, select.POLLIN)
    while waiting:
        left_s = deadline - time.monotonic()
        if left_s <= 0:
            return False
        for descriptor, _ in poller.poll(left_s * 1000):
            poller.unregister(descriptor)
            waiting.discard(descriptor)
    return True
