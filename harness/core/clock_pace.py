"""Does a clock keep the pace that its bound (clock_bounds.py) takes for granted?

NTP corrects a monotonic clock's pace. The usual correction stays within what the bound allows; a
daemon that slews a large error away may go a hundred times faster, and behind slow looks nothing
of it is seen. Beside the monotonic clock there is a raw one, which nobody corrects.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.core.clock_bounds import MAX_DRIFT_PPM

_CRYSTAL_PPM = 100  # off its nominal pace, uncorrected
SLEWED_MAX_PPM = MAX_DRIFT_PPM // 2 - _CRYSTAL_PPM  # of each of the two clocks


@dataclass(frozen=True, slots=True)
class Pace:
    """The monotonic and the raw clock of one machine, read at nearly the same instant."""

    at_ns: int
    raw_ns: int
    within_ns: int  # between the readings lay no more than this


def slewed_ppm(before: Pace, now: Pace) -> int:
    """How fast it was corrected in between, at least; 0 where that is within the bound.

    >>> S, begin = 10**9, Pace(0, 7, 100)
    >>> slewed_ppm(begin, Pace(S, S - 300_000, 100))  # 300 ppm: every day
    0
    >>> slewed_ppm(begin, Pace(S, S - 5_000_000, 100))
    4999
    >>> slewed_ppm(begin, Pace(S, S - 5_000_000, 4_900_000))  # we stood still between two readings
    0
    """
    length_ns = now.at_ns - before.at_ns
    apart_ns = abs(length_ns - (now.raw_ns - before.raw_ns)) - before.within_ns - now.within_ns
    if apart_ns * 1_000_000 <= max(0, length_ns) * SLEWED_MAX_PPM:
        return 0
    return apart_ns * 1_000_000 // max(1, abs(length_ns))
