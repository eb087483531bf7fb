"""When a reference alert would have fired: what a team with the usual rule would have known."""

from __future__ import annotations

import numpy as np

from harness.core.arrivals import Arrivals
from harness.core.windows import BIN_NS, rising

_BAD_PER_MILLE = 144
_LONG_NS, _SHORT_NS = 60 * BIN_NS, 5 * BIN_NS


def burn_rate_alert_ns(arrivals: Arrivals, begin_ns: int, until_ns: int) -> int | None:
    """The first whole second after `begin_ns` with 14.4% bad over both 60 s and 5 s, or None.

    14.4 times the budget of a 99% objective, over a long and a short window. Source: The Site
    Reliability Workbook, chapter 5; its windows of 1 h and 5 min are shortened 60-fold. Looked at
    once a second; an answer counts from the moment it was there.
    """
    at_ns = np.arange(begin_ns, until_ns, BIN_NS, dtype=np.int64)
    there = arrivals.done_ns > 0
    good_ns = rising(arrivals.done_ns[there & arrivals.good])
    bad_ns = rising(arrivals.done_ns[there & ~arrivals.good])
    fires = np.full(len(at_ns), True)
    for window_ns in (_LONG_NS, _SHORT_NS):
        good, bad = (
            np.searchsorted(column, at_ns) - np.searchsorted(column, at_ns - window_ns)
            for column in (good_ns, bad_ns)
        )
        fires &= bad * 1000 >= np.maximum(bad + good, 1) * _BAD_PER_MILLE
    return int(at_ns[fires][0]) if fires.any() else None
