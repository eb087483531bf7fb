"""The arrivals of a run by stretches of time: what is asked of an instant is read where it lies.

    times = InTime(stretch_ns, origin_ns, aside)
    times.add(arrivals)                     # a portion at a time, in any order
    times.of(code).within(begin_ns, end_ns)  # in the order of intended times

Where a run is too long to be held its rows are set aside, and what stays is a line a stretch: how
many, and between which instants they were intended, served or proven bad.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from harness.core.arrivals import Arrivals
from harness.core.evidence import Aside
from harness.core.operations import type_bool, type_i64
from harness.core.windows import BIN_NS, is_rising

ARRIVAL = np.dtype(
    [("intended_ns", "<i8"), ("done_ns", "<i8"), ("bad_at_ns", "<i8"), ("told", "u1")]
)
"""One arrival that is set aside; its workload is told by the stretch that it lies in."""
_TIMES = ("intended_ns", "done_ns", "bad_at_ns")
_TOLD = ("canary", "answered", "good", "shed")  # by the bits of `told`
STRETCH_NS = 64 * BIN_NS
_CODES = 256
_LATELY = 4  # stretches that are kept as they were read: their neighbours ask for them again
LEAST_NS, MOST_NS = np.iinfo(np.int64).min, np.iinfo(np.int64).max
_COUNT, _FIRST, _LAST, _GOOD_FIRST, _GOOD_LAST, _BAD_FIRST, _BAD_LAST = range(7)
_NOTHING = (0, MOST_NS, LEAST_NS, MOST_NS, LEAST_NS, MOST_NS, LEAST_NS)


class InTime:
    """All arrivals of a run. A stretch begins at `origin_ns` and every `stretch_ns` from there."""

    def __init__(self, stretch_ns: int, origin_ns: int = 0, aside: Aside | None = None) -> None:
        self._stretch_ns, self._origin_ns = stretch_ns, origin_ns
        self._kept: _Held | _SetAside = _Held() if aside is None else _SetAside(aside)
        self._spans: dict[int, dict[int, list[int]]] = {}  # by workload and stretch

    def add(self, arrivals: Arrivals) -> None:
        """More of them, of any workload and time."""
        if not len(arrivals):
            return
        codes = arrivals.workload
        if (codes == codes[0]).all():
            self.add_of(int(codes[0]), arrivals)
            return
        for code in np.flatnonzero(np.bincount(codes)).tolist():
            self.add_of(code, arrivals.where(codes == code))

    def add_of(self, code: int, arrivals: Arrivals) -> None:
        """More of one workload."""
        arrivals = _in_order(arrivals)
        at_ns, begin, spans = arrivals.intended_ns, 0, self._spans.setdefault(code, {})
        while begin < len(at_ns):
            number, end = edge_after(at_ns, begin, self._stretch_ns, self._origin_ns)
            part = arrivals.between(begin, end)
            self._kept.put(number * _CODES + code, part)
            _widen(spans.setdefault(number, list(_NOTHING)), part)
            begin = end

    @property
    def codes(self) -> list[int]:
        """The workloads that have an arrival."""
        return sorted(self._spans)

    def of(self, code: int) -> Timed:
        """The arrivals of one workload, once all have been added."""
        return Timed(self._spans.get(code, {}), lambda n: self._kept.of(n * _CODES + code))


def edge_after(rising_ns: type_i64, begin: int, stretch_ns: int, origin_ns: int) -> tuple[int, int]:
    """The stretch of the instant at this place, and the first place that is of a later one."""
    number = (int(rising_ns[begin]) - origin_ns) // stretch_ns
    next_ns = origin_ns + (number + 1) * stretch_ns
    if int(rising_ns[-1]) < next_ns:
        return number, len(rising_ns)
    return number, int(np.searchsorted(rising_ns, np.int64(next_ns)))


def _widen(span: list[int], part: Arrivals) -> None:
    """Add a part, which is not empty and in order, to what is known of its stretch."""
    span[_COUNT] += len(part)
    span[_FIRST] = min(span[_FIRST], int(part.intended_ns[0]))
    span[_LAST] = max(span[_LAST], int(part.intended_ns[-1]))
    good = part.good.all()
    for at_ns, first in (
        (part.done_ns if good else part.done_ns[part.good], _GOOD_FIRST),
        (part.bad_at_ns[:0] if good else part.bad_at_ns[~part.good], _BAD_FIRST),
    ):
        if len(at_ns):
            span[first] = min(span[first], int(at_ns.min()))
            span[first + 1] = max(span[first + 1], int(at_ns.max()))


class _Held:
    """Parts in memory."""

    def __init__(self) -> None:
        self._parts: dict[int, list[Arrivals]] = {}

    def put(self, key: int, part: Arrivals) -> None:
        self._parts.setdefault(key, []).append(part)

    def of(self, key: int) -> Arrivals:
        parts = self._parts[key]
        if len(parts) > 1:
            parts[:] = [_in_order(Arrivals.concatenate(parts))]
        return parts[0]


class _SetAside:
    """Parts set aside, and the few that were read last."""

    def __init__(self, aside: Aside) -> None:
        self._aside = aside
        self._lately: dict[int, Arrivals] = {}

    def put(self, key: int, part: Arrivals) -> None:
        rows = np.empty(len(part), ARRIVAL)
        for name in _TIMES:
            rows[name] = getattr(part, name)
        told = np.zeros(len(part), np.uint8)
        for bit, name in enumerate(_TOLD):
            told |= getattr(part, name).view(np.uint8) << np.uint8(bit)
        rows["told"] = told
        self._aside.add(rows, np.full(len(rows), key, dtype=np.int64))

    def of(self, key: int) -> Arrivals:
        if key not in self._lately:
            while len(self._lately) >= _LATELY:
                del self._lately[next(iter(self._lately))]
            self._lately[key] = self._read(key)
        return self._lately[key]

    def _read(self, key: int) -> Arrivals:
        rows = self._aside.of(key)
        intended_ns, done_ns, bad_at_ns = (np.ascontiguousarray(rows[name]) for name in _TIMES)
        told = np.ascontiguousarray(rows["told"])
        canary, answered, good, shed = (
            (told >> np.uint8(bit) & np.uint8(1)).view(np.bool_) for bit in range(len(_TOLD))
        )
        workload = np.full(len(rows), key % _CODES, dtype=np.uint8)
        return _in_order(
            Arrivals(
                workload=workload,
                canary=canary,
                intended_ns=intended_ns,
                done_ns=done_ns,
                answered=answered,
                good=good,
                bad_at_ns=bad_at_ns,
                shed=shed,
            )
        )


class Timed:
    """The arrivals of one workload, in the order of their intended times."""

    def __init__(self, spans: dict[int, list[int]], read: Callable[[int], Arrivals]) -> None:
        self._numbers = sorted(spans)
        self._read = read
        told = np.array([spans[n] for n in self._numbers], dtype=np.int64)
        self._spans: npt.NDArray[np.int64] = told.reshape(-1, len(_NOTHING)).T

    @classmethod
    def of(cls, arrivals: Arrivals, stretch_ns: int = STRETCH_NS) -> Timed:
        """Arrivals that are at hand, taken for those of one workload."""
        times = InTime(stretch_ns)
        times.add_of(0, arrivals)
        return times.of(0)

    def __len__(self) -> int:
        return int(self._spans[_COUNT].sum())

    def parts(self, begin_ns: int = LEAST_NS, end_ns: int = MOST_NS) -> Iterator[Arrivals]:
        """Those intended in [begin, end), a stretch at a time, each in order."""
        first_ns, last_ns = self._spans[_FIRST], self._spans[_LAST]
        for n in np.flatnonzero((last_ns >= begin_ns) & (first_ns < end_ns)).tolist():
            part = self._part(n)
            if first_ns[n] < begin_ns or last_ns[n] >= end_ns:
                edges = np.array([begin_ns, end_ns], dtype=np.int64)
                part = part.between(*np.searchsorted(part.intended_ns, edges).tolist())
            yield part

    def within(self, begin_ns: int, end_ns: int) -> Arrivals:
        """The same, at once: for a stretch that is short."""
        return Arrivals.concatenate([Arrivals.nothing(), *self.parts(begin_ns, end_ns)])

    def count(self, begin_ns: int, end_ns: int) -> int:
        """How many were intended in [begin, end)."""
        first_ns, last_ns = self._spans[_FIRST], self._spans[_LAST]
        whole = (first_ns >= begin_ns) & (last_ns < end_ns)
        cut = ~whole & (last_ns >= begin_ns) & (first_ns < end_ns)
        edges = np.array([begin_ns, end_ns], dtype=np.int64)
        counted = int(self._spans[_COUNT][whole].sum())
        for part in self._read_where(cut):
            first, end = np.searchsorted(part.intended_ns, edges).tolist()
            counted += max(0, end - first)
        return counted

    def served(self, begin_ns: int, end_ns: int) -> type_i64:
        """When those were done that are GOOD and were done in [begin, end), rising."""
        first_ns, last_ns = self._spans[_GOOD_FIRST], self._spans[_GOOD_LAST]
        found = [np.zeros(0, dtype=np.int64)]
        for part in self._read_where((first_ns < end_ns) & (last_ns >= begin_ns)):
            done_ns = part.done_ns
            found.append(done_ns[part.good & (done_ns >= begin_ns) & (done_ns < end_ns)])
        return np.sort(np.concatenate(found))

    def served_after(self, at_ns: int) -> int | None:
        """The earliest GOOD completion after that instant."""
        first_ns, last_ns = self._spans[_GOOD_FIRST], self._spans[_GOOD_LAST]
        found = first_ns[(first_ns > at_ns) & (last_ns >= first_ns)].tolist()
        for part in self._read_where((first_ns <= at_ns) & (last_ns > at_ns)):
            found.append(int(part.done_ns[part.good & (part.done_ns > at_ns)].min()))
        return min(found, default=None)

    def served_before(self, at_ns: int) -> int | None:
        """The latest GOOD completion before that instant."""
        first_ns, last_ns = self._spans[_GOOD_FIRST], self._spans[_GOOD_LAST]
        found = last_ns[(last_ns < at_ns) & (last_ns >= first_ns)].tolist()
        for part in self._read_where((first_ns < at_ns) & (last_ns >= at_ns)):
            found.append(int(part.done_ns[part.good & (part.done_ns < at_ns)].max()))
        return max(found, default=None)

    def bad_before(self, at_ns: int) -> int | None:
        """The latest proof before that instant that the platform was bad."""
        first_ns, last_ns = self._spans[_BAD_FIRST], self._spans[_BAD_LAST]
        found = last_ns[(last_ns < at_ns) & (last_ns >= first_ns)].tolist()
        for part in self._read_where((first_ns < at_ns) & (last_ns >= at_ns)):
            found.append(int(part.bad_at_ns[~part.good & (part.bad_at_ns < at_ns)].max()))
        return max(found, default=None)

    def bad_at(self, at_ns: int) -> Iterator[Arrivals]:
        """Those that proved the platform bad at that very instant."""
        first_ns, last_ns = self._spans[_BAD_FIRST], self._spans[_BAD_LAST]
        for part in self._read_where((first_ns <= at_ns) & (last_ns >= at_ns)):
            yield part.where(~part.good & (part.bad_at_ns == at_ns))

    def last_served_by(self, at_ns: int, begin_ns: int, end_ns: int) -> int | None:
        """When the last of [begin, end) was intended that is GOOD and was done by that instant."""
        first_ns, last_ns = self._spans[_FIRST], self._spans[_LAST]
        inside = (first_ns < end_ns) & (last_ns >= begin_ns)
        for n in np.flatnonzero(inside & (self._spans[_GOOD_FIRST] <= at_ns))[::-1].tolist():
            part = self._part(n)
            fits = part.good & (part.done_ns <= at_ns)
            fits &= (part.intended_ns >= begin_ns) & (part.intended_ns < end_ns)
            if fits.any():
                return int(part.intended_ns[fits][-1])
        return None

    def _read_where(self, mask: type_bool) -> Iterator[Arrivals]:
        return (self._part(n) for n in np.flatnonzero(mask).tolist())

    def _part(self, n: int) -> Arrivals:
        return self._read(self._numbers[n])


def _in_order(arrivals: Arrivals) -> Arrivals:
    if is_rising(arrivals.intended_ns):
        return arrivals
    return arrivals.at(np.argsort(arrivals.intended_ns, kind="stable"))
