"""One workload under watch: counted by the second, and its instants where they are asked for.

The bins and what they sum up to are held. Between two edges of bins an instant counts exactly, from
the arrivals and the schedule of the one bin that it lies in.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from harness.core.due import Due
from harness.core.in_time import Timed
from harness.core.operations import type_bool, type_i64
from harness.core.windows import BIN_NS, Bar, Bins, count_up, longest_gap


@dataclass(frozen=True, slots=True)
class Seen:
    """What was intended in [begin, end), in bins of 1 s from its begin."""

    begin_ns: int
    end_ns: int
    window_ns: int  # W, whole bins
    bar: Bar
    bins: Bins
    arrivals: Timed
    due: Due
    shed: int
    at_end: tuple[int, int, int]  # GOOD, done and due in the last window
    gap_ns: int  # the longest of the schedule

    @classmethod
    def of(
        cls, arrivals: Timed, due: Due, watched: tuple[int, int], window_ns: int, bar: Bar
    ) -> Seen:
        begin, end = watched
        edges, ends = Bins.between(begin, end)
        bad, total, dues = (np.zeros(len(edges), dtype=np.int64) for _ in range(3))
        shed = 0
        for part in arrivals.parts(begin, end):
            count_up(total, begin, part.intended_ns)
            count_up(bad, begin, part.intended_ns[~part.good])
            shed += int(np.count_nonzero(part.shed))
        for part_ns in due.parts(begin, end):
            count_up(dues, begin, part_ns)
        good = total - bad
        return cls(
            begin_ns=begin,
            end_ns=end,
            window_ns=window_ns,
            bar=bar,
            bins=Bins(begin, edges, ends, good, total, dues, bar.well(good, total, dues)),
            arrivals=arrivals,
            due=due,
            shed=shed,
            at_end=_counted(arrivals, due, max(begin, end - window_ns), end),
            gap_ns=longest_gap(due.parts(begin, end), begin, end),
        )

    def by(self, bar: Bar) -> Seen:
        """The same by another bar."""
        well = bar.well(*self.bins.columns)
        return replace(self, bar=bar, bins=replace(self.bins, well=well))

    @property
    def failing_windows(self) -> type_bool:
        """Of each window that begins with a bin and ends within the observation."""
        width = self.window_ns // BIN_NS
        count = max(0, (self.end_ns - self.begin_ns) // BIN_NS - width + 1)
        sums = (np.concatenate([[0], np.cumsum(n)]) for n in self.bins.columns)
        failing = ~self.bar.well(*(s[width : width + count] - s[:count] for s in sums))
        for pair in self.bins.pairs.tolist():
            failing[max(0, pair - width + 2) : pair + 1] = True
        return failing

    @property
    def last_window_is_well(self) -> bool:
        return self._is_well(*self.at_end)

    @property
    def whole_is_well(self) -> bool:
        """All of it taken together, and no two bins in a row below."""
        return self._is_well(*self.before_bin(len(self.bins))) and not len(self.bins.pairs)

    def _is_well(self, *counts: int) -> bool:
        good, total, due = (np.array([n]) for n in counts)
        return bool(self.bar.well(good, total, due)[0])

    def before_bin(self, index: int) -> list[int]:
        """How many are GOOD, done and due before a bin begins."""
        return [int(n[:index].sum()) for n in self.bins.columns]

    def before(self, at_ns: type_i64, index: int) -> list[type_i64]:
        """How many are GOOD, done and due before each of these instants of one bin."""
        sums = self.before_bin(index)
        if index >= len(self.bins):
            return [np.full(len(at_ns), n, dtype=np.int64) for n in sums]
        edges_ns = int(self.bins.edges_ns[index]), int(self.bins.ends_ns[index])
        here = self.arrivals.within(*edges_ns)
        columns = here.intended_ns[here.good], here.intended_ns, self.due.within(*edges_ns)
        return [n + np.searchsorted(c, at_ns) for n, c in zip(sums, columns, strict=True)]

    def served(self, from_ns: int, end_ns: int) -> Iterator[tuple[int, type_i64]]:
        """GOOD completions after the begin that lie in [from, end): a bin, and those in it."""
        next_ns = self.arrivals.served_after(max(from_ns - 1, self.begin_ns))
        while next_ns is not None and next_ns < end_ns:
            index = self.bins.index(next_ns)
            edge_ns = self.begin_ns + (index + 1) * BIN_NS
            yield index, self.arrivals.served(next_ns, min(edge_ns, end_ns))
            next_ns = self.arrivals.served_after(edge_ns - 1)

    def longest_unserved_ns(self) -> int:
        """The longest stretch between two GOOD completions in which a bin below proved bad."""
        longest_ns = 0
        for part in self.arrivals.parts(self.begin_ns, self.end_ns):
            bad = part.where(~part.good)
            below = ~self.bins.well[(bad.intended_ns - self.begin_ns) // BIN_NS]
            bad_ns = np.sort(bad.bad_at_ns[below & (bad.bad_at_ns >= self.begin_ns)])
            while len(bad_ns):  # those of a second: the completions beside them are few
                end = int(np.searchsorted(bad_ns, int(bad_ns[0]) + BIN_NS))
                longest_ns = max(longest_ns, self._unserved_ns(bad_ns[:end]))
                bad_ns = bad_ns[end:]
        return longest_ns

    def _unserved_ns(self, rising_ns: type_i64) -> int:
        """The longest stretch without a GOOD completion that one of these instants lies in."""
        first_ns, last_ns = int(rising_ns[0]), int(rising_ns[-1])
        before_ns = self.arrivals.served_before(first_ns + 1)
        after_ns = self.arrivals.served_after(last_ns)
        good_ns = np.array([
            self.begin_ns if before_ns is None else max(before_ns, self.begin_ns),
            *self.arrivals.served(first_ns + 1, last_ns + 1).tolist(),
            self.end_ns if after_ns is None else after_ns,
        ])  # fmt: skip
        at = np.searchsorted(good_ns[:-1], rising_ns, side="right")
        return int((good_ns[at] - good_ns[at - 1]).max())


def _counted(arrivals: Timed, due: Due, begin_ns: int, end_ns: int) -> tuple[int, int, int]:
    good = total = 0
    for part in arrivals.parts(begin_ns, end_ns):
        good, total = good + int(np.count_nonzero(part.good)), total + len(part)
    return good, total, due.count(begin_ns, end_ns)
