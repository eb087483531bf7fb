"""Whatever dies, and whenever: afterwards nothing is broken and nothing is forgotten."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from file_platform import FilePlatform
from watching import is_gone, until

from harness.core.timeline import MarkName
from harness.evidence import events
from harness.faults import journal, undo

FATES = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
LIFE_S = 1.5  # about what an injection takes from its start to its active state


@pytest.mark.parametrize("seed", range(6))
def test_a_child_struck_at_any_instant(files: FilePlatform, run: Path, seed: int) -> None:
    _strike_child(files, run, seed)


@pytest.mark.parametrize("seed", range(2))
def test_a_harness_killed_at_any_instant(files: FilePlatform, run: Path, seed: int) -> None:
    _kill_harness(files, run, seed)


@pytest.mark.campaign
@pytest.mark.parametrize("seed", range(100, 200))
def test_a_child_struck_at_any_instant_many_times(
    files: FilePlatform, run: Path, seed: int
) -> None:
    _strike_child(files, run, seed)


@pytest.mark.campaign
@pytest.mark.parametrize("seed", range(100, 200))
def test_a_harness_killed_at_any_instant_many_times(
    files: FilePlatform, run: Path, seed: int
) -> None:
    _kill_harness(files, run, seed)


def _strike_child(files: FilePlatform, run: Path, seed: int) -> None:
    """Strike the child of a live harness; the harness then leaves its block."""
    from harness.faults.experiment import find_experiment
    from harness.faults.injection import injection

    dice = random.Random(seed)
    with injection(find_experiment("node-loss"), {"node": "primary"}, files, run) as fault:
        fault.inject()
        assert fault.pid is not None
        if dice.random() < 0.5:  # half of them while it comes to life, half while it holds or ends
            time.sleep(dice.uniform(0, LIFE_S))
        else:
            fault.await_effect(within_s=60)
            fault.release()
            time.sleep(dice.uniform(0, 0.1))
        os.kill(fault.pid, dice.choice(FATES))
    _nothing_is_broken(files, run)


def _kill_harness(files: FilePlatform, run: Path, seed: int) -> None:
    dice = random.Random(seed)
    program = Path(__file__).parent / "harness_process.py"
    with subprocess.Popen(
        [sys.executable, program, files.directory, run], stdout=subprocess.DEVNULL
    ) as process:
        time.sleep(dice.uniform(0, 2 * LIFE_S))
        process.kill()
    until(lambda: not _children_of(run), "the child's end")
    undo.replay(files)
    _nothing_is_broken(files, run)


def _children_of(run: Path) -> list[int]:
    """Processes that were started for this run: its folder stands in their command."""
    found = []
    for line in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if str(run).encode() in line.read_bytes() and not is_gone(int(line.parent.name)):
                found.append(int(line.parent.name))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def _nothing_is_broken(files: FilePlatform, run: Path) -> None:
    assert files.nodes is not None
    assert not any(files.nodes.is_dead(name) for name in files.nodes.names())
    assert journal.pending(files.directory) == ()
    assert undo.replay(files) == []
    timeline = events.read(run / "events.jsonl").timeline
    assert ("kill A" in files.deeds()) <= (timeline.first(MarkName.FAULT_ARMED) is not None)
    assert files.deeds().count("kill A") <= 1
