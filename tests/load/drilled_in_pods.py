"""A drill's load in pods, as far as it trades: against the stub, judged from its evidence."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

from harness.core.evidence import Evidence, LedgerHealth
from harness.core.judge import judge
from harness.core.plan import Plan
from harness.core.verdict import FitnessFinding, Verdict
from harness.evidence.load import open_run
from harness.evidence.rundir import Head, RunDirectory
from harness.ledger.reader import read_ledger
from harness.platforms.capabilities import Endpoints
from harness.platforms.load_pods import LoadPods
from harness.progress import LiveView, Silent
from harness.sightings import Sightings
from harness.trading import Trading, trading

HEAD = Head("peakdrill/head/v1", "2026-11-28T00:00:00Z", "0", "3")


@dataclass
class Drilled:
    """A load in pods against the stub."""

    plan: Plan
    run: RunDirectory
    pods: LoadPods
    url: str
    password: Path
    log: Path

    @contextlib.contextmanager
    def load(self) -> Iterator[Trading]:
        at = Endpoints(
            application_url=self.url, application_replicas=(), database="shop",
            login="admin", password_file=self.password, dsn="", kind="shop", version=19,
            queue_url="", queue_password_file=None, filestore=None, s3_url="",
            s3_credentials_file=None, s3_bucket="", partners_url="",
        )  # fmt: skip
        platform = SimpleNamespace(endpoints=lambda: at, load_pods=self.pods)
        with trading(self.plan, platform, self.run, Silent()) as load:  # type: ignore[arg-type]
            self.live = load
            yield load

    def answered_ns(self) -> dict[str, int]:
        """By key, when the stub had answered the call that made the record."""
        found: dict[str, int] = {}
        for line in self.log.read_text().splitlines():
            at, what, key = line.split(" ")
            if what.endswith(".create") and key != "-":
                found.setdefault(key, int(at))
        return found

    def health(self, worker: int) -> LedgerHealth:
        return read_ledger(self.run / "ledger" / f"worker-{worker}.slots")[1]

    def evidence(self) -> tuple[Plan, Evidence]:
        """As it is judged: sealed, and read back."""
        lost = self.live.workers_lost
        if not (self.run / "seal.json").exists():
            self.run.save_evidence(Sightings(workers_lost=lost).observation())
        return open_run(self.run.path)[:2]


def traded(load: Trading, seconds: float) -> None:
    time.sleep(max(0.0, (load.begin_ns - time.monotonic_ns()) / 1e9) + seconds)


def seen(load: Trading) -> LiveView:
    return load.live.view(time.monotonic_ns(), phase="", fault_ns=None)


def unfit(drilled: Drilled, name: str) -> FitnessFinding:
    """The one that makes the run invalid, with nothing else said of the other worker."""
    plan, evidence = drilled.evidence()
    judged = judge(plan, evidence)
    assert judged.verdict is Verdict.INVALID
    (found,) = (f for f in judged.fitness if f.name == name)
    assert not found.fit
    return found
