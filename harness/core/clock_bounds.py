"""How another machine's monotonic clock stands on the run's: an interval, never a number.

The harness asks, and notes when it sent (a) and when it had the answer (b); in between, the
worker looked at its own clock (w). So the run's clock minus the worker's lay in [a - w, b - w]
when that one said w. Between two looks it moves by at most MAX_DRIFT: two crystals, each of which
is slewed by no more than clock_pace.py allows. Whatever lies in all of these intervals is possible;
where nothing does, a clock stepped.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from harness.core.operations import type_i64

DRIFT_DIVISOR = 1000  # at most 1 ns in 1000 ns: 1,000 ppm
MAX_DRIFT_PPM = 1_000_000 // DRIFT_DIVISOR
_ROUNDING_NS = 2


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """A worker's clock was asked for."""

    worker: int
    sent_ns: int  # on the run's clock
    told_ns: int  # on the worker's
    received_ns: int  # on the run's clock


@dataclass(frozen=True, slots=True)
class WorkerClock:
    """Bounds of (the run's clock - the worker's) at instants of the worker's clock, rising."""

    worker: int
    at_ns: type_i64
    low_ns: type_i64
    high_ns: type_i64

    @property
    def stepped_ns(self) -> int | None:
        """Where on its own clock no difference is possible any more; None: it ran evenly."""
        wrong = np.flatnonzero(self.low_ns > self.high_ns)
        return int(self.at_ns[wrong[0]]) if len(wrong) else None

    def to_run_ns(self, told_ns: type_i64) -> type_i64:
        """Instants of the worker's clock on the run's, each off by at most `error_ns`.

        It rises with the worker's clock, so nothing of one worker changes places.
        """
        middle = (self.low_ns + self.high_ns) // 2
        about = int(middle[0])  # a float holds small differences to the nanosecond
        moved = np.interp(told_ns - self.at_ns[0], self.at_ns - self.at_ns[0], middle - about)
        here_ns: type_i64 = told_ns + (about + np.rint(moved).astype(np.int64))
        return here_ns

    def from_run_ns(self, here_ns: int) -> int:
        """An instant of the run's clock on the worker's, by what was seen last."""
        return here_ns - int(self.low_ns[-1] + self.high_ns[-1]) // 2

    def error_ns(self, first_ns: int, last_ns: int) -> int:
        """How far `to_run_ns` may be off, at most, between two instants of the worker's clock."""
        half = -(-(self.high_ns - self.low_ns) // 2) + _ROUNDING_NS
        worst = max(
            int(half[0]) + drift_ns(max(0, int(self.at_ns[0]) - first_ns)),
            int(half[-1]) + drift_ns(max(0, last_ns - int(self.at_ns[-1]))),
        )
        # between two looks the middle is interpolated, and the truth leaves it by half the drift
        gaps = np.diff(self.at_ns)
        inside = (self.at_ns[1:] >= first_ns) & (self.at_ns[:-1] <= last_ns)
        between = np.maximum(half[1:], half[:-1]) + gaps // (2 * DRIFT_DIVISOR) + 1
        return int(between[inside].max(initial=worst))


def drift_ns(length_ns: int) -> int:
    """How far two clocks may part within a time.

    >>> drift_ns(1_000_000_000)  # a millisecond a second
    1000000
    """
    return -(-length_ns // DRIFT_DIVISOR)


def clock_of(worker: int, trips: Iterable[RoundTrip]) -> WorkerClock | None:
    """What all round trips of a worker allow together; None where there is none.

    A worker whose clock is 5 ms ahead of the run's, asked at 10 and at 1010 ms:

    >>> S, MS = 10**9, 10**6
    >>> first = RoundTrip(0, 10 * MS, 16 * MS, 12 * MS)   # 2 ms there and back
    >>> second = RoundTrip(0, 1010 * MS, 1025 * MS, 1110 * MS)  # 100 ms
    >>> clock = clock_of(0, [first, second])
    >>> [round(ns / MS) for ns in (*clock.low_ns, *clock.high_ns)]  # the quick one bounds the slow
    [-6, -7, -4, -3]
    """
    mine = sorted((t for t in trips if t.worker == worker), key=lambda t: t.told_ns)
    if not mine:
        return None
    told, sent, received = (
        np.array(column, dtype=np.int64)
        for column in zip(*((t.told_ns, t.sent_ns, t.received_ns) for t in mine), strict=True)
    )
    return WorkerClock(worker, told, _highest(told, sent - told), -_highest(told, told - received))


def _highest(at: type_i64, low: type_i64) -> type_i64:
    """The highest lower bound at each instant that any of them gives, drift allowed for."""
    age = at - at[0]
    # rounded so that a bound is never tighter than it was measured
    forward = np.maximum.accumulate(low + age // DRIFT_DIVISOR) - age // DRIFT_DIVISOR - 1
    left = age[-1] - age
    backward = low[::-1] + left[::-1] // DRIFT_DIVISOR
    backward = np.maximum.accumulate(backward)[::-1] - left // DRIFT_DIVISOR - 1
    highest: type_i64 = np.maximum(forward, backward)
    return highest
