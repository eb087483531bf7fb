"""Whether a series stays level, and what a soak came to. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields

_WARM_UP = 1 / 12  # first connections, first plans, first fault: ten minutes of two hours
_STRETCH = 1 / 6  # the first and the last one are compared: twenty minutes of two hours
_ROOM_SHARE, _ROOM_MB, _ROOM_COUNT = 0.05, 4.0, 2.0


@dataclass(frozen=True, slots=True)
class Sample:
    """One look at the instrument's processes. Memory is anonymous: mapped ledgers are files."""

    at_s: float
    harness_mb: float
    load_mb: float
    harness_descriptors: float
    load_descriptors: float
    harness_threads: float


@dataclass(frozen=True, slots=True)
class Level:
    """A figure's median over the first stretch and over the last one."""

    what: str
    first: float
    last: float
    most: float

    @property
    def flat(self) -> bool:
        """
        >>> Level("harness_mb", 100.0, 108.9, 140.0).flat, Level("harness_mb", 100.0, 109.1, 140.0).flat
        (True, False)
        """
        room = _ROOM_MB if self.what.endswith("_mb") else _ROOM_COUNT
        return self.last <= self.first * (1 + _ROOM_SHARE) + room

    def text(self) -> str:
        """
        >>> Level("load_mb", 60.04, 61.0, 64.0).text()
        'load_mb: 60.0 at first, 61.0 at last, 64.0 at most'
        """
        return f"{self.what}: {self.first:.1f} at first, {self.last:.1f} at last, {self.most:.1f} at most"


def levels(samples: Sequence[Sample], length_s: float) -> list[Level]:
    """One for each figure. No samples in a stretch: ValueError, never flat."""
    first_s, stretch_s = length_s * _WARM_UP, length_s * _STRETCH
    early = [s for s in samples if first_s <= s.at_s < first_s + stretch_s]
    late = [s for s in samples if s.at_s >= length_s - stretch_s]
    if not early or not late:
        raise ValueError("no samples in the first stretch, or none in the last: nothing is shown")
    return [
        Level(
            field.name,
            statistics.median(getattr(s, field.name) for s in early),
            statistics.median(getattr(s, field.name) for s in late),
            max(getattr(s, field.name) for s in samples),
        )
        for field in fields(Sample)
        if field.name != "at_s"
    ]


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of a soak. Seconds since it was begun; None: not seen in time."""

    number: int
    what: str
    at_s: float  # since the load began
    effect: bool
    well_s: float | None
    whole_s: float | None

    @property
    def problems(self) -> list[str]:
        name = f"fault {self.number} ({self.what})"
        told = [] if self.effect else [f"{name} had no effect"]
        told += [] if self.well_s is not None else [f"{name}: the service was not well again"]
        return told + ([] if self.whole_s is not None else [f"{name}: the platform was not whole"])


@dataclass(frozen=True, slots=True)
class Soaked:
    """What a soak came to. `problems` empty: flat, and nothing left."""

    length_s: float
    operations: int
    acknowledged: int
    faults: tuple[Fault, ...]
    levels: tuple[Level, ...]
    found: tuple[str, ...]  # what was left, lost or wrong

    @property
    def problems(self) -> tuple[str, ...]:
        grown = [f"it grows: {level.text()}" for level in self.levels if not level.flat]
        faulty = [told for fault in self.faults for told in fault.problems]
        asked = [] if self.faults else ["no fault was made"]
        return (*grown, *faulty, *asked, *self.found)

    def text(self) -> str:
        """The answer first."""
        said = (
            f"{self.length_s / 60:.0f} minutes of load, {self.operations:,} operations "
            f"({self.acknowledged:,} acknowledged), {len(self.faults)} faults"
        )
        bad = self.problems
        head = f"NOT FLAT: {len(bad)} found in {said}." if bad else f"Flat: {said}, nothing left."
        return "\n".join([head, *_lines(bad), *_lines(level.text() for level in self.levels)])


def _lines(told: Iterable[str]) -> list[str]:
    return [f"  {each}" for each in told]
