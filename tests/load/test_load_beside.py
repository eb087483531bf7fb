"""The load beside the harness: started early, and nothing is sent before its schedule's zero."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from drilled_in_pods import HEAD, Drilled, traded

from harness import trading
from harness.errors import PlatformError
from harness.evidence import layout
from harness.evidence.rundir import RunDirectory
from harness.ledger.reader import read_ledgers
from harness.load_places import here
from harness.load_places.here import Here
from tests.core import simulate

PATIENCE_S = 60


@pytest.fixture
def drilled(stub, tmp_path: Path, request: pytest.FixtureRequest) -> Drilled:
    port, log, _ = stub
    password = tmp_path / "password"
    password.write_text("admin\n")
    plan = replace(simulate.plan_of(), workers=getattr(request, "param", 1), run_id="beside")
    run = RunDirectory.create(tmp_path / "runs", plan.run_id)
    run.save_plan(plan, "", HEAD)
    url = f"http://127.0.0.1:{port}"
    return Drilled(plan, run, None, url, password, log)  # type: ignore[arg-type]


@pytest.fixture
def children(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Whatever a place starts; what is left of it is ended."""
    made: list[subprocess.Popen[bytes]] = []
    real = here._start

    def noted(*given: object) -> subprocess.Popen[bytes]:
        made.append(real(*given))  # type: ignore[arg-type]
        return made[-1]

    monkeypatch.setattr(here, "_start", noted)
    yield made
    for child in made:
        if child.stdin:
            child.stdin.close()
        if child.poll() is None:
            here._end_group(child)


@pytest.mark.parametrize("drilled", [1, 2], indirect=True)
def test_it_is_ready_before_its_schedule_has_a_zero(drilled: Drilled, children) -> None:
    with drilled.load() as load:
        traded(load, 3)
    assert load.workers_lost == []
    (child,) = children
    assert child.poll() == 0
    operations, healths = read_ledgers(drilled.run / layout.LEDGER)
    assert [h.closed for h in healths] == [True] * drilled.plan.workers
    assert {int(worker) for worker in operations.worker} == set(range(drilled.plan.workers))
    assert operations.intended_ns.min() >= load.begin_ns
    assert operations.sent_ns.min() >= load.begin_ns
    told = json.loads((drilled.run / layout.LOAD / "plan.json").read_text())
    assert told["begin_ns"] == load.begin_ns


def test_a_load_for_an_application_that_cannot_be_prepared_is_ended(
    drilled: Drilled, children, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cannot(*_: object) -> None:
        raise PlatformError("no tills")

    monkeypatch.setattr(trading, "_prepare", cannot)
    with pytest.raises(PlatformError, match="no tills"), drilled.load():
        pytest.fail("there is no load")
    (child,) = children
    assert child.poll() is not None
    assert not list((drilled.run / layout.LEDGER).glob("*.slots"))


def test_a_load_whose_harness_is_gone_before_it_began_ends_by_itself(
    drilled: Drilled, children
) -> None:
    order = drilled.run / layout.LOAD / "plan.json"
    password = str(drilled.password)
    rates = {"rate_per_s": 5.0, "canary_per_s": 5.0, "latency_limit_s": 2.0}
    application = {"url": drilled.url, "database": "shop", "login": "admin", "version": 19}
    order.write_text(json.dumps({
        "run_id": "beside", "seed": 1, "begin_ns": 0, "max_s": 60, "workers": 1, "peak": 1.0,
        "shape": {"name": "steady", "points": [[0, 1.0]]}, "queue": None,
        "workloads": {"order-capture": rates},
        "application": {**application, "password_file": password, "timeout_s": 5.0},
        "ledger_dir": str(drilled.run / layout.LEDGER), "status_dir": str(order.parent),
    }))  # fmt: skip
    place = Here(drilled.plan, drilled.run)
    with place:
        place.muster({})
        (child,) = children
        assert child.stdin is not None
        child.stdin.close()
        child.wait(PATIENCE_S)
    assert not list((drilled.run / layout.LEDGER).glob("*.slots"))


def test_a_load_that_dies_before_it_is_ready_is_not_waited_for(
    drilled: Drilled, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dead(*given: object) -> subprocess.Popen[bytes]:
        ready = given[-1]
        assert isinstance(ready, int)
        return subprocess.Popen(["false"], stdin=subprocess.PIPE, pass_fds=(ready,))

    monkeypatch.setattr(here, "_start", dead)
    place = Here(drilled.plan, drilled.run)
    with pytest.raises(PlatformError, match="ended before it began"), place:
        place.muster({})
    with pytest.raises(OSError):
        os.fstat(place._ready)
