"""When a reference alert would have fired: what a team with the usual rule would have known."""

from __future__ import annotations

import numpy as np

from harness.core.arrivals import Arrivals
from harness.core.in_time import Timed
from harness.core.windows import BIN_NS, count_up, rising

_BAD_PER_MILLE = 144
_LONG_NS, _SHORT_NS = 60 * BIN_NS, 5 * BIN_NS


def burn_rate_alert_ns(arrivals: Timed | Arrivals, begin_ns: int, until_ns: int) -> int | None:
    """The first whole second after `begin_ns` with 14.4% bad over both 60 s and 5 s, or None.

    14.4 times the budget of a 99% objective, over a long and a short window. Source: The Site
    Reliability Workbook, chapter 5; its windows of 1 h and 5 min are shortened 60-fold. Looked at
    once a second; an answer counts from the moment it was there.
    """
    timed = Timed.of(arrivals) if isinstance(arrivals, Arrivals) else arrivals
    at_ns = np.arange(begin_ns, until_ns, BIN_NS, dtype=np.int64)
    since_ns, before = begin_ns - _LONG_NS, _LONG_NS // BIN_NS
    good, bad = (np.zeros(before + len(at_ns), dtype=np.int64) for _ in range(2))
    for part in timed.parts():
        done_ns = part.done_ns
        there = (done_ns > 0) & (done_ns >= since_ns) & (done_ns < since_ns + len(good) * BIN_NS)
        for bins, mask in ((good, there & part.good), (bad, there & ~part.good)):
            count_up(bins, since_ns, rising(done_ns[mask]))
    sums = [np.concatenate([[0], np.cumsum(bins)]) for bins in (good, bad)]
    fires = np.full(len(at_ns), True)
    for window_ns in (_LONG_NS, _SHORT_NS):
        good, bad = (
            s[before : before + len(at_ns)] - s[before - window_ns // BIN_NS :][: len(at_ns)]
            for s in sums
        )
        fires &= bad * 1000 >= np.maximum(bad + good, 1) * _BAD_PER_MILLE
    return int(at_ns[fires][0]) if fires.any() else None
