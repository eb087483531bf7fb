"""A worker that ends early: the drill says which, and in the worker's own words why."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness import drill as method
from harness.errors import PlatformError
from harness.evidence import layout
from harness.evidence.rundir import RunDirectory
from harness.load_places.here import LocalWorkers
from harness.platforms.capabilities import Wholeness
from harness.progress import Silent
from harness.sightings import Sightings
from tests.core import simulate

PLAN = simulate.plan_of()
TOLD = "LedgerFull: no more room\n  next: free disk space"


def test_why_the_load_ended_is_told_by_its_workers(tmp_path: Path) -> None:
    run = RunDirectory.create(tmp_path, "r1")
    ended = subprocess.Popen(["true"])
    ended.wait(30)
    workers = LocalWorkers(PLAN, run, ended)  # type: ignore[arg-type]
    assert workers.why_ended().endswith("with exit code 0: worker 0 said no goodbye")
    status = run / layout.LOAD / "worker-0.json"
    status.write_text(json.dumps({"troubles": [TOLD]}))
    assert workers.why_ended().endswith(
        "0: worker 0: LedgerFull: no more room next: free disk space"
    )
    status.write_text(json.dumps({"troubles": []}))
    assert workers.why_ended().endswith("with exit code 0: it does not say why")


def test_a_drill_that_its_load_has_ended_names_who_was_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What ends the load is noted as it ends, also when nothing after it is reached."""
    load = SimpleNamespace(workers_lost=[])

    def ended() -> None:
        raise PlatformError("the load generator ended early")

    load.hold_baseline = ended

    @contextmanager
    def trading(*_: object) -> Iterator[SimpleNamespace]:
        try:
            yield load
        finally:
            load.workers_lost[:] = ["worker 0: LedgerFull"]

    @contextmanager
    def nothing(*_: object) -> Iterator[None]:
        yield

    seen: list[Sightings] = []
    monkeypatch.setattr(method, "trading", trading)
    monkeypatch.setattr(method, "guarded", nothing)
    monkeypatch.setattr(method, "read_back", lambda *_: None)
    monkeypatch.setattr(method, "conclude", lambda _, told: seen.append(told))
    platform = SimpleNamespace(whole=lambda: Wholeness(True, ()), directory=tmp_path)
    method.drill(PLAN, platform, RunDirectory.create(tmp_path, "r1"), Silent())  # type: ignore[arg-type]
    (told,) = seen
    assert told.observation().workers_lost == ("worker 0: LedgerFull",)
    assert "ended early" in told.interrupted
