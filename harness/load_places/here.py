"""The load beside the harness: Locust and its worker processes as one child.

The child's stdin is a pipe that the harness holds: closing it ends the schedule, and so does
the death of the harness. All share the harness's clock and its disk.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from harness.core.operations import Operations
from harness.core.plan import Plan
from harness.errors import NotReady, PlatformError
from harness.evidence import layout
from harness.evidence.rundir import RunDirectory
from harness.load_places.goodbyes import troubles_of
from harness.load_places.orders import PLAN

_READY_S = 60.0  # Locust is a large program, and the machine may be a slow one
_HOME = Path(__file__).resolve().parent.parent.parent


@dataclass
class LocalWorkers:
    """The child, as long as somebody wants it."""

    plan: Plan
    run: RunDirectory
    child: subprocess.Popen[bytes]

    def why_ended(self) -> str:
        if self.child.poll() is None:
            return ""
        why = "; ".join(troubles_of(self.run.path, self.plan.workers)) or "it does not say why"
        return f"the load generator ended early with exit code {self.child.returncode}: {why}"

    def on_run_clock(self, operations: Operations) -> Operations:
        return operations

    def stop(self) -> tuple[str, ...]:
        if self.child.stdin:
            self.child.stdin.close()
        try:
            self.child.wait(self.plan.limits.server_timeout_s + 20)
        except subprocess.TimeoutExpired:
            _end_group(self.child)
        return troubles_of(self.run.path, self.plan.workers)


@dataclass
class Here(AbstractContextManager["Here"]):
    """On this machine: the child loads its program while the application is prepared."""

    plan: Plan
    run: RunDirectory
    lead_s: float = 1.0  # a worker makes its ledger; its schedule is made before it is ready
    _child: subprocess.Popen[bytes] | None = field(default=None, init=False)
    _ready: int = field(default=-1, init=False)  # a byte of each worker that lacks its plan alone
    _begun: bool = field(default=False, init=False)

    def __enter__(self) -> Self:
        self._ready, told = os.pipe()
        try:
            self._child = _start(self.run / layout.LOAD / PLAN, self.plan, self.run, told)
        except BaseException:
            os.close(self._ready)
            raise
        finally:
            os.close(told)
        return self

    def muster(self, order: Mapping[str, Any]) -> None:  # noqa: ARG002  it asks for no place
        """Every worker has said that it is ready."""
        heard, until_s = 0, time.monotonic() + _READY_S
        poller = select.poll()
        poller.register(self._ready, select.POLLIN)
        while heard < self.plan.workers:
            left_s = until_s - time.monotonic()
            if left_s <= 0 or not poller.poll(left_s * 1000):
                raise NotReady(
                    f"the load was not ready to begin within {_READY_S:g} s",
                    next_step="leave the machine to the platform and to it, then run again",
                )
            said = os.read(self._ready, self.plan.workers)
            if not said:
                raise PlatformError(
                    "the load generator ended before it began",
                    next_step=f"read {self.run / layout.LOAD}/locust.log",
                )
            heard += len(said)

    def begin(
        self,
        order: Mapping[str, Any],  # noqa: ARG002  it is read from the file
        order_file: Path,  # noqa: ARG002  which it knows
    ) -> LocalWorkers:
        assert self._child is not None, "it was entered"
        self._begun = True
        return LocalWorkers(self.plan, self.run, self._child)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Its workers were stopped by who began them; those that never began know of no call."""
        os.close(self._ready)
        if self._child is not None and not self._begun:
            if self._child.stdin:
                self._child.stdin.close()
            _end_group(self._child)


def _start(order: Path, plan: Plan, run: RunDirectory, ready: int) -> subprocess.Popen[bytes]:
    command = [
        sys.executable, "-m", "locust", "-f", str(_HOME / "load" / "locustfile.py"), "--headless",
        "--only-summary", "--loglevel", "WARNING",
        "--users", str(plan.workers), "--spawn-rate", str(plan.workers),
    ]  # fmt: skip
    if plan.workers > 1:
        port = str(_free_port())
        command += [
            "--processes", str(plan.workers), "--master-bind-host", "127.0.0.1",
            "--master-bind-port", port, "--master-host", "127.0.0.1", "--master-port", port,
        ]  # fmt: skip
    with (run / layout.LOAD / "locust.log").open("wb") as log:
        return subprocess.Popen(
            command,
            cwd=_HOME,
            env={**os.environ, "PEAKDRILL_LOAD": str(order), "PEAKDRILL_READY_PIPE": str(ready)},
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            pass_fds=(ready,),
            start_new_session=True,  # Ctrl-C is for the harness, which then ends the load itself
        )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _end_group(child: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, 9)
    child.wait(10)
