"""What a running drill tells others, as one small file: `live/<run_id>.json` in the state home.

The live page and the red button read it. It is written whole or not at all; a reader that finds
a dead process knows that the drill crashed. It judges nothing, and no evidence is made of it.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

from harness.core.guard import Gauge, Harm
from harness.errors import DamagedEvidence
from harness.evidence import canonical
from harness.platforms.embedded.layout import state_home
from harness.platforms.embedded.process import ProcessId, is_alive

SCHEMA = "peakdrill/live/v1"
_KEPT = 5  # files of runs that are over


@dataclass(frozen=True, slots=True)
class LiveRate:
    """One workload over the last full seconds, and whether the customers have it back."""

    workload: str
    offered_per_s: float
    good_per_s: float
    rto_target_s: float
    well: bool
    unwell_until_s: float | None  # after the fault: the last instant that was not well; None: never


@dataclass(frozen=True, slots=True)
class LiveMark:
    """A mark of events.jsonl. `at_s` counts from the begin of the run."""

    name: str
    at_s: float
    note: str


@dataclass(frozen=True, slots=True)
class LiveSaid:
    """A line that the drill said. `at_s` counts from the begin of the run."""

    at_s: float
    text: str


@dataclass(frozen=True, slots=True)
class LiveState:
    """Everything that a person on watch wants to see."""

    schema: str
    run_id: str
    scenario: str
    platform: str
    heading: str
    size: str
    peak: float
    release: str
    season: str
    currency: str
    directory: str  # the run's
    process: ProcessId
    begun_utc: str
    begun_ns: int
    number: int = 0  # of the telling
    told_ns: int = 0
    phase: str = ""
    phase_begun_ns: int = 0
    phase_limit_s: float | None = None
    load_s: float | None = None
    since_fault_s: float | None = None
    rates: tuple[LiveRate, ...] = ()
    rates_ns: int = 0  # when they were looked at
    harm: Harm | None = None  # None: nobody is on watch yet
    rails: tuple[Gauge, ...] = ()
    marks: tuple[LiveMark, ...] = ()
    said: tuple[LiveSaid, ...] = ()
    verdict: str = ""  # "" while it goes on; "unjudged" when it ended without one
    reason: str = ""
    ended_utc: str = ""

    @property
    def has_ended(self) -> bool:
        return bool(self.verdict)

    @property
    def is_alive(self) -> bool:
        """The drill goes on. False when it has ended, and when its process is gone."""
        return not self.has_ended and is_alive(self.process)


def live_folder() -> Path:
    return state_home() / "live"


def write_live(folder: Path, state: LiveState) -> None:
    """Whole, by a rename. Raises OSError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    unfinished = folder / f".{state.run_id}.part"
    unfinished.write_bytes(canonical.dumps(state))
    unfinished.replace(folder / f"{state.run_id}.json")


def read_live(folder: Path) -> tuple[LiveState, ...]:
    """Every run that told of itself, the latest first. What cannot be read is left out."""
    found = []
    for file in folder.glob("[0-9A-Za-z]*.json"):
        if file.name.endswith(ASKED):
            continue
        with contextlib.suppress(DamagedEvidence, OSError):
            found.append(canonical.loads(LiveState, file))
    return tuple(sorted(found, key=lambda s: (s.begun_ns, s.run_id), reverse=True))


def in_progress(folder: Path) -> LiveState | None:
    """The drill that goes on, the latest if there are several."""
    return next((state for state in read_live(folder) if state.is_alive), None)


ASKED = ".asked.json"


@dataclass(frozen=True, slots=True)
class Asked:
    """Who wants the run stopped, and why; for the drill's own evidence."""

    who: str
    role: str
    why: str

    @property
    def told(self) -> str:
        return f"aborted by {self.who} ({self.role}): {self.why}"


def write_asked(folder: Path, run_id: str, asked: Asked) -> None:
    unfinished = folder / f".{run_id}.{os.getpid()}.asked"
    unfinished.write_bytes(canonical.dumps(asked))
    unfinished.replace(folder / f"{run_id}{ASKED}")


def read_asked(folder: Path, run_id: str) -> str:
    """Why the run is to be stopped; "" when nobody asked for it."""
    try:
        return canonical.loads(Asked, folder / f"{run_id}{ASKED}").told
    except (DamagedEvidence, OSError):
        return ""


def forget_old(folder: Path) -> None:
    """Runs that are over, but for the last few; and what was asked of runs that are gone."""
    over = [state.run_id for state in read_live(folder) if not state.is_alive]
    for run_id in over[_KEPT:]:
        (folder / f"{run_id}.json").unlink(missing_ok=True)
    for run_id in over:
        (folder / f"{run_id}{ASKED}").unlink(missing_ok=True)
