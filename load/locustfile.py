"""What Locust loads: one user class, one dispatcher per worker process.

    PEAKDRILL_LOAD=<run>/load/plan.json python -m locust -f load/locustfile.py --headless \
        --only-summary --users 1 --spawn-rate 1                      one worker, no network
        --users N --spawn-rate N --processes N --master-bind-host 127.0.0.1 \
        --master-bind-port P --master-host 127.0.0.1 --master-port P   N workers
    In pods the master and each worker are started apart: see load/in_pod.py.
    Whoever starts it before there is a plan is told when nothing else is missing: load/lease.py.

Locust patches the standard library when it is imported, so it comes first. It starts us and
carries us over processes and hosts; the schedule, the ledger and the ending are ours, and its
statistics are the source of nothing. Its exit code is not either: it is 0 after a worker was
killed. A lost worker shows as a missing status file and a ledger that was not closed.
"""

from __future__ import annotations

import contextlib
import logging
import os
import time
from pathlib import Path
from typing import Any, ClassVar

import gevent
from locust import User, events, task
from locust.runners import MasterRunner, WorkerRunner

from load.dispatcher import schedule_of, type_due
from load.hangup import STOP_POLL_S
from load.lease import READY_FILE, READY_PIPE, hang_up
from load.plan import LoadPlan
from load.session import Session

log = logging.getLogger("peakdrill.load")
_STOP = "peakdrill-stop"


class _Worker:
    """The one session of this process."""

    session: ClassVar[Session | None] = None

    @classmethod
    def open(cls, index: int) -> Session | None:
        """None where nobody wants a load any more."""
        if cls.session is not None:
            raise RuntimeError("this process has its dispatcher already")
        schedule = _early_schedule(index)
        plan = _awaited_plan(worker=True)
        if plan is None:
            return None
        cls.session = Session(plan, index, schedule)
        cls.session.start()
        return cls.session

    @classmethod
    def end(cls, why: str) -> None:
        """Stop and wait for the ledger to be closed. Harmless when there is none, or twice."""
        if cls.session is not None:
            cls.session.stop(why)
            cls.session.wait()


class Retail(User):
    """Every customer of one worker. Locust sees one user; the arrivals are greenlets of ours."""

    def on_start(self) -> None:
        runner = self.environment.runner
        index = _index(runner)
        try:
            self.session: Session | None = _Worker.open(index)
            if self.session is None:
                gevent.spawn(runner.quit)
        except RuntimeError:
            # Locust moves the user of a worker that has gone to one that is left; its share
            # of the schedule is not served twice here: it is missing, and that is seen
            log.warning("a second dispatcher was refused in worker %d", index)
            self.session = None

    @task
    def trade(self) -> None:
        if self.session is None:
            gevent.sleep(3600)
            return
        self.session.wait()
        gevent.spawn(self.environment.runner.quit)
        gevent.sleep(3600)


def _on_init(environment: Any, runner: Any, **_: Any) -> None:
    # listeners of `quitting` run in reverse, so ours comes before Locust's own
    if isinstance(runner, MasterRunner):
        environment.events.quitting.add_listener(_end_workers)
        gevent.spawn(_watch_over_workers, runner)
        return
    environment.events.quitting.add_listener(lambda **_: _Worker.end("sigterm"))
    environment.events.test_stopping.add_listener(lambda **_: _Worker.end("locust"))
    if isinstance(runner, WorkerRunner):
        runner.register_message(_STOP, lambda **_: _Worker.end("sigterm"), concurrent=True)


def _watch_over_workers(runner: Any) -> None:
    """Locust's master waits for ever for a worker that was killed; this one does not."""
    plan, wanted = _awaited_plan(), hang_up()
    if plan is None:
        runner.quit()
        return
    end_ns = plan.begin_ns + round(plan.max_s * 1e9)
    while not wanted.seen() and time.monotonic_ns() < end_ns:
        gevent.sleep(STOP_POLL_S)
    _await_workers(runner, plan)
    runner.quit()


def _end_workers(environment: Any, **_: Any) -> None:
    """The master was told to end: it tells its workers, and waits for them to close up."""
    environment.runner.send_message(_STOP)
    if _plan_file().exists():
        _await_workers(environment.runner, LoadPlan.read(_plan_file()))


def _await_workers(runner: Any, plan: LoadPlan) -> None:
    with gevent.Timeout(2 * plan.application.timeout_s + 5, False):
        while runner.worker_count > 0:
            gevent.sleep(STOP_POLL_S)


def _early_schedule(index: int) -> type_due | None:
    """What takes long is made before the schedule's zero is set: nothing of it depends on that."""
    return schedule_of(LoadPlan.read(_plan_file()), index) if _plan_file().exists() else None


def _awaited_plan(*, worker: bool = False) -> LoadPlan | None:
    """Where somebody was told that we are ready, it comes when all are: its schedule's zero is
    near, and a slow start is no late load. None where it never comes.
    """
    if not _tell_ready(worker=worker):
        return LoadPlan.read(_plan_file())
    wanted = hang_up()
    while not wanted.seen():
        if _plan_file().exists() and (plan := LoadPlan.read(_plan_file())).begin_ns:
            return plan  # without its zero it is there to prepare the application with
        gevent.sleep(STOP_POLL_S)
    return None


def _tell_ready(*, worker: bool) -> bool:
    """That only the plan is missing; whether somebody waits to hear it."""
    file, pipe = os.environ.get(READY_FILE), os.environ.get(READY_PIPE)
    if file is not None:
        Path(file).touch()
    if pipe is not None and worker:
        with contextlib.suppress(OSError):  # who waited is gone, and the hang-up will say so
            os.write(int(pipe), b".")
    return file is not None or pipe is not None


def _index(runner: Any) -> int:
    """A pod is told which worker it is: its schedule is written for its own clock."""
    told = os.environ.get("PEAKDRILL_WORKER")
    if told is not None:
        return int(told)
    return runner.worker_index if isinstance(runner, WorkerRunner) else 0


def _plan_file() -> Path:
    return Path(os.environ["PEAKDRILL_LOAD"])


_hook: Any = events.init  # untyped in locust
_hook.add_listener(_on_init)
