"""The red button: the right process, who and why in the evidence, and what was observed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from harness import cli
from harness.core.timeline import MarkName
from harness.errors import Refused
from harness.evidence import events, layout
from harness.platforms.embedded.process import ProcessId, identify
from harness.watching import abort as button
from harness.watching.live_state import in_progress, live_folder, read_live, write_live
from tests.live import live_states
from tests.live.serving_stand import PATIENCE_S, until
from tests.live.stand_in_drill import RUNBOOK_S

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def drill(run: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    """The stand-in drill, its fault active."""
    run.mkdir(parents=True)
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.live.stand_in_drill", str(run), *words],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        until(
            lambda: (
                child.poll() is not None
                or events.read(run / layout.EVENTS).timeline.first(MarkName.FAULT_ACTIVE)
            ),
            "the fault is active",
        )
        until(lambda: in_progress(live_folder()) is not None, "it tells of itself")
        yield child
    finally:
        child.kill()
        child.communicate(timeout=PATIENCE_S)


def test_it_ends_the_fault_and_keeps_who_and_why(home: Path, tmp_path: Path) -> None:
    run = tmp_path / "runs" / "r1"
    said: list[str] = []
    with drill(run) as child:
        seen = button.abort("Ann", "the tills are down", say=said.append)
        out, _ = child.communicate(timeout=PATIENCE_S)
    why = "aborted by Ann (operator): the tills are down"
    assert out.strip() == seen.told == why
    assert seen.was_armed
    assert seen.is_over
    assert seen.released_s is not None
    assert seen.healed_s is not None
    assert 0 <= seen.released_s <= seen.healed_s
    mark = events.read(run / layout.EVENTS).timeline.first(MarkName.INTERRUPTED)
    assert mark is not None
    assert mark.note == why
    assert "the lost part was observed to be back" in said[-1]
    (state,) = read_live(live_folder())
    assert (state.verdict, state.has_ended) == ("invalid", True)


def test_a_runbook_in_its_middle_comes_first_and_the_person_is_told(
    home: Path, tmp_path: Path
) -> None:
    said: list[str] = []
    run = tmp_path / "runs" / "r1"
    with drill(run, "runbook"):
        seen = button.abort("Ann", "enough", say=said.append)
    assert seen.is_over
    assert seen.released_s is not None
    assert seen.released_s >= RUNBOOK_S
    assert "the drill: stopped in the middle of toy: it is finished before all else" in said
    marks = [mark.name for mark in events.read(run / layout.EVENTS).timeline.marks]
    assert marks[-3:] == [
        MarkName.INTERRUPTED, MarkName.FAULT_RELEASED, MarkName.FAULT_HEALED,
    ]  # fmt: skip


def test_the_command_reports_and_says_when_there_is_nothing(
    home: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert cli.exit_code(["abort", "--why", "a look"]) == 2
    assert "no drill is in progress" in capfd.readouterr().err
    with drill(tmp_path / "runs" / "r1"):
        assert cli.exit_code(["abort", "--who", "Bo\x1b[31m", "--why", "a\nlook"]) == 0
    told = capfd.readouterr()
    assert "aborted: the fault is gone" in told.out
    assert "\x1b" not in told.out + told.err
    mark = events.read(tmp_path / "runs" / "r1" / layout.EVENTS).timeline.first(
        MarkName.INTERRUPTED
    )
    assert mark is not None
    assert mark.note == "aborted by Bo[31m (operator): a look"
    assert cli.exit_code(["abort"]) == 2  # it has ended


def test_a_pid_that_went_to_somebody_else_is_not_signalled(home: Path, tmp_path: Path) -> None:
    bystander = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        me = identify(bystander.pid)
        assert me is not None
        reused = ProcessId(me.pid, me.start_ticks - 1)
        write_live(live_folder(), live_states.state(process=reused))
        with pytest.raises(Refused, match="no drill is in progress"):
            button.press("Ann", "enough")
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait(PATIENCE_S)


def test_only_the_named_run_is_aborted(home: Path, tmp_path: Path) -> None:
    with drill(tmp_path / "runs" / "r1") as child:
        with pytest.raises(Refused):
            button.press("Ann", "enough", run_id="r2")
        assert child.poll() is None
        button.press("Ann", "enough", run_id="r1")
        assert child.wait(PATIENCE_S) == 4


def test_without_a_reason_nothing_is_stopped(home: Path, tmp_path: Path) -> None:
    with drill(tmp_path / "runs" / "r1") as child:
        for why in ("", " \n ", "\x00\u202e"):
            with pytest.raises(Refused, match="needs a reason"):
                button.press("Ann", why)
        assert child.poll() is None


def test_what_was_asked_of_a_run_is_forgotten_with_it(home: Path, tmp_path: Path) -> None:
    with drill(tmp_path / "runs" / "r1"):
        button.abort("Ann", "enough")
    with drill(tmp_path / "runs" / "r2") as second:
        assert not (live_folder() / "r1.asked.json").exists()
        os.kill(second.pid, 2)
        out, _ = second.communicate(timeout=PATIENCE_S)
    assert out.strip() == "stopped by SIGINT"


def test_a_drill_that_crashed_is_not_in_progress(home: Path) -> None:
    me = identify(os.getpid())
    assert me is not None
    state = live_states.state()
    write_live(live_folder(), state)
    assert in_progress(live_folder()) is not None
    write_live(live_folder(), replace(state, process=ProcessId(me.pid, me.start_ticks + 1)))
    assert in_progress(live_folder()) is None


@pytest.mark.parametrize("damage", ["unreadable", "away"])
def test_marks_that_nobody_can_read_do_not_say_that_nothing_was_broken(
    home: Path, tmp_path: Path, damage: str
) -> None:
    run = tmp_path / "r1"
    if damage == "unreadable":
        run.mkdir()
        (run / layout.EVENTS).write_bytes(b"{}\n{}\n")
    gone = ProcessId(os.getpid(), 1)
    seen = button.observed(button.Pressed("r1", run, gone, 0, "aborted by Ann", "trading"))
    assert seen.ended
    assert seen.was_armed
    assert not seen.is_over


def test_a_drill_that_had_marked_nothing_yet_had_broken_nothing(home: Path, tmp_path: Path) -> None:
    gone = ProcessId(os.getpid(), 1)
    seen = button.observed(button.Pressed("r1", tmp_path, gone, 0, "aborted by Ann", "starting"))
    assert seen.is_over
    assert not seen.was_armed
