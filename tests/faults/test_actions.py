"""The actions, in this process, on a platform of files."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from file_platform import FileNodes, FilePlatform

from harness.chaos import actions, controls, probes, signals, standing
from harness.core.timeline import MarkName
from harness.errors import FaultError, PlatformError
from harness.evidence import events
from harness.faults import deeds, journal
from harness.faults.state import State, state_of
from harness.platforms.capabilities import Instant


def _marks(run: Path) -> list[MarkName]:
    return [m.name for m in events.read(run / "events.jsonl").timeline.marks]


def _state(run: Path) -> State:
    return state_of(events.read(run / "events.jsonl").timeline)


@pytest.mark.parametrize(("selector", "name"), [("primary", "A"), ("standby", "B"), ("B", "B")])
def test_a_node_is_lost_and_restored(
    acting: FilePlatform, run: Path, selector: str, name: str
) -> None:
    assert actions.lose_node(selector) == name
    assert acting.nodes.is_dead(name)
    assert _state(run) is State.ACTIVE
    assert probes.node_is_lost(selector)
    assert actions.mend() == [f"node {name} started again"]
    assert _state(run) is State.HEALED
    assert not probes.node_is_lost(selector)
    assert actions.mend() == []
    assert acting.deeds() == [f"kill {name}", f"start {name}"]


def test_the_undo_is_on_disk_and_marked_when_the_deed_is_done(
    acting: FilePlatform, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[object] = []

    def kill(_self: FileNodes, node: str) -> Instant:
        (entry,) = journal.pending(acting.directory)
        seen.append((entry.parameter("node"), entry.run_id, _marks(run)))
        raise PlatformError("the lights went out")

    monkeypatch.setattr(FileNodes, "kill", kill)
    with pytest.raises(PlatformError):
        actions.lose_node("primary")
    assert seen == [("A", "r1", [MarkName.FAULT_ARMED])]
    assert _marks(run) == [MarkName.FAULT_ARMED, MarkName.FAULT_SPOILED]
    assert len(journal.pending(acting.directory)) == 1  # it may have done something


def test_no_target_is_an_error_and_nothing_is_armed(acting: FilePlatform, run: Path) -> None:
    for selector in ("C", "", "nodes"):
        with pytest.raises(FaultError, match="no node"):
            actions.lose_node(selector)
    acting.nodes.kill("B")
    with pytest.raises(FaultError, match="dead already"):
        actions.lose_node("standby")
    assert _marks(run) == []
    assert journal.pending(acting.directory) == ()


def test_an_effect_that_is_not_seen_is_marked_and_is_an_error(
    acting: FilePlatform, run: Path
) -> None:
    acting.set_quirk("kill-without-effect")
    with pytest.raises(FaultError, match="not dead"):
        actions.lose_node("primary")
    assert _marks(run) == [MarkName.FAULT_ARMED, MarkName.NO_EFFECT]


def test_nothing_more_is_broken_while_something_is(acting: FilePlatform, run: Path) -> None:
    actions.lose_node("primary")
    with pytest.raises(FaultError, match="run r1 left node-loss undone"):
        actions.lose_node("B")
    assert not acting.nodes.is_dead("B")


def test_a_fault_that_ended_by_itself_is_spoiled_and_still_undone(
    acting: FilePlatform, run: Path
) -> None:
    actions.lose_node("A")
    acting.nodes.start("A")
    actions.mend()
    assert _state(run) is State.SPOILED
    assert journal.pending(acting.directory) == ()


def test_the_null_fault_arms_nothing_and_sees_nothing(acting: FilePlatform, run: Path) -> None:
    actions.nothing("primary", within_s=0.05)
    assert _marks(run) == [MarkName.NO_EFFECT]
    assert actions.mend() == []
    assert acting.deeds() == []


def test_the_null_fault_says_so_when_it_sees_an_effect(acting: FilePlatform, run: Path) -> None:
    acting.nodes.kill("A")
    with pytest.raises(FaultError, match="breaks nothing"):
        actions.nothing("A", within_s=0.05)
    assert _marks(run) == [MarkName.FAULT_SPOILED]


def test_nothing_is_broken_for_a_harness_that_is_gone(
    acting: FilePlatform, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = os.pipe()
    monkeypatch.setattr(standing, "_STDIN", ours)
    monkeypatch.setenv("PEAKDRILL_HOLD", "stdin")
    assert not standing.is_released()
    os.close(theirs)
    with pytest.raises(FaultError, match="let go"):
        actions.lose_node("primary")
    os.close(ours)
    assert acting.deeds() == []


def test_hold_ends_with_standard_input_or_at_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signals, "ignore_from_now_on", lambda: None)
    ours, theirs = os.pipe()
    monkeypatch.setattr(standing, "_STDIN", ours)
    assert actions.hold("stdin", 0.05) == "limit reached"
    os.write(theirs, b"not an end")
    assert actions.hold("stdin", 0.05) == "limit reached"
    os.close(theirs)
    assert actions.hold("stdin", 600.0) == "released"
    os.close(ours)
    assert actions.hold("stdin", 600.0) == "released"  # no standard input at all
    assert actions.hold("timer", 0.01) == "timer"
    with pytest.raises(FaultError, match="allowed: stdin, timer"):
        actions.hold("forever", 1.0)


def test_without_a_run_marks_are_only_told(
    acting: FilePlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PEAKDRILL_RUN")
    monkeypatch.delenv("PEAKDRILL_PLATFORM")
    with pytest.raises(FaultError, match="no platform is up"):
        actions.lose_node("A")
    monkeypatch.setenv("FILE_PLATFORM_UP", str(acting.directory))
    assert actions.lose_node("A") == "A"
    assert journal.pending(acting.directory)[0].run_id == "by-hand"
    assert actions.mend() == ["node A started again"]


def test_a_signal_waits_until_the_deed_is_done() -> None:
    done: list[str] = []

    def handler(_number: int, _frame: object) -> None:
        done.append("signal")

    before = signal.signal(signal.SIGTERM, handler)
    try:
        with signals.deferred():
            os.kill(os.getpid(), signal.SIGTERM)
            done.append("deed")
        assert done == ["deed", "signal"]
        with signals.deferred():  # what is started inside can still be stopped
            code = "import signal; print(repr(signal.getsignal(signal.SIGTERM)))"
            told = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
        assert b"SIG_DFL" in told.stdout
    finally:
        signal.signal(signal.SIGTERM, before)


def test_the_control_stamps_steps_and_stops_a_method_whose_step_failed(
    acting: FilePlatform, run: Path
) -> None:
    experiment = {"method": [{"name": "lose-node"}], "rollbacks": [{"name": "mend"}]}

    def step(name: str, state: dict[str, str] | None) -> None:
        controls.before_activity_control(context={"name": name})
        controls.after_activity_control(
            context={"name": name}, experiment=experiment, state=state, settings=None
        )

    step("lose-node", {"status": "succeeded"})
    step("mend", {"status": "failed"})
    for state in ({"status": "failed"}, None):
        with pytest.raises(controls.InterruptExecution, match="lose-node"):
            step("lose-node", state)
    marks = events.read(run / "events.jsonl").timeline.marks
    assert [m.note for m in marks] == [
        "lose-node: succeeded", "mend: failed", "lose-node: failed",
        "lose-node: cut short",
    ]  # fmt: skip


@pytest.mark.parametrize("orphaned", [True, False])
@pytest.mark.parametrize("under_way", [True, False])
@pytest.mark.parametrize("held", [True, False])
def test_damage_in_the_middle_of_its_recovery_is_left_to_whoever_goes_on_with_that(
    acting: FilePlatform,
    monkeypatch: pytest.MonkeyPatch,
    orphaned: bool,
    under_way: bool,
    held: bool,
) -> None:
    deed = replace(deeds.all_deeds()["node-loss"], held=held)
    monkeypatch.setattr(deeds, "all_deeds", lambda: {deed.name: deed})
    monkeypatch.setenv("PEAKDRILL_HARNESS", str(os.getpid() if orphaned else os.getppid()))
    actions.lose_node("primary")
    if under_way:
        (acting.directory / "recovery").mkdir()
        (acting.directory / "recovery" / "r1.json").write_text("{}")
    actions.mend(within_s=60)
    left = orphaned and under_way and not held
    assert acting.nodes.is_dead("A") is left
    assert bool(journal.pending(acting.directory)) is left
