"""The watch of the alerts: an interval for each new one, and never silence for a lack of answers."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from stand_in_servers import Prometheus, Reply, labels, serving, until

from harness.core.alerting import ALERT_NOTE, AlertWatch, detection
from harness.core.timeline import Mark, MarkName, Timeline
from harness.errors import PlatformError
from harness.evidence import canonical, events, layout
from harness.evidence.rundir import RunDirectory
from harness.observe import alert_watch
from harness.observe.alert_watch import Watcher, watching
from harness.observe.alerts import Alerts, FiringAlert

S = 1_000_000_000
FAULT = Mark(MarkName.FAULT_ACTIVE, 100 * S, 101 * S)


class Told:
    """A source that says what the test says."""

    def __init__(self) -> None:
        self.now: list[FiringAlert] | Exception = []

    def firing(self) -> tuple[FiringAlert, ...]:
        if isinstance(self.now, Exception):
            raise self.now
        return tuple(self.now)


def alert(name: str, **more: str) -> FiringAlert:
    return FiringAlert(name, None, tuple(sorted(labels(name, **more).items())))


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    return RunDirectory.create(tmp_path, "r1")


def marks(run: RunDirectory) -> list[Mark]:
    return list(events.read(run / layout.EVENTS).timeline.marks)


def watch_of(run: RunDirectory) -> AlertWatch:
    return canonical.loads(AlertWatch, run / layout.ALERTS)


def polled(run: RunDirectory, *answers: list[FiringAlert] | Exception) -> AlertWatch:
    told, over = Told(), threading.Event()
    watcher = Watcher(told, run)
    for answer in answers:
        told.now = answer
        watcher.poll(over)
    return watcher.told()


DOWN = PlatformError("prometheus:9090 could not be asked: Connection refused")


def test_a_new_alert_is_marked_between_the_two_polls(run: RunDirectory) -> None:
    before_ns = time.monotonic_ns()
    watch = polled(run, [alert("Watchdog")], [alert("Watchdog"), alert("PgDown")])
    (mark,) = marks(run)
    assert (mark.name, mark.note) == (MarkName.DETECTED, "alert: PgDown")
    assert before_ns <= mark.earliest_ns <= mark.latest_ns <= time.monotonic_ns()
    assert (watch.polls, watch.answered, watch.before) == (2, 2, ("Watchdog",))


def test_what_fires_on_is_marked_once_and_two_of_a_name_in_one_poll_are_one(
    run: RunDirectory,
) -> None:
    two = [alert("PgDown", node="a"), alert("PgDown", node="b")]
    polled(run, [], two, two, [], two)
    assert [m.note for m in marks(run)] == ["alert: PgDown"]


def test_the_same_name_on_another_node_is_another_alert(run: RunDirectory) -> None:
    old = alert("InstanceDown", node="z")
    polled(run, [old], [old, alert("InstanceDown", node="a")])
    assert [m.note for m in marks(run)] == ["alert: InstanceDown"]


def test_polls_without_an_answer_widen_the_interval(run: RunDirectory) -> None:
    told, over = Told(), threading.Event()
    watcher = Watcher(told, run)
    watcher.poll(over)
    seen_quiet_ns = time.monotonic_ns()
    told.now = DOWN
    watcher.poll(over)
    watcher.poll(over)
    told.now = [alert("PgDown")]
    watcher.poll(over)
    (mark,) = marks(run)
    assert mark.earliest_ns <= seen_quiet_ns
    watch = watcher.told()
    assert (watch.polls, watch.answered) == (4, 2)
    assert watch.trouble == DOWN.what
    assert watch.unanswered_ns >= mark.latest_ns - mark.earliest_ns


def test_who_never_answered_leaves_no_mark_and_says_why(run: RunDirectory) -> None:
    watch = polled(run, DOWN, DOWN)
    assert marks(run) == []
    assert (watch.answered, watch.first_answer_ns, watch.trouble) == (0, None, DOWN.what)
    found = detection("p:1", Timeline((FAULT,)), watch)
    assert found.first is None
    assert not found.could_be_asked


def test_what_fires_at_a_late_first_answer_is_no_detection(run: RunDirectory) -> None:
    watch = polled(run, DOWN, [alert("PgDown")])
    assert marks(run) == []
    assert watch.before == ("PgDown",)


def test_a_poll_that_hung_over_the_end_writes_no_mark(run: RunDirectory) -> None:
    told, over = Told(), threading.Event()
    watcher = Watcher(told, run)
    watcher.poll(over)
    told.now = [alert("PgDown")]
    over.set()
    watcher.poll(over)
    assert marks(run) == []


def test_a_real_server_is_watched_and_the_way_it_went_is_evidence(
    run: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alert_watch, "_EVERY_S", 0.02)
    prometheus = Prometheus([labels("Watchdog")])
    with serving(prometheus) as server:
        with watching(Alerts(server.url), run):
            prometheus.firing.append(labels("PgDown", severity="page"))
            until(lambda: bool(marks(run)))
            server.answer = lambda _: Reply(503)
            until(lambda: len(server.asked) > 20)
        asked = len(server.asked)
        time.sleep(0.1)
        assert len(server.asked) == asked  # the thread has ended
    assert [m.note for m in marks(run)] == ["alert: PgDown"]
    watch = watch_of(run)
    assert watch.before == ("Watchdog",)
    assert 2 <= watch.answered < watch.polls
    assert "answered 503" in watch.trouble


def test_nobody_to_ask_leaves_nothing(run: RunDirectory) -> None:
    with watching(None, run):
        pass
    assert not (run / layout.ALERTS).exists()


def test_an_error_within_goes_on_and_the_watch_is_kept(run: RunDirectory) -> None:
    with pytest.raises(KeyError), watching(Told(), run):
        raise KeyError
    assert watch_of(run).answered >= 1


def detected(*marks: Mark, watch: AlertWatch | None = None) -> object:
    return detection("p:1", Timeline((FAULT, *marks)), watch)


def fired(name: str, earliest_s: int, latest_s: int) -> Mark:
    return Mark(MarkName.DETECTED, earliest_s * S, latest_s * S, f"{ALERT_NOTE}{name}")


def test_the_time_to_detect_is_an_interval_from_both_ends_of_the_fault() -> None:
    found = detected(fired("B", 111, 112), fired("A", 104, 105), fired("B", 120, 121))
    assert [(a.name, a.low_ns, a.high_ns) for a in found.alerts] == [
        ("A", 3 * S, 5 * S), ("B", 10 * S, 12 * S),
    ]  # fmt: skip
    assert found.first.name == "A"


def test_an_alert_of_before_the_fault_detected_nothing() -> None:
    found = detected(fired("Early", 98, 100))
    assert (found.alerts, found.early) == ((), ("Early",))


def test_an_alert_that_may_have_come_just_before_may_have_come_after() -> None:
    found = detected(fired("Close", 99, 103))
    assert [(a.low_ns, a.high_ns) for a in found.alerts] == [(0, 3 * S)]


def test_a_runbook_s_own_finding_is_no_alert() -> None:
    mark = Mark(MarkName.DETECTED, 105 * S, 106 * S, "the damaged page is named")
    assert detected(mark).alerts == ()


def test_what_fired_at_the_first_answer_is_told_beside() -> None:
    watch = AlertWatch(3, 3, 0, 1, 1, ("Watchdog",), "")
    found = detected(fired("A", 104, 105), watch=watch)
    assert found.early == ("Watchdog",)
    assert [a.name for a in found.alerts] == ["A"]


def test_without_an_effect_nothing_was_detected() -> None:
    found = detection("p:1", Timeline((fired("A", 1, 2),)), None)
    assert (found.alerts, found.early) == ((), ("A",))
    assert replace(found, source="") != found
