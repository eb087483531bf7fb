"""Node power: what only this machine can give back, it gives back when the harness is dead."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import file_platform
import pytest
from file_platform import FilePlatform

from harness.chaos import actions, keeping
from harness.errors import FaultError
from harness.faults import journal, watchdog
from harness.faults.experiment import find_experiment
from harness.faults.injection import injection
from harness.faults.state import State

HARNESS = Path(__file__).parent / "harness_process.py"
CHILD_SITE = Path(__file__).parent / "child_site"


@pytest.fixture
def hooked(files: FilePlatform) -> FilePlatform:
    """A platform whose nodes get their power from this machine alone."""
    (files.directory / "undo-lease-s").write_text("2")
    return files


def until(reached: Callable[[], bool], within_s: float = 60.0) -> None:
    deadline = time.monotonic() + within_s
    while not reached():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.05)


def watchdogs(platform: FilePlatform) -> list[int]:
    """Those that say that they watch, and live."""
    told = (platform.directory / "undo").glob("*.watched")
    pids = [int(file.read_text()) for file in told]
    return [pid for pid in pids if Path(f"/proc/{pid}/stat").exists()]


def test_harness_and_child_killed_and_the_power_comes_back(hooked: FilePlatform, run: Path) -> None:
    command = [sys.executable, str(HARNESS), str(hooked.directory), str(run)]
    environment = os.environ | {"PYTHONPATH": str(CHILD_SITE)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as harness:
        assert harness.stdout is not None
        child = int(harness.stdout.readline().split()[1])
        (dog,) = watchdogs(hooked)
        assert hooked.nodes.is_dead("A")
        for pid in (harness.pid, child):
            os.kill(pid, signal.SIGKILL)
    assert os.getsid(dog) == dog
    until(lambda: not hooked.nodes.is_dead("A"))
    until(lambda: journal.pending(hooked.directory) == ())
    until(lambda: not Path(f"/proc/{dog}").exists())
    assert hooked.deeds() == ["kill A", "start A"]
    assert [f.name for f in (hooked.directory / "undo").iterdir() if "beat" in f.name] == []


def test_a_held_fault_is_left_alone_and_the_watchdog_ends_with_it(
    hooked: FilePlatform, run: Path
) -> None:
    with injection(find_experiment("node-loss"), {"node": "primary"}, hooked, run) as fault:
        fault.inject()
        assert fault.await_effect(within_s=120), fault.why
        (dog,) = watchdogs(hooked)
        time.sleep(4)  # twice its time: it is renewed
        assert hooked.nodes.is_dead("A")
        fault.release()
        assert fault.await_healed(within_s=60), fault.why
    assert fault.state is State.HEALED
    until(lambda: not Path(f"/proc/{dog}").exists())
    assert hooked.deeds() == ["kill A", "start A"]


def test_nothing_is_broken_where_no_watchdog_watches(
    acting: FilePlatform, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (acting.directory / "undo-lease-s").write_text("2")
    monkeypatch.setattr(watchdog.sys, "executable", "/bin/false")
    with pytest.raises(FaultError, match="no watchdog watches"):
        actions.lose_node("primary")
    assert acting.deeds() == []
    assert actions.mend() == ["node A started again"]  # harmless: it ran all along
    assert not acting.nodes.is_dead("A")


def test_a_platform_that_needs_none_has_none(acting: FilePlatform, run: Path) -> None:
    actions.lose_node("primary")
    assert watchdogs(acting) == []
    assert keeping._renewals == []
    actions.mend()


def test_an_undo_that_fails_is_tried_again(
    hooked: FilePlatform, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(watchdog, "_AGAIN_S", 0.2)
    hooked.nodes.kill("A")
    entry = journal.write(hooked.directory, "node-loss", {"node": "A"}, "r1")
    hooked.set_quirk("start-fails")
    tries: list[str] = []

    def look_again(_s: float) -> None:
        tries.append("again")
        if len(tries) == 12:
            hooked.set_quirk("start-fails", on=False)

    monkeypatch.setattr(watchdog.time, "sleep", look_again)
    assert watchdog.watch(entry.file, 0.0) == 0
    assert not hooked.nodes.is_dead("A")
    assert "no room to start" in capsys.readouterr().out


def test_an_error_that_nobody_foresaw_ends_no_watchdog(
    hooked: FilePlatform, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody else is left who could give the node its power back."""
    parameters = {"node": "A", "selector": "primary"}
    entry = journal.write(hooked.directory, "node-loss", parameters, "r1")
    hooked.nodes.kill("A")
    tries: list[Path] = []

    def found(directory: Path) -> FilePlatform:
        tries.append(directory)
        if len(tries) == 1:
            raise RuntimeError("a bug")
        return hooked

    monkeypatch.setattr(file_platform, "platform_at", found)
    monkeypatch.setattr(watchdog, "_AGAIN_S", 0.0)
    assert watchdog.watch(entry.file, 0.0) == 0
    assert not hooked.nodes.is_dead("A")
    assert "not undone yet: RuntimeError" in capsys.readouterr().out
