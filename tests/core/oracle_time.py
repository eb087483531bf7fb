"""RTO, slowly: written from the definitions, one list comprehension at a time, for the tests."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

S = 1_000_000_000


@dataclass(frozen=True)
class Op:
    """One arrival: due, ended, served in time, and when it proved the platform bad."""

    intended: int
    done: int  # 0: no end on record
    good: bool
    bad_at: int = 0


@dataclass(frozen=True)
class Answer:
    low: int
    high: int | None
    recovered: bool
    began: int | None  # t_D
    back: int | None  # t_R
    flaps: int
    down: int
    degraded: int
    first_success: int | None


def within(ops: list[Op], begin: int, end: int) -> list[Op]:
    return [op for op in ops if begin <= op.intended < end]


class Oracle:
    """`fault` is the interval of t_F, `window` is W; `capacity` is the lower bar, if any."""

    def __init__(
        self,
        ops: list[Op],
        due: list[int],
        *,
        fault: tuple[int, int],
        until: int,
        window: int,
        widen: int = 0,
        capacity: Fraction | None = None,
    ) -> None:
        self.every, self.fault, self.until = ops, fault, until
        self.window, self.widen, self.capacity = window, widen, capacity
        self.due = [d for d in due if fault[0] <= d < until]
        self.ops = within(ops, fault[0], until)
        self.edges = list(range(fault[0], until, S))

    def served(self, begin: int, end: int) -> bool:
        """Whether a stretch is well, by its shares alone."""
        ops = within(self.ops, begin, end)
        due = len([d for d in self.due if begin <= d < end])
        good = len([op for op in ops if op.good])
        if self.capacity is not None:
            return good >= self.capacity * due
        return good >= Fraction(99, 100) * len(ops) and good >= Fraction(95, 100) * due

    def bins_from(self, begin: int) -> list[tuple[int, int]]:
        """Bins from an instant to the end of observation; the first and the last may be cut."""
        first = [e for e in self.edges if e <= begin][-1]
        return [
            (max(edge, begin), min(edge + S, self.until)) for edge in self.edges if edge >= first
        ]

    def two_in_a_row_below(self, begin: int) -> bool:
        well = [self.served(*b) for b in self.bins_from(begin)]
        return any(not a and not b for a, b in pairwise(well))

    def windows_from(self, begin: int) -> list[int]:
        """Where windows begin: here, at every bin's edge after, and W before the end."""
        begins = [begin, *(e for e in self.edges if e > begin), self.until - self.window]
        return [b for b in begins if b + self.window <= self.until]

    def lasts(self, begin: int) -> bool:
        """Whether every window from here to the end of observation is well."""
        return (
            begin + self.window <= self.until
            and all(self.served(b, b + self.window) for b in self.windows_from(begin))
            and not self.two_in_a_row_below(begin)
        )

    def answer(self) -> Answer:
        bins = [(e, min(e + S, self.until)) for e in self.edges]
        below = [b for b in bins if not self.served(*b)]
        empty = [
            b
            for b in bins
            if not any(op.good for op in within(self.ops, *b))
            and (within(self.ops, *b) or any(b[0] <= d < b[1] for d in self.due))
        ]
        down, degraded = len(empty) * S, len([b for b in below if b not in empty]) * S
        if not self.edges or self.lasts(self.fault[0]):
            return Answer(0, None, True, None, None, 0, down, degraded, None)
        began = self.began(below)
        completions = sorted(op.done for op in self.every if op.good and op.done > began)
        back = next((g for g in completions if self.lasts(g)), None)
        proven = [op.bad_at for op in self.every if not op.good and op.bad_at > self.fault[0]]
        if back is not None:
            last = max([p for p in proven if p < back], default=self.fault[0])
            low = max(0, last - self.fault[1] - self.widen)
            high = back - self.fault[0] + self.widen
            return Answer(
                low, high, True, began, back, self.flaps(began), down, degraded, completions[0]
            )
        first = completions[0] if completions else None
        return Answer(0, None, False, began, None, self.flaps(began), down, degraded, first)

    def began(self, below: list[tuple[int, int]]) -> int:
        """t_D: the first bad event in the first bin that is not well."""
        if not below:
            return self.fault[0]
        bad = [op.bad_at for op in within(self.ops, *below[0]) if not op.good]
        return min(bad) if bad else below[0][0]

    def flaps(self, began: int) -> int:
        """Stretches of windows that passed after t_D and before the last one that failed."""
        passing = []
        for edge in self.edges:
            if edge <= began or edge + self.window > self.until:
                continue
            bins = [(e, e + S) for e in self.edges if edge <= e < edge + self.window]
            well = [self.served(*b) for b in bins]
            pair = any(not a and not b for a, b in pairwise(well))
            passing.append(self.served(edge, edge + self.window) and not pair)
        if False not in passing:
            return 0
        last = len(passing) - 1 - passing[::-1].index(False)
        return len([k for k in range(last) if passing[k] and not passing[k + 1]])
