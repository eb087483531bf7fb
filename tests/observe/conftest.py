"""A judged run of the kind that the reports are tested with, and no order from the environment."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from harness.core.alerting import AlertWatch, Detection, FirstAlert
from harness.core.judge import judge
from harness.core.money import money
from harness.core.record import RunRecord, WallClock
from harness.core.series import series
from harness.core.targets import Targets
from tests.core import simulate

S = simulate.S
WALL = WallClock(1_795_800_000 * S, "the journal of the experiment")


@pytest.fixture(scope="session")
def judged() -> RunRecord:
    """A simulated node loss in which three orders were lost, and an alert came."""
    targets = Targets(simulate.TARGETS.workloads, cost_per_hour_cents=1850, season="black-friday")
    plan = simulate.plan_of(targets=targets)
    plan, seen = simulate.evidence(plan=plan, defects=simulate.Defects(lost=3))
    fault = seen.timeline.first(simulate.MarkName.FAULT_ACTIVE)
    assert fault is not None
    watch = AlertWatch(41, 40, 0, 1, 1, ("Watchdog",), "", 2 * S)
    return RunRecord(
        plan=replace(plan, release="2026.11.1", alerts="prometheus:9090"),
        judgement=judge(plan, seen),
        timeline=seen.timeline,
        series=series(plan, seen),
        origin_ns=fault.latest_ns,
        load_begun_ns=seen.load_begun_ns,
        load_stopped_ns=seen.load_stopped_ns,
        begun_utc="2026-11-27T22:15:14Z",
        evidence_digest="ab" * 32,
        directory=plan.run_id,
        money=money(plan, seen),
        detection=Detection(
            "prometheus:9090", watch, (FirstAlert("PgPrimaryGone", 5 * S, 6 * S),), ("Watchdog",)
        ),
        wall=WALL,
    )


@pytest.fixture(autouse=True)
def nobody_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("PEAKDRILL_", "OTEL_")):
            monkeypatch.delenv(name)


@pytest.fixture
def token(tmp_path: Path) -> Path:
    file = tmp_path / "token"
    file.write_text("s3cr3t-token\n")
    return file
