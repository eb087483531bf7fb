"""A lease in a pod: while the harness goes on asking, somebody wants this load.

A pod has no pipe to the harness, and a connection that has gone is seen late or never. So the
harness's questions, a few a second, renew a file; when they stop, so does the load.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from load.hangup import HangUp

LEASE_FILE = "PEAKDRILL_LEASE"  # names the file; without it, the harness's pipe decides
READY_FILE = "PEAKDRILL_READY"  # ... the one by which a pod says that only its plan is missing
READY_PIPE = "PEAKDRILL_READY_PIPE"  # ... the descriptor by which a worker beside the harness does
LEASE_S = 15.0


class Lease:
    """Ends when it was not renewed in time, or when the end was asked for."""

    def __init__(self, file: Path, *, within_s: float = LEASE_S, stop: str = "stop") -> None:
        """`stop`: the file beside it by which the end is asked for."""
        self._file, self._within_s = file, within_s
        self._stop = file.with_name(stop)
        self._renewed, self._since_s = 0, time.monotonic()

    def seen(self) -> bool:
        """Whether this load is to end. A renewal is known by its stamp, its age by our clock."""
        if self._stop.exists():
            return True
        try:
            renewed = self._file.stat().st_mtime_ns
        except OSError:
            renewed = self._renewed
        now_s = time.monotonic()
        if renewed != self._renewed:
            self._renewed, self._since_s = renewed, now_s
        return now_s - self._since_s > self._within_s


def hang_up() -> HangUp | Lease:
    """What tells this process that nobody wants its load any more."""
    file = os.environ.get(LEASE_FILE)
    return Lease(Path(file)) if file else HangUp()
