"""Load workers elsewhere: their clocks, their ledgers and their deaths, through the real Locust.

The truth is the stub application's own log, on this machine's clock: an answer that it wrote down
lies between a call's sending and its end, whatever clock that call was timed by.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from drilled_in_pods import HEAD, Drilled, seen, traded, unfit
from pods_here import PodsHere

from harness.core.clock_bounds import RoundTrip
from harness.core.judge import judge
from harness.core.load_places import WorkersIn
from harness.core.operation import Kind, Outcome, key_of
from harness.errors import PlatformError
from harness.evidence.rundir import RunDirectory
from harness.evidence.workers import read_places, read_workers
from harness.load_places import keeper
from harness.load_places.beside import Beside
from tests.core import simulate

HOUR_NS = 3600 * 10**9
MS = 10**6


@pytest.fixture
def drilled(stub, tmp_path):
    """A load of two workers; what is left of it is ended."""
    port, log, _ = stub
    password = tmp_path / "password"
    password.write_text("admin\n")
    plan = replace(simulate.plan_of(), workers=2, workers_in=WorkersIn.PODS, run_id="inpods")
    pods = PodsHere(tmp_path / "pods", f"http://127.0.0.1:{port}")
    run = RunDirectory.create(tmp_path / "runs", plan.run_id)
    run.save_plan(plan, "", HEAD)
    yield Drilled(plan, run, pods, pods.application_url, password, log)
    pods.remove(plan.run_id)


def test_clocks_hours_apart_are_read_as_one(drilled: Drilled, until) -> None:
    drilled.pods.ahead_ns = {0: 5 * HOUR_NS, 1: -HOUR_NS // 7}
    drilled.pods.ppm = {1: 40}  # of the machine's whole uptime, and in the run
    drilled.pods.there_s, drilled.pods.back_s = 0.012, 0.001
    with drilled.load() as load:
        traded(load, 5)
        until(lambda: all(rate.good_per_s > 0 for rate in seen(load).rates))
    assert load.workers_lost == []
    operations, healths, clocks = read_workers(
        drilled.run.path, drilled.plan, begun_ns=load.begin_ns
    )
    assert all(h.closed and h.torn == h.dropped == 0 for h in healths)
    assert [c.why for c in clocks] == ["", ""]
    error_ns = max(c.error_ns for c in clocks)
    assert 6 * MS < error_ns < 60 * MS  # half of 13 ms there and back, and no more than is needed
    answered = drilled.answered_ns()
    assert {place.node for place in read_places(drilled.run.path)} == {"node1", "node2"}
    made = operations.where(
        (operations.kind == Kind.CREATE)
        & (operations.outcome == Outcome.ACKED)
        & (operations.record == operations.seq)
    )
    keys = [
        key_of("inpods", w, s) for w, s in zip(made.worker.tolist(), made.seq.tolist(), strict=True)
    ]
    known = np.array([key in answered for key in keys])
    assert np.count_nonzero(known) > 50
    at_ns = np.array([answered.get(key, 0) for key in keys])[known]
    assert (made.sent_ns[known] - error_ns <= at_ns).all()
    assert (at_ns <= made.done_ns[known] + error_ns).all()


def test_the_schedule_is_the_runs_own_to_the_nanosecond(drilled: Drilled) -> None:
    drilled.pods.ahead_ns = {0: HOUR_NS}
    with drilled.load() as load:
        traded(load, 3)
    plan, evidence = drilled.evidence()
    for workload, due_ns in evidence.arrivals_ns.items():
        own = evidence.operations.where(evidence.operations.workload == workload.code)
        assert set((due_ns + load.begin_ns).tolist()) <= set(own.intended_ns.tolist())
    fit = {f.name: f for f in judge(plan, evidence).fitness}
    assert fit["schedule"].fit
    assert fit["clock"].fit
    assert fit["load-workers"].fit
    assert evidence.observation.clock_error_ns == max(c.error_ns for c in evidence.clocks) > 0


def test_a_lost_worker_makes_the_run_unfit_by_name(drilled: Drilled, until) -> None:
    drilled.pods.ahead_ns = {1: HOUR_NS}
    with drilled.load() as load:
        traded(load, 2)
        until(lambda: all(rate.good_per_s > 0 for rate in seen(load).rates))
        drilled.pods.kill(1)
        until(lambda: load.workers.workers[1].lost)  # type: ignore[attr-defined]
        assert not load.workers.why_ended()  # the other one trades on
    (lost,) = load.workers_lost
    assert (
        lost
        == "worker 1 (load-inpods-worker-1 on node2): its pod is gone: Failed with exit code -9"
    )
    assert unfit(drilled, "load-workers").measured == lost
    left = drilled.health(1)
    assert not left.closed  # what was seen of it live is kept, and says that it has no end
    assert left.end_seq > 0
    assert left.torn == 0
    assert drilled.health(0).closed
    assert unfit(drilled, "ledger-closed").measured == "left open by worker 1"


def test_a_worker_that_was_killed_in_its_pod_is_lost_but_collected(drilled: Drilled, until) -> None:
    with drilled.load() as load:
        traded(load, 1)
        (locust,) = drilled.pods.locust_of(0)
        os.kill(locust, signal.SIGKILL)
        until(lambda: load.workers.workers[0].ended_early)  # type: ignore[attr-defined]
    assert load.workers_lost == [
        "worker 0 (load-inpods-worker-0 on node1) ended early with exit code -9"
    ]
    left = drilled.health(0)
    assert (left.closed, left.torn) == (False, 0)
    assert left.end_seq > 0


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda file: file.write_bytes(flipped(file.read_bytes())), "SHA-256 differs"),
        (lambda file: os.truncate(file, 640), "it has 640 bytes, and had"),
        (lambda file: file.unlink(), "could not be collected"),
    ],
    ids=["altered", "truncated", "missing"],
)
def test_a_ledger_that_is_not_the_one_that_was_closed_is_named(
    drilled: Drilled, monkeypatch: pytest.MonkeyPatch, spoil: Callable[[Path], None], told: str
) -> None:
    collect = keeper.collect

    def spoilt(
        beside: Beside, run: Path, ended: dict[str, object], is_late: Callable[[], bool]
    ) -> str:
        if beside.pod.role.number == 1:
            spoil(drilled.pods.folder(1) / "worker-1.slots")
        return collect(beside, run, ended, is_late=is_late)

    monkeypatch.setattr(keeper, "collect", spoilt)
    with drilled.load() as load:
        traded(load, 2)
    (lost,) = load.workers_lost
    assert lost.startswith("worker 1 (load-inpods-worker-1 on node2): its ledger ")
    assert told in lost
    assert told in unfit(drilled, "load-workers").measured
    assert not drilled.health(1).closed  # the mirror: what was seen before it was spoilt
    assert drilled.health(0).closed
    assert not list((drilled.run / "ledger").glob("*.part"))


def flipped(ledger: bytes) -> bytes:
    """One bit of the third slot."""
    return ledger[:200] + bytes([ledger[200] ^ 1]) + ledger[201:]


def test_a_clock_that_steps_makes_the_run_unfit_by_name(drilled: Drilled) -> None:
    drilled.pods.ahead_ns = {0: HOUR_NS}
    with drilled.load() as load:
        traded(load, 2)
        (drilled.pods.folder(1) / "step").write_text(str(2_000 * MS))
        traded(load, 4)
    (off_pace,) = load.workers_lost  # the raw clock beside it did not step
    assert "worker 1 " in off_pace
    assert "its clock was slewed by" in off_pace
    found = unfit(drilled, "clock")
    assert found.measured.startswith("worker 1: its clock stepped about ")
    assert "worker 0" not in found.measured


def test_a_renewed_password_reaches_every_pod(drilled: Drilled, until) -> None:
    with drilled.load() as load:
        traded(load, 0)
        beside = drilled.password.with_name("renewed")
        beside.write_text("other\n")
        beside.replace(drilled.password)
        files = [drilled.pods.folder(k) / "secrets" / "application" for k in (0, 1)]
        until(lambda: all(file.read_text() == "other\n" for file in files))
    assert load.workers_lost == []
    kept = [f for f in drilled.run.path.rglob("*") if f.is_file() and b"other" in f.read_bytes()]
    assert kept == []


def test_a_load_that_nobody_asks_for_ends_by_itself(drilled: Drilled, until) -> None:
    """The harness was killed: its threads are gone, and with them the lease."""
    with drilled.load() as load:
        traded(load, 0)
        asked = Beside.clock
        try:
            Beside.clock = never_asked  # type: ignore[method-assign]
            until((drilled.pods.folder(1) / "ended.json").exists, within_s=90)
        finally:
            Beside.clock = asked  # type: ignore[method-assign]
    status = json.loads((drilled.run / "load" / "worker-1.json").read_text())
    assert status["stopped_by"] == "lease"


def never_asked(beside: Beside) -> RoundTrip:
    raise PlatformError(f"{beside.pod.name} is not asked any more")
