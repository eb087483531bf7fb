"""The method of a drill with stand-ins for all but the watch: the alerts are asked in time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness import drill as method
from harness.core.alerting import AlertWatch
from harness.core.timeline import MarkName
from harness.errors import Interrupted
from harness.evidence import canonical, events, layout
from harness.evidence.rundir import RunDirectory
from harness.faults.state import State
from harness.observe import alert_watch
from harness.observe.alerts import FiringAlert
from harness.platforms.capabilities import Wholeness
from harness.progress import Silent
from tests.core import simulate


class Alerts:
    """One alert fires since ever, and another from the deed on."""

    def __init__(self) -> None:
        self.broken, self.polls = False, 0

    def firing(self) -> tuple[FiringAlert, ...]:
        self.polls += 1
        names = ["Watchdog", "PgDown"] if self.broken else ["Watchdog"]
        return tuple(FiringAlert(name, None, (("alertname", name),)) for name in names)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunDirectory:
    monkeypatch.setattr(alert_watch, "_EVERY_S", 0.01)
    for name in ("inspect", "read_back", "conclude", "recover"):
        monkeypatch.setattr(method, name, lambda *_, **__: True)
    return RunDirectory.create(tmp_path, "r1")


def perform(
    run: RunDirectory, alerts: Alerts, monkeypatch: pytest.MonkeyPatch, deed: object
) -> None:
    fault = SimpleNamespace(
        inject=deed, await_effect=lambda _: True, release=lambda: None, state=State.ACTIVE,
        await_healed=lambda _: True, why="",
    )  # fmt: skip
    load = SimpleNamespace(
        hold_baseline=lambda: None, await_well=lambda: seen(run), hold_after=lambda: None,
        workers_lost=[], progress=Silent(), pulse=lambda: None,
    )  # fmt: skip
    guard = SimpleNamespace(watch_over=lambda _: None)
    parts = {"trading": load, "injecting": fault, "witness": None, "guarded": guard}
    for name, part in parts.items():
        monkeypatch.setattr(method, name, held(part))
    platform = SimpleNamespace(whole=lambda: Wholeness(True, ()), directory=run.path)
    method.drill(simulate.plan_of(), platform, run, Silent(), alerts)


def held(part: object) -> object:
    @contextmanager
    def within(*_: object) -> Iterator[object]:
        yield part

    return within


def seen(run: RunDirectory) -> bool:
    """The drill watches the platform come back, and somebody notices meanwhile."""
    for _ in range(2000):
        if events.read(run / layout.EVENTS).timeline.first(MarkName.DETECTED):
            return True
        time.sleep(0.01)
    return False


def test_the_first_poll_comes_before_the_deed_and_the_alert_is_marked(
    run: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    alerts = Alerts()
    polled_before, at = [], []

    def deed() -> None:
        polled_before.append(alerts.polls)
        at.append(time.monotonic_ns())
        alerts.broken = True

    perform(run, alerts, monkeypatch, deed)
    assert polled_before[0] >= 1
    mark = events.read(run / layout.EVENTS).timeline.first(MarkName.DETECTED)
    assert mark is not None
    assert mark.note == "alert: PgDown"
    assert mark.latest_ns >= at[0]
    watch = canonical.loads(AlertWatch, run / layout.ALERTS)
    assert watch.before == ("Watchdog",)
    asked = alerts.polls
    time.sleep(0.05)
    assert alerts.polls == asked  # nobody asks when it is over


def test_a_drill_that_is_stopped_still_says_how_it_was_watched(
    run: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    def deed() -> None:
        raise Interrupted("stopped by SIGINT")

    perform(run, Alerts(), monkeypatch, deed)
    assert canonical.loads(AlertWatch, run / layout.ALERTS).answered >= 1
