"""The node loss on the embedded platform: its smoke test, its null run, and every way to die."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from watching import PATIENCE_S, is_gone, until

from harness.core.timeline import MarkName
from harness.evidence import events
from harness.faults import journal, undo
from harness.faults.experiment import find_experiment
from harness.faults.injection import Bounds, Injection, injection
from harness.faults.state import FAULT_MARKS, State
from harness.platforms.capabilities import Nodes, Platform
from tests.conftest import missing_in_the_end

pytestmark = pytest.mark.platform
LOSS = find_experiment("node-loss")


@pytest.fixture
def whole(platform: Platform) -> Iterator[Platform]:
    """The platform, whole before a test and left whole after it: others share it."""
    until(lambda: platform.whole().whole, "a whole platform")
    yield platform
    assert journal.pending(platform.directory) == ()
    until(lambda: platform.whole().whole, "a platform that is whole again")


def _nodes(platform: Platform) -> Nodes:
    assert platform.nodes is not None
    return platform.nodes


def _fault_marks(run: Path) -> list[MarkName]:
    marks = events.read(run / "events.jsonl").timeline.marks
    return [m.name for m in marks if m.name in FAULT_MARKS]


def _lose_standby(fault: Injection) -> int:
    fault.inject()
    assert fault.await_effect(within_s=PATIENCE_S), fault.why
    assert fault.pid is not None
    return fault.pid


def test_smoke_the_primary_is_lost_alone_and_comes_back(whole: Platform, run: Path) -> None:
    nodes = _nodes(whole)
    lost, spared = nodes.resolve("primary"), nodes.resolve("standby")
    assert not nodes.is_dead(lost)
    with injection(LOSS, {"node": "primary"}, whole, run) as fault:
        fault.inject()
        assert fault.await_effect(within_s=PATIENCE_S), fault.why
        assert nodes.is_dead(lost)
        assert not nodes.is_back(lost)
        assert not nodes.is_dead(spared)
        assert not whole.whole().whole
        assert whole.database is not None
        until(lambda: whole.database.leader() == spared, "the failover")
        assert fault.state is State.ACTIVE
        fault.release()
        assert fault.await_healed(within_s=PATIENCE_S), fault.why
        assert fault.state is State.HEALED
        assert nodes.is_back(lost)
    timeline = events.read(run / "events.jsonl").timeline
    active, healed = timeline.first(MarkName.FAULT_ACTIVE), timeline.first(MarkName.FAULT_HEALED)
    assert active is not None
    assert healed is not None
    assert active.earliest_ns < active.latest_ns < healed.earliest_ns


def test_null_the_check_sees_no_effect_on_a_whole_platform(whole: Platform, run: Path) -> None:
    with injection(find_experiment("null"), {"node": "primary"}, whole, run) as fault:
        fault.inject()
        assert not fault.await_effect(within_s=PATIENCE_S)
        assert "no effect was observed" in fault.why
    assert _fault_marks(run) == [MarkName.NO_EFFECT]
    assert missing_in_the_end(whole) == ()


def test_harness_killed_the_rollback_runs(whole: Platform, run: Path) -> None:
    lost = _nodes(whole).resolve("primary")
    child = _harness_killed(whole, run, lambda _: None)
    until(lambda: is_gone(child), "the child's end")
    assert _fault_marks(run)[-1] is MarkName.FAULT_HEALED
    assert _nodes(whole).is_back(lost)
    assert undo.replay(whole) == []


def test_harness_and_child_killed_undo_mends_and_twice_is_harmless(
    whole: Platform, run: Path
) -> None:
    lost = _nodes(whole).resolve("primary")
    child = _harness_killed(whole, run, lambda pid: os.kill(pid, signal.SIGKILL))
    until(lambda: is_gone(child), "the child's end")
    assert _nodes(whole).is_dead(lost)
    assert undo.replay(whole) == [f"node {lost} started again"]
    assert _nodes(whole).is_back(lost)
    assert undo.replay(whole) == []


def test_child_killed_the_journal_remains_and_close_mends(whole: Platform, run: Path) -> None:
    lost = _nodes(whole).resolve("standby")
    with injection(LOSS, {"node": "standby"}, whole, run) as fault:
        os.kill(_lose_standby(fault), signal.SIGKILL)
        assert not fault.await_healed(within_s=PATIENCE_S)
        assert journal.pending(whole.directory)[0].parameter("node") == lost
        assert _nodes(whole).is_dead(lost)
    assert fault.state is State.SPOILED
    assert _nodes(whole).is_back(lost)


def test_child_terminated_the_rollbacks_are_played(whole: Platform, run: Path) -> None:
    lost = _nodes(whole).resolve("standby")
    with injection(LOSS, {"node": "standby"}, whole, run) as fault:
        os.kill(_lose_standby(fault), signal.SIGTERM)
        until(lambda: MarkName.FAULT_HEALED in _fault_marks(run), "the rollback")
        assert _nodes(whole).is_back(lost)


def test_a_failed_hypothesis_runs_the_rollbacks_and_breaks_nothing(
    whole: Platform, run: Path
) -> None:
    nodes = _nodes(whole)
    lost = nodes.resolve("standby")
    nodes.kill(lost)
    try:
        bounds = Bounds(whole_s=1)
        with injection(LOSS, {"node": "primary"}, whole, run, bounds=bounds) as fault:
            fault.inject()
            assert not fault.await_effect(within_s=PATIENCE_S)
        assert "no step of its method was run" in fault.why
        assert f"the platform is not whole: node {lost} is dead" in fault.why
        assert _fault_marks(run) == [MarkName.FAULT_SPOILED]
        assert not nodes.is_dead(nodes.resolve("primary"))
    finally:
        nodes.start(lost)


def _harness_killed(platform: Platform, run: Path, first: Callable[[int], object]) -> int:
    """Kill -9 a harness whose fault is active; returns the child's pid."""
    program = Path(__file__).parent / "harness_process.py"
    with subprocess.Popen(
        [sys.executable, program, platform.directory, run], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        told = process.stdout.readline().split()
        assert told[:1] == ["active"]
        first(int(told[1]))
        process.kill()
    return int(told[1])
