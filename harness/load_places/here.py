"""The load beside the harness: Locust and its worker processes as one child.

The child's stdin is a pipe that the harness holds: closing it ends the schedule, and so does
the death of the harness. All share the harness's clock and its disk.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from harness.core.operations import Operations
from harness.core.plan import Plan
from harness.evidence import layout
from harness.evidence.rundir import RunDirectory
from harness.load_places.goodbyes import troubles_of

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
    """On this machine there is nothing to bring up, and nothing to take away."""

    plan: Plan
    run: RunDirectory
    lead_s: float = 5.0

    def muster(self, order: Mapping[str, Any]) -> None:
        """Its child starts within the lead."""

    def begin(
        self,
        order: Mapping[str, Any],  # noqa: ARG002  it is read from the file
        order_file: Path,
    ) -> LocalWorkers:
        return LocalWorkers(self.plan, self.run, _start(order_file, self.plan, self.run))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Its workers were stopped by who began them."""


def _start(order: Path, plan: Plan, run: RunDirectory) -> subprocess.Popen[bytes]:
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
            env={**os.environ, "PEAKDRILL_LOAD": str(order)},
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
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
