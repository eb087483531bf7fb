"""A renderer of progress that tells everybody on the machine: it keeps `live/<run_id>.json` fresh.

The drill's own thread only leaves word; the file is written by a thread of its own, at most
twice a second, so that neither a slow disk nor a drill that hangs keeps the page in the dark.
A file that cannot be written costs the page, never the drill.
"""

from __future__ import annotations

import datetime as dt
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from harness.core.guard import gauges
from harness.core.plan import Plan
from harness.core.timeline import Mark, MarkName
from harness.errors import PeakdrillError
from harness.evidence import events, layout
from harness.platforms.embedded.process import identify
from harness.progress import LiveView, Progress, WorkloadRate
from harness.watching.live_state import (
    SCHEMA,
    LiveMark,
    LiveRate,
    LiveSaid,
    LiveState,
    forget_old,
    live_folder,
    read_asked,
    write_live,
)

_EVERY_S = 0.5
_ALIVE_NS = 2 * 10**9  # told again by then, also when nothing is new: a sign of life
_LINES = 60
_TEXT_MAX = 400

Clock = Callable[[], int]


class Telling:
    """`Progress`, told on to another renderer and to a file. Safe among threads."""

    def __init__(
        self, inner: Progress, plan: Plan, run: Path, *, folder: Path, clock: Clock
    ) -> None:
        self._inner, self._plan, self._run = inner, plan, run
        self._folder, self._clock = folder, clock
        self._lock = threading.Lock()  # held for moments: the drill waits for it
        self._writing = threading.Lock()  # held while the disk is slow: the drill never does
        self._said: deque[LiveSaid] = deque(maxlen=_LINES)
        self._unwell_until: dict[str, float] = {}
        self._written: LiveState | None = None
        self._state = _first_state(plan, run, clock())

    def phase(self, name: str, limit_s: float | None = None) -> None:
        self._inner.phase(name, limit_s)
        with self._lock:
            self._state = replace(
                self._state, phase=name, phase_begun_ns=self._clock(), phase_limit_s=limit_s
            )

    def tick(self, view: LiveView) -> None:
        self._inner.tick(view)
        with self._lock:
            self._state = replace(
                self._state,
                load_s=view.load_s,
                since_fault_s=view.since_fault_s,
                rates=tuple(self._rate(rate, view.since_fault_s) for rate in view.rates),
                rates_ns=self._clock(),
                harm=view.seen.harm if view.seen else None,
                rails=gauges(self._plan.guards, view.seen, self._plan.targets.currency)
                if view.seen
                else (),
            )

    def say(self, text: str) -> None:
        self._inner.say(text)
        with self._lock:
            at_s = (self._clock() - self._state.begun_ns) / 1e9
            self._said.append(LiveSaid(at_s, text[:_TEXT_MAX]))

    def close(self) -> None:
        self._inner.close()

    def end(self, verdict: str, reason: str) -> None:
        """How it ended; from here on nobody waits for more."""
        with self._lock:
            self._state = replace(
                self._state, verdict=verdict, reason=reason[:_TEXT_MAX], ended_utc=_utc()
            )

    def flush(self) -> bool:
        """Write what is new. True when something was written."""
        with self._writing:
            marks, before = self._marks(), self._written
            with self._lock:
                state = replace(self._state, said=tuple(self._said), marks=marks)
            now_ns = self._clock()
            fresh = before is not None and now_ns - before.told_ns < _ALIVE_NS
            if fresh and before and state == replace(before, number=0, told_ns=0):
                return False
            number = before.number + 1 if before else 1
            state = replace(state, number=number, told_ns=now_ns)
            with suppress(OSError):
                write_live(self._folder, state)
                self._written = state
                return True
        return False

    def _rate(self, rate: WorkloadRate, since_fault_s: float | None) -> LiveRate:
        name = rate.workload.value
        if since_fault_s is not None and not rate.well:
            self._unwell_until[name] = since_fault_s
        return LiveRate(
            workload=name,
            offered_per_s=rate.offered_per_s,
            good_per_s=rate.good_per_s,
            rto_target_s=rate.rto_target_s,
            well=rate.well,
            unwell_until_s=self._unwell_until.get(name),
        )

    def _marks(self) -> tuple[LiveMark, ...]:
        try:
            marks = events.read(self._run / layout.EVENTS).timeline.marks
        except PeakdrillError:
            return self._written.marks if self._written else ()
        begun_ns = self._state.begun_ns
        return tuple(_mark(m, begun_ns) for m in marks if m.name is not MarkName.STEP)


def _mark(mark: Mark, origin_ns: int) -> LiveMark:
    return LiveMark(mark.name.value, (mark.latest_ns - origin_ns) / 1e9, mark.note[:_TEXT_MAX])


def _first_state(plan: Plan, run: Path, now_ns: int) -> LiveState:
    me = identify(os.getpid())
    assert me is not None, "a running process has a pid"
    return LiveState(
        schema=SCHEMA,
        run_id=plan.run_id,
        scenario=plan.scenario.name,
        platform=plan.platform.name,
        heading=plan.platform.heading,
        size=plan.size.value,
        peak=plan.peak,
        release=plan.release,
        season=plan.targets.season,
        currency=plan.targets.currency,
        directory=str(run),
        process=me,
        begun_utc=_utc(),
        begun_ns=now_ns,
    )


def _utc() -> str:
    return f"{dt.datetime.now(dt.UTC):%Y-%m-%dT%H:%M:%SZ}"


@contextmanager
def telling(inner: Progress, plan: Plan, run: Path, *, clock: Clock) -> Iterator[Telling]:
    """While within, the file is kept fresh; afterwards it says that the run has ended."""
    folder = live_folder()
    told = Telling(inner, plan, run, folder=folder, clock=clock)
    with suppress(OSError):
        forget_old(folder)
    told.flush()
    over = threading.Event()
    writer = threading.Thread(target=_keep_fresh, args=(told, over), daemon=True)
    writer.start()
    try:
        yield told
    except BaseException as error:
        told.end("unjudged", f"{type(error).__name__}: it ended without a verdict")
        raise
    finally:
        over.set()
        writer.join(10)
        told.flush()


def reason_asked(run_id: str) -> Callable[[], str]:
    """For `interrupts.asked_by`: what the red button left for this run."""
    folder = live_folder()
    return lambda: read_asked(folder, run_id)


def _keep_fresh(told: Telling, over: threading.Event) -> None:
    while not over.wait(_EVERY_S):
        told.flush()
