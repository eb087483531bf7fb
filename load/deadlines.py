"""Time-outs of calls without a timer each: those of one length end in the order of their beginning.

A call that ends in time only lets go of its limit; one timer looks at the oldest that is left. What
a caller sees is a gevent.Timeout's: an exception at the instant, in its own greenlet, once, and
after whatever arrived by then was handed out.
"""

from __future__ import annotations

import time
from collections import deque
from typing import Any

import gevent

_AFTER_ARRIVALS = -1  # the priority of gevent's own time-outs


class Expired(BaseException):
    """The time of a call is up. Like gevent.Timeout it is no Exception: nobody swallows it."""

    def __init__(self, limit: Limit) -> None:
        super().__init__()
        self.limit = limit


class Limit:
    """The time that one call has. Whoever began it closes it."""

    __slots__ = ("caller", "until_s")

    def __init__(self, caller: Any, until_s: float) -> None:
        self.caller, self.until_s = caller, until_s

    def close(self) -> None:
        self.caller = None


class Deadlines:
    """All limits of one length."""

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self._open: deque[Limit] = deque()
        self._timer: Any = None

    def begin(self) -> Limit:
        """From now on, for the greenlet that calls this."""
        limit = Limit(gevent.getcurrent(), time.monotonic() + self._limit_s)
        waiting = self._open
        while waiting and waiting[0].caller is None:
            waiting.popleft()
        waiting.append(limit)
        if self._timer is None:
            self._wake_in(self._limit_s)
        return limit

    def close(self) -> None:
        """No limit is watched any more."""
        self._open.clear()
        if self._timer is not None:
            self._timer.close()
            self._timer = None

    def _wake_in(self, wait_s: float) -> None:
        self._timer = gevent.get_hub().loop.timer(max(0.0, wait_s), priority=_AFTER_ARRIVALS)
        self._timer.start(self._look, update=True)

    def _look(self) -> None:
        """Runs in the hub: end what is overdue, then sleep until the next can be."""
        self._timer.close()
        while self._open:
            oldest = self._open[0]
            if oldest.caller is not None:
                left_s = oldest.until_s - time.monotonic()
                if left_s > 0:
                    self._wake_in(left_s)
                    return
                caller, oldest.caller = oldest.caller, None
                self._open.popleft()
                caller.throw(Expired(oldest))  # back here when it waits for something else
            else:
                self._open.popleft()
        self._timer = None
