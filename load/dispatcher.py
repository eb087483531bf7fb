"""The dispatcher: one per worker process, a greenlet for each arrival, on an absolute schedule.

It waits for no answer. When it is late it sends at once and keeps the intended time, so that
lateness is seen as lag and never as a lower rate.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import gevent
import numpy as np
import numpy.typing as npt

from harness.core.operation import Flag, Kind, Workload
from harness.core.schedule import arrivals_ns, canary_ns
from harness.ledger.writer import LedgerFailed, LedgerFull
from load.desk import Arrival, ChainEnded, Desk
from load.hands import Hands
from load.lag import LagHistogram
from load.plan import LoadPlan
from load.recorder import What

_DUE = np.dtype([("due_ns", "<i8"), ("number", "<u4"), ("workload", "u1"), ("canary", "?")])
MAX_IN_FLIGHT = 4000
_BATCH = 16  # arrivals that are late, before what was started gets its turn
_ROWS = 256

type_chain = Callable[[Arrival], None]
type_due = npt.NDArray[np.void]


def schedule_of(plan: LoadPlan, worker: int) -> type_due:
    """What this worker has to send, in the order of its due times since the load's beginning."""
    parts: list[type_due] = []
    for entry in plan.workloads:
        code = entry.workload.code
        due = arrivals_ns(
            rate_per_s=entry.rate_per_s * plan.peak,
            shape=plan.shape,
            until_s=plan.max_s,
            seed=plan.seed,
            workload_code=code,
        )
        grid = canary_ns(rate_per_s=entry.canary_per_s, until_s=plan.max_s, workload_code=code)
        parts += [_mine(due, code, plan, worker), _mine(grid, code, plan, worker, canary=True)]
    return np.sort(np.concatenate(parts), order="due_ns", kind="stable")


def _mine(
    due: npt.NDArray[np.int64], code: int, plan: LoadPlan, worker: int, *, canary: bool = False
) -> type_due:
    numbers = np.arange(worker, len(due), plan.workers)
    mine = np.zeros(len(numbers), dtype=_DUE)
    mine["due_ns"], mine["number"] = due[numbers], numbers
    mine["workload"], mine["canary"] = code, canary
    return mine


@dataclass(slots=True)
class Counts:
    """What was done with the schedule."""

    arrivals: int = 0
    canaries: int = 0
    dropped: int = 0


class Dispatcher:
    """Follows the schedule until it ends, or until `stop`."""

    def __init__(
        self,
        desk: Desk,
        schedule: type_due,
        chains: dict[tuple[Workload, bool], type_chain],
        lag: LagHistogram,
    ) -> None:
        self._desk, self._schedule = desk, schedule
        self._chains = {(w.code, canary): (w, chain) for (w, canary), chain in chains.items()}
        self._lag = lag
        self._begin_ns = desk.plan.begin_ns
        self._loop = gevent.get_hub().loop
        self._asleep: Any = None  # our greenlet, while it waits for an arrival to be due
        self.stopped_ns: int | None = None
        self.hands = Hands(self._trade)
        self.counts = Counts()
        self.troubles: list[str] = []  # ours, not the platform's: the run is unfit

    def stop(self) -> None:
        """No arrival that is due after this instant is sent."""
        if self.stopped_ns is None:
            self.stopped_ns = time.monotonic_ns()
            self._loop.run_callback(self._wake)

    def run(self) -> None:
        in_a_row = 0
        for due_ns, number, code, canary in self._in_order():
            intended_ns = self._begin_ns + due_ns
            if intended_ns > time.monotonic_ns():
                self._sleep_until(intended_ns)
                in_a_row = 0
            elif (in_a_row := in_a_row + 1) >= _BATCH:
                gevent.sleep(0)  # late: still let those that were started send
                in_a_row = 0
            if self.stopped_ns is not None and intended_ns > self.stopped_ns:
                return
            self._start(code, number, intended_ns, canary)
        self._sleep_until(self._begin_ns + round(self._desk.plan.max_s * 1e9))
        self.stop()

    def finish(self, within_s: float) -> int:
        """Let what is in flight end, or cut it off; returns how many were cut off."""
        return self.hands.finish(within_s)

    def _in_order(self) -> Iterator[tuple[int, int, int, bool]]:
        """A few at a time: a long schedule as Python's objects costs memory and pauses."""
        for at in range(0, len(self._schedule), _ROWS):
            yield from self._schedule[at : at + _ROWS].tolist()

    def _sleep_until(self, instant_ns: int) -> None:
        """Until then, or until `stop`. Whoever was started before begins meanwhile."""
        while self.stopped_ns is None and (left_ns := instant_ns - time.monotonic_ns()) > 0:
            timer = self._loop.timer(left_ns / 1e9)
            timer.start(self._wake, update=True)
            self._asleep = gevent.getcurrent()
            try:
                gevent.get_hub().switch()
            finally:
                self._asleep = None
                timer.close()

    def _wake(self) -> None:
        if self._asleep is not None:
            self._asleep.switch()

    def _start(self, code: int, number: int, intended_ns: int, canary: bool) -> None:
        workload, chain = self._chains[code, canary]
        if canary:
            self.counts.canaries += 1
        else:
            self.counts.arrivals += 1
        if len(self.hands) >= MAX_IN_FLIGHT:
            self.counts.dropped += 1
            flags = Flag.CANARY if canary else Flag.NONE
            what = What(Kind.CREATE, flags=flags)
            self._desk.recorder.shed(workload, what, intended_ns=intended_ns)
            return
        arrival = Arrival(
            self._desk, workload, number=number, intended_ns=intended_ns, canary=canary
        )
        self.hands.give((chain, arrival))

    def _trade(self, job: tuple[type_chain, Arrival]) -> None:
        chain, arrival = job
        self._lag.add(time.monotonic_ns() - arrival.intended_ns)
        try:
            chain(arrival)
        except ChainEnded:
            pass
        except (LedgerFull, LedgerFailed) as error:
            self._note(error)
            self.stop()  # what cannot be recorded is not sent
        except Exception as error:  # noqa: BLE001  a bug of ours must be seen, not swallowed
            self._note(error)

    def _note(self, error: Exception) -> None:
        if len(self.troubles) < 20:
            self.troubles.append(f"{type(error).__name__}: {error}")
