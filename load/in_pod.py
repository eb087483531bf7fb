"""The first process of a load pod: it waits for its orders, runs Locust, and keeps the ledger.

    python3 -m load.in_pod master|worker NUMBER WORK

The orders are files that the harness puts into WORK (load/beside.py): go.json, with the master's
address and the number of workers, starts Locust; catalogue.json and plan.json come when all are
`ready`, so that a slow start is no late load. When Locust has ended,
`ended.json` tells how, and the ledger's SHA-256 as it was then. The pod stays until the harness
has collected everything (`leave`), or asks for nothing any more.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType
from typing import Any

from load.beside import ENDED_NAME, LEASE_NAME, READY_NAME
from load.lease import LEASE_FILE, READY_FILE, Lease

MASTER_PORT = os.environ.get("PEAKDRILL_MASTER_PORT", "5557")
LEAVE = "leave"
_POLL_S = 0.1
_UNASKED_S = 300.0  # images are slow, and so are people
_UNCOLLECTED_S = 60.0


class Pod:
    """One role's life."""

    def __init__(self, role: str, number: int, work: Path) -> None:
        self._role, self._number, self._work = role, number, work
        self._child: subprocess.Popen[bytes] | None = None

    def live(self) -> int:
        """Returns the pod's exit code: Locust's, or 3 when nobody came."""
        self._work.mkdir(parents=True, exist_ok=True)
        go = self._await_orders()
        if go is None:
            return 3
        code = self._trade(go)
        self._tell_end(code)
        unwanted = Lease(self._work / LEASE_NAME, within_s=_UNCOLLECTED_S, stop=LEAVE)
        while not unwanted.seen():
            time.sleep(_POLL_S)
        return code

    def end(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """SIGTERM: the pod is deleted. Locust closes the ledger, and that was all."""
        if self._child is None:
            sys.exit(0)
        self._child.terminate()

    def _await_orders(self) -> dict[str, Any] | None:
        unwanted = Lease(self._work / LEASE_NAME, within_s=_UNASKED_S, stop=LEAVE)
        while not (self._work / "go.json").exists():
            if unwanted.seen():
                return None
            time.sleep(_POLL_S)
        orders: dict[str, Any] = json.loads((self._work / "go.json").read_text())
        return orders

    def _trade(self, go: dict[str, Any]) -> int:
        own = {
            "PEAKDRILL_LOAD": str(self._work / "plan.json"),
            LEASE_FILE: str(self._work / LEASE_NAME),
            READY_FILE: str(self._work / READY_NAME),
        }
        if self._role == "worker":
            own["PEAKDRILL_WORKER"] = str(self._number)
        with (self._work / "locust.log").open("wb") as log:
            self._child = subprocess.Popen(
                _command(self._role, go),
                env={**os.environ, **own},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        return self._child.wait()

    def _tell_end(self, code: int) -> None:
        ledger = self._work / f"worker-{self._number}.slots"
        told: dict[str, Any] = {"exit": code}
        if self._role == "worker" and ledger.exists():
            with ledger.open("rb") as stream:
                told["sha256"] = hashlib.file_digest(stream, "sha256").hexdigest()
            told["bytes"] = ledger.stat().st_size
        beside = self._work / ".ended.part"
        beside.write_text(json.dumps(told))
        beside.replace(self._work / ENDED_NAME)


def _command(role: str, go: dict[str, Any]) -> list[str]:
    words = [
        sys.executable, "-m", "locust", "-f", str(Path(__file__).with_name("locustfile.py")),
        "--headless", "--only-summary", "--loglevel", "WARNING",
    ]  # fmt: skip
    port, workers = MASTER_PORT, str(go["workers"])
    if role == "worker":
        return [*words, "--worker", "--master-host", str(go["master"]), "--master-port", port]
    return [
        *words, "--master", "--master-bind-port", port, "--expect-workers", workers,
        "--users", workers, "--spawn-rate", workers,
    ]  # fmt: skip


def main(words: list[str]) -> int:
    role, number, work = words
    pod = Pod(role, int(number), Path(work))
    signal.signal(signal.SIGTERM, pod.end)
    return pod.live()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
