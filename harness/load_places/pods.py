"""The load in pods: Locust's own distributed mode, with a ledger and a clock in each worker.

The harness speaks to the cluster's API alone. Locust's master starts the workers and carries no
number of ours; every worker follows the absolute schedule from its own reading of the same zero.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from harness.core.clock_bounds import clock_of
from harness.core.load_places import WorkerPlace, elsewhere_of
from harness.core.operations import Operations
from harness.core.plan import Plan
from harness.errors import NotReady, PlatformError
from harness.evidence.rundir import RunDirectory
from harness.evidence.workers import write_places
from harness.load_places.beside import Beside
from harness.load_places.goodbyes import troubles_of
from harness.load_places.keeper import TICK_S, Keeper
from harness.load_places.orders import CATALOGUE, GO, PLAN, Passwords, order_for, password_files
from harness.platforms.load_pods import LoadPod, LoadPods, Role

_READY_S = 180.0  # an image may have to be fetched
_SPARE_S = 600.0  # beyond the schedule: bringing up, preparing, collecting
_DRAIN_S = 25.0
_COLLECT_S = 90.0
_LIVE_TRIPS = 60  # of the last minute: enough for looking on


@dataclass
class PodWorkers:
    """The load while it trades."""

    plan: Plan
    run: RunDirectory
    master: Keeper
    workers: tuple[Keeper, ...]
    places: tuple[WorkerPlace, ...]
    begun_ns: int

    def why_ended(self) -> str:
        """The load as a whole: without its master it ends, and without any worker it is none."""
        if why := self.master.lost or self.master.ended_early:
            return why
        whys = [keeper.lost or keeper.ended_early for keeper in self.workers]
        return whys[0] if all(whys) else ""

    def on_run_clock(self, operations: Operations) -> Operations:
        if not len(operations):
            return operations
        worker = int(operations.worker[0])
        trips = self.workers[worker].trips[-_LIVE_TRIPS:]
        there = elsewhere_of([self.places[worker]], trips, begun_ns=self.begun_ns)
        return there[worker].on_run_clock(operations)

    def stop(self) -> tuple[str, ...]:
        everybody = (*self.workers, self.master)
        for keeper in everybody:
            keeper.ask_to_stop()
        for keeper in everybody:
            keeper.wait(2 * self.plan.limits.server_timeout_s + _DRAIN_S + _COLLECT_S)
        silent = troubles_of(self.run.path, self.plan.workers)
        told = [k.lost or k.ended_early or k.off_pace for k in self.workers]
        numbers = {k for k, why in enumerate(told) if why}
        rest = (why for why in silent if _worker_in(why) not in numbers)
        return (*(why for why in told if why), *rest)


def _worker_in(trouble: str) -> int:
    """`worker 1 said no goodbye` is about worker 1."""
    return int(trouble.removeprefix("worker ").split(" ")[0].rstrip(":"))


@dataclass
class Pods(AbstractContextManager["Pods"]):
    """A master and the workers, in pods of their own; gone when the drill is over."""

    plan: Plan
    pods: LoadPods
    run: RunDirectory
    say: Callable[[str], None]
    lives_s: float  # the schedule's longest, before the pods end by themselves
    lead_s: float = 10.0  # a worker makes its schedule and its ledger
    _found: tuple[LoadPod, ...] = field(default=(), init=False)
    _keepers: tuple[Keeper, ...] = field(default=(), init=False)

    def __enter__(self) -> Self:
        roles = [Role("master"), *(Role("worker", k) for k in range(self.plan.workers))]
        try:
            self._found = self.pods.start(
                self.plan.run_id, roles, lives_s=self.lives_s + _SPARE_S, within_s=_READY_S
            )
        except BaseException:
            self._remove()
            raise
        nodes = ", ".join(f"{p.role.number} on {p.node}" for p in self._found[1:])
        self.say(f"load workers in pods: {nodes}")
        return self

    def muster(self, order: Mapping[str, Any]) -> None:
        """Clocks, passwords, and Locust: master and workers have found each other."""
        self._keepers = tuple(self._keeper(order, pod) for pod in self._found)
        go = {"master": self._found[0].address, "workers": self.plan.workers}
        for keeper in self._keepers:
            keeper.meet()
            keeper.beside.put(GO, json.dumps(go).encode())
        until_s = time.monotonic() + _READY_S
        waiting = list(self._keepers)
        while waiting:
            for keeper in self._keepers:
                keeper.look_before()
            waiting = [keeper for keeper in waiting if not keeper.beside.is_ready()]
            if waiting and time.monotonic() > until_s:
                names = ", ".join(keeper.name for keeper in waiting)
                raise NotReady(f"not ready to load within {_READY_S:g} s: {names}")
            time.sleep(TICK_S)

    def begin(self, order: Mapping[str, Any], order_file: Path) -> PodWorkers:
        """Each worker's plan begins at its own reading of the schedule's zero."""
        begun_ns = int(order["begin_ns"])
        catalogue = order_file.with_name(CATALOGUE).read_bytes()
        places = []
        for keeper, pod in zip(self._keepers, self._found, strict=True):
            keeper.look_before()
            clock = clock_of(pod.role.number, keeper.trips)
            assert clock is not None, "it was just asked"
            begin_ns = clock.from_run_ns(begun_ns)
            keeper.beside.put(CATALOGUE, catalogue)
            keeper.beside.put(PLAN, order_for(order, self.pods, begin_ns=begin_ns))
            if keeper.is_worker:
                places.append(WorkerPlace(pod.role.number, pod.name, pod.node, begin_ns))
        write_places(self.run.path, tuple(places))
        for keeper in self._keepers:
            keeper.start()
        master, *workers = self._keepers
        return PodWorkers(self.plan, self.run, master, tuple(workers), tuple(places), begun_ns)

    def _keeper(self, order: Mapping[str, Any], pod: LoadPod) -> Keeper:
        passwords = Passwords(password_files(order))
        return Keeper(
            Beside(self.pods, pod),
            self.run.path,
            passwords,
            drain_s=2 * self.plan.limits.server_timeout_s + _DRAIN_S,
        )

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._remove()

    def _remove(self) -> None:
        """They end by themselves when nobody asks for them: a cluster in trouble delays nothing."""
        try:
            self.pods.remove(self.plan.run_id)
        except PlatformError as error:
            self.say(f"the load's pods could not be removed yet: {error.what}")
