"""The schedule of a run by stretches of time: what was due between two instants, in order.

Where a run is too long to be held its schedule is set aside as it is made, as its arrivals are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from harness.core.evidence import Aside
from harness.core.in_time import LEAST_NS, MOST_NS, STRETCH_NS, edge_after
from harness.core.operations import type_i64
from harness.core.windows import rising

DUE = np.dtype([("due_ns", "<i8")])
"""One arrival of a schedule that is set aside."""


@dataclass(slots=True)
class _Span:
    """What is known of one stretch without looking."""

    first_ns: int = MOST_NS
    last_ns: int = LEAST_NS
    count: int = 0


@dataclass(slots=True)
class _Source:
    """Arrivals, or canaries, of one workload."""

    key: int
    spans: dict[int, _Span] = field(default_factory=dict)
    held: dict[int, list[type_i64]] = field(default_factory=dict)


class DueInTime:
    """Every schedule of a run, by the same stretches as its arrivals."""

    def __init__(self, stretch_ns: int, origin_ns: int = 0, aside: Aside | None = None) -> None:
        self._stretch_ns, self._origin_ns, self._aside = stretch_ns, origin_ns, aside
        self._sources: dict[int, _Source] = {}

    def add(self, code: int, due_ns: type_i64, *, canaries: bool = False) -> None:
        """More of one workload's, on the run's clock."""
        key = 2 * code + canaries
        source = self._sources.setdefault(key, _Source(key))
        due_ns, begin = rising(due_ns), 0
        while begin < len(due_ns):
            number, end = edge_after(due_ns, begin, self._stretch_ns, self._origin_ns)
            part = due_ns[begin:end]
            span = source.spans.setdefault(number, _Span())
            span.first_ns = min(span.first_ns, int(part[0]))
            span.last_ns = max(span.last_ns, int(part[-1]))
            span.count += len(part)
            if self._aside is None:
                source.held.setdefault(number, []).append(part)
            else:
                stretch = np.full(len(part), number * 512 + key, dtype=np.int64)
                self._aside.add(part.view(DUE), stretch)
            begin = end

    def of(self, code: int, *, canaries: bool = True) -> Due:
        """One workload's, once all have been added; with its canaries, or without."""
        keys = [2 * code, 2 * code + 1] if canaries else [2 * code]
        return Due([self._sources[key] for key in keys if key in self._sources], self._read)

    def _read(self, source: _Source, number: int) -> type_i64:
        if self._aside is not None:
            rows = self._aside.of(number * 512 + source.key)
            return rising(np.ascontiguousarray(rows["due_ns"]))
        parts = source.held[number]
        if len(parts) > 1:
            parts[:] = [rising(np.concatenate(parts))]
        return parts[0]


class Due:
    """What was due of one workload."""

    def __init__(self, sources: list[_Source], read: Callable[[_Source, int], type_i64]) -> None:
        self._sources, self._read = sources, read

    @classmethod
    def of(cls, due_ns: type_i64, stretch_ns: int = STRETCH_NS) -> Due:
        """Instants at hand, in any order."""
        times = DueInTime(stretch_ns)
        times.add(0, due_ns)
        return times.of(0)

    def parts(self, begin_ns: int, end_ns: int) -> Iterator[type_i64]:
        """What was due in [begin, end): rising, a stretch at a time."""
        for number in sorted({n for source in self._sources for n in source.spans}):
            here = [
                self._cut(source, number, begin_ns, end_ns)
                for source in self._sources
                if number in source.spans
            ]
            part = here[0] if len(here) == 1 else np.sort(np.concatenate(here))
            if len(part):
                yield part

    def within(self, begin_ns: int, end_ns: int) -> type_i64:
        """The same, at once: for a stretch that is short."""
        return np.concatenate([np.zeros(0, dtype=np.int64), *self.parts(begin_ns, end_ns)])

    def count(self, begin_ns: int, end_ns: int) -> int:
        """How many were due in [begin, end)."""
        return sum(
            span.count
            if span.first_ns >= begin_ns and span.last_ns < end_ns
            else len(self._cut(source, number, begin_ns, end_ns))
            for source in self._sources
            for number, span in source.spans.items()
        )

    def _cut(self, source: _Source, number: int, begin_ns: int, end_ns: int) -> type_i64:
        span = source.spans[number]
        if span.last_ns < begin_ns or span.first_ns >= end_ns:
            return np.zeros(0, dtype=np.int64)
        part = self._read(source, number)
        if span.first_ns >= begin_ns and span.last_ns < end_ns:
            return part
        edges = np.array([begin_ns, end_ns], dtype=np.int64)
        first, end = np.searchsorted(part, edges).tolist()
        return part[first:end]
