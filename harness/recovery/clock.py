"""An instant of the databases' clock, brought to the run's own."""

from __future__ import annotations

import time
from datetime import datetime

from harness.platforms.capabilities import Instant

WITHIN_NS = 1_000_000  # both clocks are read now, one after the other, and may have drifted since


def instant_of(utc: str) -> Instant | None:
    """Of an ISO 8601 time with its offset, on one host; None where there is none."""
    if not utc:
        return None
    monotonic_ns, wall_ns = time.monotonic_ns(), time.time_ns()
    then = datetime.fromisoformat(utc)
    then_ns = int(then.timestamp()) * 1_000_000_000 + then.microsecond * 1_000
    at_ns = monotonic_ns - (wall_ns - then_ns)
    return Instant(at_ns - WITHIN_NS, at_ns + WITHIN_NS)
