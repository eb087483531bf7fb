"""The watch of the platform's own alerts: a mark for each that begins to fire, from outside.

The first poll comes before the fault: what fires by then was there before it. A poll that fails
widens the interval of whatever is found next; it is never taken for silence.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Protocol

from harness.core.alerting import ALERT_NOTE, AlertWatch
from harness.core.timeline import Mark, MarkName
from harness.errors import PeakdrillError
from harness.evidence import canonical, events, layout
from harness.evidence.rundir import RunDirectory

_EVERY_S = 1.0
_NAMED_MAX = 200
_JOIN_S = 10.0


class Firing(Protocol):
    @property
    def name(self) -> str: ...


class Source(Protocol):
    """Raises PeakdrillError when the alerts cannot be read."""

    def firing(self) -> tuple[Firing, ...]: ...


class Watcher:
    """The polls of one run. Used by one thread at a time."""

    def __init__(self, source: Source, run: RunDirectory) -> None:
        self._source, self._run = source, run
        self._polls = self._answered = self._unanswered_ns = 0
        self._begun_ns = self._last_ns = self._ended_ns = time.monotonic_ns()
        self._first_answer_ns: int | None = None
        self._before: tuple[str, ...] = ()
        self._known: set[object] = set()
        self._trouble = ""

    def poll(self, over: threading.Event) -> None:
        """One poll, and a mark for each alert that was not firing at the one before."""
        self._polls += 1
        sent_ns = time.monotonic_ns()
        try:
            firing = {_identity(alert): alert.name for alert in self._source.firing()}
        except (PeakdrillError, OSError) as error:
            self._trouble = error.what if isinstance(error, PeakdrillError) else str(error)
            self._ended_ns = time.monotonic_ns()
            return
        got_ns = self._ended_ns = time.monotonic_ns()
        if over.is_set():  # it hung while the drill went on: by now the marks may be sealed
            return
        self._answered += 1
        if self._first_answer_ns is None:
            self._first_answer_ns = got_ns
            self._before = tuple(sorted(set(firing.values())))[:_NAMED_MAX]
        else:
            self._unanswered_ns = max(self._unanswered_ns, got_ns - self._last_ns)
            new = dict.fromkeys(name for key, name in firing.items() if key not in self._known)
            for name in new:
                note = f"{ALERT_NOTE}{name}"
                events.append(
                    self._run / layout.EVENTS, Mark(MarkName.DETECTED, self._last_ns, got_ns, note)
                )
        self._known |= set(firing)
        self._last_ns = sent_ns  # what an answer shows, it shows of a moment after its question

    def told(self) -> AlertWatch:
        """How the watch went until now."""
        return AlertWatch(
            polls=self._polls,
            answered=self._answered,
            begun_ns=self._begun_ns,
            ended_ns=self._ended_ns,
            first_answer_ns=self._first_answer_ns,
            before=self._before,
            trouble=self._trouble,
            unanswered_ns=max(self._unanswered_ns, self._ended_ns - self._last_ns),
        )


@contextmanager
def watching(source: Source | None, run: RunDirectory) -> Iterator[None]:
    """While within: ask once a second in a thread of its own; how it went is evidence."""
    if source is None:
        yield
        return
    watcher, over = Watcher(source, run), threading.Event()
    watcher.poll(over)
    thread = threading.Thread(target=_watch, args=(watcher, over), daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(_JOIN_S)
        with suppress(OSError):  # without a word the watch counts as one that was not kept
            (run / layout.ALERTS).write_bytes(canonical.dumps(watcher.told()))


def _watch(watcher: Watcher, over: threading.Event) -> None:
    while not over.wait(_EVERY_S):
        watcher.poll(over)


def _identity(alert: Firing) -> object:
    """Its labels; a source without labels has one alert of a name."""
    return getattr(alert, "labels", None) or alert.name
