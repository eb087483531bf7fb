"""One worker's session: open the ledger, trade until told to stop, close, write the status.

It ends when the harness closes our stdin (or dies, which closes it too), in a pod when the harness
asks for the end or for nothing any more, on SIGTERM, or at max_s, and then lets what is in flight
end within the application's time-out.
"""

from __future__ import annotations

import gc
import json
import os
import platform
import time
from importlib.metadata import version
from pathlib import Path

import gevent
import gevent.event
from gevent.monkey import get_original

from harness.core.operation import Workload
from harness.ledger.writer import LedgerWriter, Native
from load.canaries import CANARIES
from load.catalogue import Catalogue
from load.chains import finance_reporting, fulfilment, marketplace, order_capture, stock_reservation
from load.desk import Desk
from load.dispatcher import Dispatcher, schedule_of, type_chain, type_due
from load.go_first import go_first
from load.hangup import STOP_POLL_S, HangUp
from load.lag import LagHistogram
from load.lease import hang_up
from load.odoo import Odoo
from load.plan import LoadPlan
from load.recorder import Recorder
from load.stream import Stream
from load.tills import Tills


class Session:
    """Everything that one worker process does, from its ledger's first slot to its status."""

    def __init__(self, plan: LoadPlan, worker: int, schedule: type_due | None = None) -> None:
        """`schedule`: this worker's, where it was made before."""
        if not 0 <= worker < plan.workers:
            raise ValueError(f"worker {worker} is not one of the plan's {plan.workers}")
        go_first()
        self._plan, self._worker = plan, worker
        self._lag = LagHistogram()
        if schedule is None:
            schedule = schedule_of(plan, worker)
        plan.ledger_dir.mkdir(parents=True, exist_ok=True)
        self._ledger = LedgerWriter(
            plan.ledger_dir / f"worker-{worker}.slots",
            run_id=plan.run_id,
            worker=worker,
            native=Native(
                get_original("_thread", "start_new_thread"), get_original("time", "sleep")
            ),
        )
        self._recorder = Recorder(self._ledger, run_id=plan.run_id, worker=worker)
        self._desk = self._open_desk()
        self._tills = Tills(self._desk)
        self._dispatcher = Dispatcher(self._desk, schedule, self._chains(), self._lag)
        self._why = ""
        self._done = gevent.event.Event()

    def start(self) -> None:
        """Begin to follow the schedule; returns at once."""
        gc.collect()
        gc.freeze()  # what exists now lives to the end: it need not be looked at again
        self._till_loops = self._tills.start()
        gevent.spawn(self._watch_harness)
        gevent.spawn(self._run)

    def stop(self, why: str) -> None:
        """No new arrivals from now on."""
        self._why = self._why or why
        self._dispatcher.stop()

    def wait(self) -> None:
        """Until the ledger is closed and the status is written."""
        self._done.wait()

    def _run(self) -> None:
        try:
            self._dispatcher.run()
            self._why = self._why or "max_s"
            limit_s = self._plan.application.timeout_s + 0.5
            cut_off = self._dispatcher.finish(limit_s)
            self._tills.end()
            gevent.joinall(self._till_loops, timeout=limit_s)
            gevent.killall(self._till_loops)
            backlog = self._tills.backlog
            self._ledger.close()
            self._write_status(cut_off, backlog)
        finally:
            self._desk.odoo.close()
            self._done.set()

    def _open_desk(self) -> Desk:
        plan, application = self._plan, self._plan.application
        catalogue = Catalogue.read(plan.catalogue_file)
        stream = None
        if plan.queue is not None:
            timeout_s = application.timeout_s
            stream = Stream(plan.queue.url, plan.queue.password(), timeout_s=timeout_s)
        odoo = Odoo(application, application.password(), uid=catalogue.uid)
        return Desk(plan, catalogue, self._recorder, odoo, stream)

    def _chains(self) -> dict[tuple[Workload, bool], type_chain]:
        chains: dict[tuple[Workload, bool], type_chain] = {
            (Workload.ORDER_CAPTURE, False): order_capture,
            (Workload.POINT_OF_SALE, False): self._tills.sell,
            (Workload.STOCK_RESERVATION, False): stock_reservation,
            (Workload.FULFILMENT, False): fulfilment,
            (Workload.MARKETPLACE, False): marketplace,
            (Workload.FINANCE, False): finance_reporting,
            (Workload.POINT_OF_SALE, True): self._tills.sell,
        }
        chains |= {(workload, True): chain for workload, chain in CANARIES.items()}
        return chains

    def _watch_harness(self) -> None:
        wanted = hang_up()
        while self._dispatcher.stopped_ns is None:
            if wanted.seen():
                self.stop("stdin" if isinstance(wanted, HangUp) else "lease")
            gevent.sleep(STOP_POLL_S)

    def _write_status(self, cut_off: int, backlog: int) -> None:
        counts = self._dispatcher.counts
        status = {
            "worker": self._worker,
            "run_id": self._plan.run_id,
            "dispatchers": 1,
            "stopped_by": self._why,
            "begin_ns": self._plan.begin_ns,
            "stopped_ns": self._dispatcher.stopped_ns,
            "closed_ns": time.monotonic_ns(),
            "arrivals": counts.arrivals,
            "canaries": counts.canaries,
            "calls": self._recorder.calls,
            "dropped": counts.dropped,
            "cut_off": cut_off,
            "till_backlog": backlog,
            "troubles": self._dispatcher.troubles,
            "lag": self._lag.summary(),
            "cpu_s": round(time.process_time(), 3),
            "versions": {
                "python": platform.python_version(),
                **{name: version(name) for name in ("locust", "gevent", "geventhttpclient")},
            },
        }
        write_whole(self._plan.status_dir / f"worker-{self._worker}.json", status)


def write_whole(path: Path, value: object) -> None:
    """All of it or nothing: written beside, flushed, then renamed."""
    beside = path.with_suffix(".partial")
    path.parent.mkdir(parents=True, exist_ok=True)
    with beside.open("w", encoding="utf-8") as file:
        json.dump(value, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
