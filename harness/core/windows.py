"""When a second, and a window of seconds, counts as well (measurement.md, section 3).

Well: at least 99% of the operations GOOD, and at least 95% of the schedule answered well; over a
window also no two bins in a row below. In a scenario with a degraded mode: GOOD operations are at
least `min_capacity` of the schedule. Everything is counted in integers.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from harness.core.operations import type_bool, type_i64

BIN_NS = 1_000_000_000
AT_ONCE = 1 << 17  # values that are looked at together, where all of them would be many
_PPM = 1_000_000
_GOOD_PPM = 990_000
_ANSWERED_PPM = 950_000


def rising(values: type_i64) -> type_i64:
    """The values in rising order; a ledger's often are, and looking costs less than sorting."""
    return values if is_rising(values) else np.sort(values)


def is_rising(values: type_i64) -> bool:
    return bool((values[1:] >= values[:-1]).all())


def within(rising_ns: type_i64, begin_ns: int, end_ns: int) -> type_i64:
    """Those of rising values in [begin, end)."""
    first, end = np.searchsorted(rising_ns, [begin_ns, end_ns]).tolist()
    return rising_ns[first : max(first, end)]


def longest_gap(parts: Iterable[type_i64], begin_ns: int, end_ns: int) -> int:
    """The longest stretch between two neighbours, from the begin to the end; at least 0.

    `parts`: rising instants of [begin, end), some at a time.

    >>> longest_gap([np.array([3, 4]), np.array([9])], 0, 12), longest_gap([], 0, 12)
    (5, 12)
    """
    longest, before_ns = 0, begin_ns
    for part in parts:
        if len(part):
            longest = max(longest, int(part[0]) - before_ns, int(np.diff(part).max(initial=0)))
            before_ns = int(part[-1])
    return max(longest, end_ns - before_ns)


def count_up(bins: type_i64, begin_ns: int, rising_ns: type_i64) -> None:
    """Add to each bin of 1 s how many of the rising instants it holds; there is one for each.

    >>> bins = np.zeros(3, dtype=np.int64)
    >>> count_up(bins, 5, 5 + np.array([0, 1, BIN_NS, BIN_NS * 2]))
    >>> bins.tolist()
    [2, 1, 1]
    """
    if not len(rising_ns):
        return
    first, last = ((int(at_ns) - begin_ns) // BIN_NS for at_ns in (rising_ns[0], rising_ns[-1]))
    edges_ns = begin_ns + BIN_NS * np.arange(first + 1, last + 1, dtype=np.int64)
    places = np.searchsorted(rising_ns, edges_ns)
    bins[first : last + 1] += np.diff(places, prepend=0, append=len(rising_ns))


@dataclass(frozen=True, slots=True)
class Bar:
    """What counts as well. `capacity_ppm`: the lower bar of a degraded mode, None without one."""

    capacity_ppm: int | None = None

    @classmethod
    def degraded(cls, min_capacity: float) -> Bar:
        """The bar of a degraded mode, from the share of the schedule that must be served."""
        return cls(round(min_capacity * _PPM))

    def well(self, good: type_i64, total: type_i64, due: type_i64) -> type_bool:
        """Whether each stretch is well, from its counts. Nothing due and nothing done is well.

        >>> full = Bar()
        >>> count = lambda *n: np.array(n, dtype=np.int64)
        >>> full.well(count(99, 98, 95, 0), count(100, 100, 95, 0), count(100, 100, 101, 0))
        array([ True, False, False,  True])
        >>> Bar.degraded(0.5).well(count(50, 49), count(100, 100), count(100, 100))
        array([ True, False])
        """
        if self.capacity_ppm is not None:
            return good * _PPM >= due * self.capacity_ppm
        return (good * _PPM >= total * _GOOD_PPM) & (good * _PPM >= due * _ANSWERED_PPM)


@dataclass(frozen=True, slots=True)
class Counts:
    """Rising intended times of all and of GOOD arrivals, and of the schedule, in ns."""

    total_ns: type_i64
    good_ns: type_i64
    due_ns: type_i64

    @classmethod
    def of(cls, intended_ns: type_i64, good: type_bool, due_ns: type_i64) -> Counts:
        return cls(rising(intended_ns), rising(intended_ns[good]), rising(due_ns))

    def between(self, begin_ns: type_i64, end_ns: type_i64) -> tuple[type_i64, type_i64, type_i64]:
        """How many are GOOD, done and due in each [begin, end).

        >>> counts = Counts(np.array([1, 2, 3]), np.array([1, 3]), np.array([1, 2, 3, 4]))
        >>> [int(n[0]) for n in counts.between(np.array([2]), np.array([5]))]
        [1, 2, 3]
        """
        good, total, due = (
            np.searchsorted(column, end_ns) - np.searchsorted(column, begin_ns)
            for column in (self.good_ns, self.total_ns, self.due_ns)
        )
        return good, total, due

    def well(self, bar: Bar, begin_ns: type_i64, end_ns: type_i64) -> type_bool:
        return bar.well(*self.between(begin_ns, end_ns))

    def well_within(self, bar: Bar, begin_ns: int, end_ns: int) -> bool:
        """Whether one whole stretch is well: all of it, and no two bins in a row below."""
        bins = Bins.of(self, bar, begin_ns, end_ns)
        whole = self.well(bar, np.array([begin_ns]), np.array([end_ns]))
        return bool(whole[0]) and not len(bins.pairs)


@dataclass(frozen=True, slots=True)
class Bins:
    """The bins of 1 s from `begin_ns` to `end_ns`; the last one is cut at the end."""

    begin_ns: int
    edges_ns: type_i64  # first edge of each bin
    ends_ns: type_i64
    good: type_i64
    total: type_i64
    due: type_i64
    well: type_bool

    @classmethod
    def of(cls, counts: Counts, bar: Bar, begin_ns: int, end_ns: int) -> Bins:
        edges, ends = cls.between(begin_ns, end_ns)
        good, total, due = counts.between(edges, ends)
        return cls(begin_ns, edges, ends, good, total, due, bar.well(good, total, due))

    @staticmethod
    def between(begin_ns: int, end_ns: int) -> tuple[type_i64, type_i64]:
        """Where each begins, and where it ends."""
        edges = np.arange(begin_ns, max(end_ns, begin_ns), BIN_NS, dtype=np.int64)
        return edges, np.minimum(edges + BIN_NS, end_ns)

    def __len__(self) -> int:
        return len(self.edges_ns)

    @property
    def columns(self) -> tuple[type_i64, type_i64, type_i64]:
        """How many are GOOD, done and due in each."""
        return self.good, self.total, self.due

    def index(self, at_ns: int) -> int:
        """The bin that an instant belongs to."""
        return (at_ns - self.begin_ns) // BIN_NS

    @property
    def pairs(self) -> type_i64:
        """Indices of bins that are below together with the next one."""
        return np.flatnonzero(~self.well[:-1] & ~self.well[1:])

    @property
    def down(self) -> type_bool:
        """Bins that had something to answer and answered nothing well."""
        down: type_bool = (self.good == 0) & ((self.due > 0) | (self.total > 0))
        return down
