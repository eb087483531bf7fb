"""Hands: the greenlets that serve arrivals. Each is kept, for making one costs more than a call.

An arrival takes a hand that is free, or a new one: it never waits for another arrival.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

import gevent
import gevent.event

type_job = TypeVar("type_job")


class Hands(Generic[type_job]):
    """`serve(job)` in a greenlet of its own, as far as anybody can tell."""

    def __init__(self, serve: Callable[[type_job], None]) -> None:
        self._serve = serve
        self._hub = gevent.get_hub()
        self._free: list[Any] = []
        self._busy: set[Any] = set()
        self._idle = gevent.event.Event()

    def __len__(self) -> int:
        """How many are at work."""
        return len(self._busy)

    def give(self, job: type_job) -> None:
        """Begin it as soon as the caller waits; jobs begin in the order in which they are given."""
        if self._free:
            hand = self._free.pop()
            self._hub.loop.run_callback(hand.switch, [job])
        else:
            hand = gevent.spawn(self._work, [job])
        self._busy.add(hand)

    def finish(self, within_s: float) -> int:
        """Let what is at work end, or cut it off: how many were. No hand is left after it."""
        with gevent.Timeout(within_s, False):
            while self._busy:
                self._idle.clear()
                self._idle.wait()
        left = list(self._busy)
        gevent.killall(left + self._free, block=True)
        self._busy.clear()
        self._free.clear()
        return len(left)

    def _work(self, given: list[type_job]) -> None:
        me = gevent.getcurrent()
        while True:
            try:
                self._serve(given[0])
            finally:
                self._busy.discard(me)
                if not self._busy:
                    self._idle.set()
            self._free.append(me)
            given = self._hub.switch()
