"""The load of a run, and the drill's view of it while it trades.

Where its workers run is a place's matter (harness.load_places). What the customers see is read
from the ledgers as they grow.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from harness.core.plan import Plan
from harness.core.timeline import Mark, MarkName
from harness.errors import Interrupted, PlatformError
from harness.evidence import events, layout
from harness.evidence.rundir import RunDirectory
from harness.load_places.place import Workers, load_place, type_order
from harness.platforms.capabilities import Endpoints, Platform
from harness.progress import Progress
from harness.recovery.registry import AUTOMATIC
from harness.watching.guarding import Watchdog
from harness.watching.live import IN_FLIGHT_NS, LiveLedgers

_TICK_S = 0.5
_PREPARE_S = 300  # a real Odoo makes its first products one by one
_HOLD_WINDOWS = 3  # at most, after the repair and after the way back
_WARM_UP_S = 2  # first connections, first plans: traded, but not part of the baseline
_HOME = Path(__file__).resolve().parent.parent


def order_of(plan: Plan, endpoints: Endpoints, run: RunDirectory, *, begin_ns: int) -> type_order:
    """The generator's order (load/plan.json). Secrets stand in it by file, never by value."""
    queue = endpoints.queue_url and {
        "url": endpoints.queue_url,
        "password_file": str(endpoints.queue_password_file),
    }
    return {
        "run_id": plan.run_id,
        "seed": plan.seed,
        "begin_ns": begin_ns,
        "max_s": _max_s(plan),
        "workers": plan.workers,
        "peak": plan.peak,
        "shape": {"name": plan.shape.name, "points": plan.shape.points},
        "workloads": {
            t.workload.value: {
                "rate_per_s": t.rate_per_s,
                "canary_per_s": t.canary_per_s,
                "latency_limit_s": t.latency_limit_s,
                "revenue_cents": t.revenue_per_operation_cents,
            }
            for t in plan.targets.workloads
        },
        "application": {
            "url": endpoints.application_url,
            "database": endpoints.database,
            "login": endpoints.login,
            "password_file": str(endpoints.password_file),
            "kind": endpoints.kind,
            "version": endpoints.version,
            "timeout_s": plan.limits.server_timeout_s,
            "canary_limit_s": plan.limits.canary_limit_s,
        },
        "queue": queue or None,
        "ledger_dir": str(run / layout.LEDGER),
        "status_dir": str(run / layout.LOAD),
    }


def _max_s(plan: Plan) -> float:
    """The load stops by itself after the longest run that the limits allow."""
    limits, scenario = plan.limits, plan.scenario
    runbooks = (r for r in (scenario.recovery, scenario.failback) if r and r.runbook != AUTOMATIC)
    return (
        limits.baseline_s
        + limits.effect_s
        + limits.observe_s
        + 2 * limits.heal_s
        + 2 * (_HOLD_WINDOWS + 1) * limits.window_s
        + sum(spec.within_s for spec in runbooks)
        + 60
    )


