"""What every row of the table is made of: spreads, interleaved pairs, and whether a target is held."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path


class Held(StrEnum):
    """Whether a row's target was reached, in this run, on this machine."""

    YES = "reached"
    NO = "not reached"
    UNSEEN = "not measured here"


@dataclass(frozen=True)
class Spread:
    """Repeats of one figure: the median, the quartiles, how many."""

    median: float
    low: float
    high: float
    count: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """
        >>> Spread.of([3.0, 1.0, 2.0])
        Spread(median=2.0, low=1.5, high=2.5, count=3)
        """
        if len(values) == 1:
            return cls(values[0], values[0], values[0], 1)
        low, median, high = statistics.quantiles(values, n=4, method="inclusive")
        return cls(median, low, high, len(values))

    def text(self, unit: str = "", digits: int = 3) -> str:
        """
        >>> Spread.of([1234.5, 1234.5]).text("/s")
        '1,230/s'
        >>> Spread.of([1.0, 2.0, 3.0]).text("x")
        '2x (1.5 to 2.5)'
        """
        said = f"{rounded(self.median, digits)}{unit}"
        if self.count == 1 or self.low == self.high:
            return said
        return f"{said} ({rounded(self.low, digits)} to {rounded(self.high, digits)})"


def rounded(value: float, digits: int = 3) -> str:
    """
    >>> rounded(1234.5), rounded(0.01234), rounded(0)
    ('1,230', '0.0123', '0')
    """
    text = f"{float(f'{value:.{digits}g}'):,.6f}".rstrip("0").rstrip(".")
    return text or "0"


@dataclass(frozen=True)
class Row:
    """One line of the table. `beside` holds what it was measured against, `why` what is in the way."""

    what: str
    target: str
    reached: str
    beside: str
    held: Held
    why: str = ""
    figures: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Job:
    """What a measurement is given: where it may write, and how much it may do."""

    scratch: Path
    full: bool
    say: Callable[[str], None]

    def pick(self, quick: int, full: int) -> int:
        return full if self.full else quick

    def folder(self, name: str) -> Path:
        made = self.scratch / name
        made.mkdir(parents=True, exist_ok=True)
        return made


def in_turn(ways: Mapping[str, Callable[[], float]], repeats: int) -> dict[str, list[float]]:
    """Each way once a round, each round from another one on: nobody always comes first."""
    names, found = list(ways), {name: [] for name in ways}
    for turn in range(repeats):
        start = turn % len(names)
        for name in names[start:] + names[:start]:
            found[name].append(ways[name]())
    return found


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> Spread:
    """Round by round, ours over theirs."""
    return Spread.of([a / b for a, b in zip(ours, theirs, strict=True)])


def held(reached: bool) -> Held:
    return Held.YES if reached else Held.NO
