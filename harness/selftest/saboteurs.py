"""What is done to the instrument while it measures, and how a run must say so.

Everything is done from outside, to the processes of the load: nothing in the instrument knows.
"""

from __future__ import annotations

import os
import resource
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from harness.core.timeline import MarkName
from harness.errors import PlatformError
from harness.evidence import layout
from harness.ledger.reader import read_ledgers

_STALL_S = 2.0
_BASELINE_S, _WORKERS_S = 120.0, 10.0
_LOOK_S = 0.1
Deed = Callable[[int], None]  # on the process id of one load worker


@dataclass(frozen=True, slots=True)
class Saboteur:
    """One defect of the instrument."""

    defect: str
    what: str
    condition: str  # of fitness, that must not hold
    deed: Deed | None  # None: nothing is done, and that is the defect
    workers: int = 1
    heartbeat_s: float = 15.0
    after: MarkName = MarkName.BASELINE_ENDED
    unfelt: Callable[[Path], str] = lambda _: ""  # why, by the run itself, it never came to bear


def _stall(pid: int) -> None:
    os.kill(pid, signal.SIGSTOP)
    time.sleep(_STALL_S)
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGCONT)


def _silence(pid: int) -> None:
    os.kill(pid, signal.SIGSTOP)


def _kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


def _fill_its_disk(pid: int) -> None:
    """No file of that process can grow any more: what a full disk looks like from inside.

    What the disk has promised already it keeps: there is room for one more chunk of slots.
    """
    ledger = _ledger_of(pid)
    size = ledger.stat().st_size if ledger else 0
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def _had_room(run: Path) -> str:
    """A ledger that was refused room is never closed as a whole one is."""
    _, ledgers = read_ledgers(run / layout.LEDGER)
    return "the run was over before the disk was full" if all(one.closed for one in ledgers) else ""


SABOTEURS: tuple[Saboteur, ...] = (
    Saboteur("fault-did-not-bite", "an experiment that breaks nothing", "effect", None),
    Saboteur(
        "stalled-generator", "the load generator stands still for two seconds", "generator-lag",
        _stall,
    ),
    Saboteur(
        "dead-prober", "the load and its canaries fall silent for good", "uninterrupted", _silence,
        heartbeat_s=3.0,
    ),
    Saboteur(
        "lost-load-worker", "one of two load workers is killed", "load-workers", _kill, workers=2,
        heartbeat_s=120.0,  # else its silence ends the run first
    ),
    Saboteur(
        "full-disk", "the disk under the ledger is full", "load-workers", _fill_its_disk,
        after=MarkName.LOAD_BEGUN,  # else the run may be over before that chunk is
        unfelt=_had_room,
    ),
)  # fmt: skip


@contextmanager
def at_work(saboteur: Saboteur, run: Path) -> Iterator[list[str]]:
    """Do it after its mark. Yields why it could not be done, or was not felt: () when it was."""
    why: list[str] = []
    over = threading.Event()
    thread = threading.Thread(target=_work, args=(saboteur, run, over, why), daemon=True)
    thread.start()
    try:
        yield why
    finally:
        over.set()
        thread.join(_STALL_S + 5)
    if not why and (unfelt := saboteur.unfelt(run)):
        why.append(unfelt)


def _work(saboteur: Saboteur, run: Path, over: threading.Event, why: list[str]) -> None:
    if saboteur.deed is None:
        return
    if not _reached(run, saboteur.after, over):
        why.append(f"the run never came to {saboteur.after}")
        return
    workers = _awaited_workers(run, saboteur.workers, over)
    if len(workers) < saboteur.workers:
        why.append(f"{len(workers)} load workers were found, not {saboteur.workers}")
        return
    try:
        saboteur.deed(workers[0])
    except OSError as error:
        why.append(str(PlatformError(f"the worker could not be reached: {error.strerror}")))
    except Exception as error:  # noqa: BLE001  what was not done must not be found caught
        why.append(f"it could not be done: {error!r}")


def _reached(run: Path, mark: MarkName, over: threading.Event) -> bool:
    deadline = time.monotonic() + _BASELINE_S
    events = run / layout.EVENTS
    while time.monotonic() < deadline and not over.wait(_LOOK_S):
        with suppress(OSError):
            if f'"{mark}"' in events.read_text(encoding="utf-8"):
                return True
    return False


def _awaited_workers(run: Path, count: int, over: threading.Event) -> list[int]:
    """They open their ledgers as the load begins."""
    deadline = time.monotonic() + _WORKERS_S
    while len(found := load_workers(run)) < count and time.monotonic() < deadline:
        if over.wait(_LOOK_S):
            break
    return found


def load_workers(run: Path) -> list[int]:
    """Processes that hold a ledger of this run open, by the number of their ledger."""
    home = (run / layout.LEDGER).resolve()
    processes = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
    found = [(ledger.name, pid) for pid in processes if (ledger := _ledger_of(pid))
             and ledger.parent == home]  # fmt: skip
    # of parent and child that both hold it, the child has the greater pid
    return list(dict(sorted(found)).values())


def _ledger_of(pid: int) -> Path | None:
    with suppress(OSError):
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(OSError):
                target = descriptor.readlink()
                if target.suffix == ".slots":
                    return target
    return None