@dataclass
class Trading:
    """The load of one run. Times are those of the one clock, in ns."""

    plan: Plan
    run: RunDirectory
    progress: Progress
    begin_ns: int
    workers: Workers
    live: LiveLedgers
    phase: str = "baseline"
    fault_ns: int | None = None
    workers_lost: list[str] = field(default_factory=list)
    guard: Watchdog | None = None
    _pulse_ns: int = 0
    _stopped: bool = False

    def hold_baseline(self) -> None:
        """Trade until there is a healthy baseline; without one the run is judged unfit."""
        self.phase = "baseline"
        limits = self.plan.limits
        length_ns = round(limits.baseline_s * 1e9)
        latest_ns = self.begin_ns + round((2 * limits.baseline_s + _WARM_UP_S) * 1e9)
        self.progress.phase("baseline", limits.baseline_s + _WARM_UP_S)
        self._watch(
            latest_ns, until_well_since_ns=self.begin_ns + _WARM_UP_S * 10**9, window_ns=length_ns
        )
        now_ns = time.monotonic_ns()
        self._mark(MarkName.BASELINE_BEGUN, now_ns - IN_FLIGHT_NS - length_ns)
        self._mark(MarkName.BASELINE_ENDED, now_ns - IN_FLIGHT_NS)

    def await_well(self) -> bool:
        """Until every workload was well for W, or the end of observation."""
        self.phase = "outage"
        limits = self.plan.limits
        begun_ns = self.fault_ns or time.monotonic_ns()
        until_ns = begun_ns + round(limits.observe_s * 1e9)
        self.progress.phase("watching it come back", limits.observe_s)
        window_ns = round(limits.window_s * 1e9)
        well = self._watch(until_ns, until_well_since_ns=begun_ns, window_ns=window_ns)
        now_ns = time.monotonic_ns()
        if well:
            self._mark(MarkName.SERVICE_WELL, now_ns)
        else:  # what comes after the release is the repair's doing: no recovery is read from it
            self._mark(MarkName.OBSERVATION_ENDED, now_ns)
        return well

    def hold_after(self) -> None:
        """Trade on until all were well over a full window; where that takes long, for three.

        A run that ends in the middle of a dip cannot say that the service was back.
        """
        self.phase = "after"
        begun_ns, window_ns = time.monotonic_ns(), round(self.plan.limits.window_s * 1e9)
        self.progress.phase("holding after the repair", _HOLD_WINDOWS * self.plan.limits.window_s)
        self._watch(
            begun_ns + _HOLD_WINDOWS * window_ns,
            until_well_since_ns=begun_ns,
            window_ns=window_ns,
        )

    def _watch(
        self, until_ns: int, *, until_well_since_ns: int | None = None, window_ns: int = 0
    ) -> bool:
        """Look on until an instant, or until all were well over a window that began after one."""
        while (now_ns := time.monotonic_ns()) < until_ns:
            self._require_load()
            self._tell(now_ns, self.phase)
            if until_well_since_ns is not None and self.live.all_well(
                now_ns, until_well_since_ns, window_ns
            ):
                return True
            time.sleep(min(_TICK_S, max(0.0, (until_ns - now_ns) / 1e9)))
        return False

    def pulse(self) -> None:
        """One look while something else is awaited. Raises PlatformError when the load is dead."""
        self._require_load()
        now_ns = time.monotonic_ns()
        if now_ns - self._pulse_ns >= _TICK_S * 1e9:
            self._pulse_ns = now_ns
            self._tell(now_ns, "recovery")

    def _tell(self, now_ns: int, phase: str) -> None:
        view = self.live.view(now_ns, phase=phase, fault_ns=self.fault_ns)
        self.progress.tick(replace(view, seen=self.guard.latest) if self.guard else view)

    def _require_load(self) -> None:
        if self.guard and self.guard.unheard:
            raise Interrupted(self.guard.unheard)
        if why := self.workers.why_ended():
            raise PlatformError(why, next_step=f"read {self.run / layout.LOAD}/locust.log")

    def stop(self) -> None:
        """End the schedule, wait for what is in flight, name the workers that said no goodbye."""
        try:
            if not self._stopped:
                self._mark(MarkName.LOAD_STOPPED, time.monotonic_ns())
        finally:  # a mark that cannot be written leaves no load behind
            self._stopped = True
            self.workers_lost[:] = self.workers.stop()

    def _mark(self, name: MarkName, at_ns: int, note: str = "") -> None:
        events.append(self.run / layout.EVENTS, Mark(name, at_ns, at_ns, note))


@contextmanager
def trading(
    plan: Plan, platform: Platform, run: RunDirectory, progress: Progress
) -> Iterator[Trading]:
    """Start the load and hold it; whatever happens within, it is stopped and waited for."""
    progress.phase("preparing the shop and the load", 60)
    endpoints = platform.endpoints()
    order = run / layout.LOAD / "plan.json"
    told = order_of(plan, endpoints, run, begin_ns=0)
    _write_order(order, told)
    with load_place(plan, platform, run, progress.say, max_s=_max_s(plan)) as place:
        _prepare(order, run)
        place.muster(told)
        begin_ns = time.monotonic_ns() + round(place.lead_s * 1e9)
        told = order_of(plan, endpoints, run, begin_ns=begin_ns)
        _write_order(order, told)
        workers = place.begin(told, order)
        seen = LiveLedgers(run / layout.LEDGER, plan, begin_ns, workers.on_run_clock)
        load = Trading(plan, run, progress, begin_ns, workers, seen)
        try:
            events.append(run / layout.EVENTS, Mark(MarkName.LOAD_BEGUN, begin_ns, begin_ns, ""))
            yield load
        finally:
            load.stop()


def _write_order(file: Path, order: type_order) -> None:
    """Whole: workers look for it from the moment that they are ready."""
    part = file.with_suffix(".part")
    part.write_text(json.dumps(order, indent=1, sort_keys=True))
    part.replace(file)


def _prepare(order: Path, run: RunDirectory) -> None:
    with (run / layout.LOAD / "prepare.log").open("wb") as log:
        try:
            done = subprocess.run(
                [sys.executable, "-m", "load.prepare", str(order)], cwd=_HOME, check=False,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, timeout=_PREPARE_S,
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise PlatformError(
                f"products, partners and tills were not prepared within {_PREPARE_S} s",
                next_step="run again: what was made stays; or leave the machine to the platform",
            ) from error
    if done.returncode:
        raise PlatformError(
            f"products, partners and tills could not be prepared: {_reason(log.name)}",
            next_step=f"read {run / layout.LOAD}/prepare.log",
        )


def _reason(log: str) -> str:
    """The last line that the preparation wrote: what was missing, by name."""
    said = Path(log).read_text(encoding="utf-8", errors="replace").splitlines()
    return said[-1].removeprefix("load.prepare: ") if said else "it said nothing"
