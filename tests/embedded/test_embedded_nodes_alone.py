"""A node without a platform: its processes die together, and nothing else does."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import pytest

from harness.errors import NotReady, PlatformError
from harness.platforms.embedded import namespace, process
from harness.platforms.embedded.node import Node, Part, clean_environment
from harness.platforms.embedded.waiting import await_ready

pytestmark = pytest.mark.skipif(
    namespace.problem_here() is not None, reason="this machine makes no user namespaces"
)


def shell(folder: Path, name: str, script: str) -> Part:
    return Part(
        name=name,
        argv=["/bin/sh", "-c", script],
        env=clean_environment(folder),
        folder=str(folder),
        log=str(folder / f"{name}.log"),
    )


@pytest.fixture
def node(tmp_path: Path):
    made = Node("n", tmp_path / "nodes" / "n")
    made.folder.mkdir(parents=True)
    yield made
    made.kill()


def define(node: Node, **scripts: str) -> None:
    node.define([shell(node.folder, name, s) for name, s in scripts.items()], stop_s=5.0)


def test_every_process_dies_at_once_and_is_seen_to(node: Node) -> None:
    # one that hides in a session of its own, as PostgreSQL does, and one that ignores SIGTERM
    define(node, hidden="setsid sleep 600 & sleep 600", deaf="trap '' TERM; sleep 600 & wait")
    node.start()
    await_ready("both parts", lambda: len(node.all_pids()) >= 6, within_s=10)
    family = [p for pid in node.all_pids() if (p := process.identify(pid))]
    before_ns = time.monotonic_ns()
    death = node.kill()
    assert before_ns <= death.earliest_ns < death.latest_ns <= time.monotonic_ns()
    assert node.is_dead()
    assert not [p for p in family if process.is_alive(p)]


def test_a_second_start_is_harmless(node: Node) -> None:
    define(node, sleeper="sleep 600")
    node.start()
    first = node.part_pids()
    node.start()
    assert node.part_pids() == first != {}


def test_another_process_finds_the_node_by_its_folder_alone(node: Node) -> None:
    define(node, sleeper="sleep 600")
    node.start()
    again = Node(node.name, node.folder)
    assert not again.is_dead()
    assert again.part_pids() == node.part_pids()
    again.kill()
    assert node.is_dead()


def test_a_crashed_part_is_started_again_while_the_node_lives(node: Node) -> None:
    define(node, crasher="sleep 600")
    node.start()
    first = node.part_pids()["crasher"]
    os.kill(first, signal.SIGKILL)
    again = await_ready(
        "the part",
        lambda: (pid := node.part_pids().get("crasher")) != first and pid,
        within_s=10,
    )
    assert again != first
    starts = json.loads((node.folder / "parts.json").read_text())["crasher"]["starts"]
    assert starts == 2


def test_a_polite_stop_lets_parts_finish(node: Node) -> None:
    told = node.folder / "told"
    define(node, polite=f"trap 'echo ended >{told}; exit 0' TERM; echo >{told}; sleep 600 & wait")
    node.start()
    await_ready("the trap", told.exists, within_s=10)
    assert node.stop(10.0)
    assert told.read_text() == "ended\n"
    assert node.is_dead()


def test_parts_see_a_tmp_of_their_own_and_no_capabilities(node: Node) -> None:
    seen = node.folder / "seen"
    mark = f"peakdrill-{os.getpid()}"
    define(
        node,
        looker=f"touch /tmp/{mark}; grep CapEff /proc/self/status >{seen}.new; "
        f"mv {seen}.new {seen}; sleep 600",
    )
    node.start()
    await_ready("the look", seen.exists, within_s=10)
    assert seen.read_text().split() == ["CapEff:", "0" * 16]
    assert not Path("/tmp", mark).exists()


def test_a_node_that_cannot_run_says_why(node: Node) -> None:
    node.folder.joinpath("spec.json").write_text("no json")
    with pytest.raises((NotReady, PlatformError), match="did not come up"):
        node.start()


def test_a_reused_pid_is_never_touched() -> None:
    us = process.identify(os.getpid())
    assert us is not None
    other = process.ProcessId(us.pid, us.start_ticks + 1)
    assert process.is_alive(us)
    assert not process.is_alive(other)
    with process.held([other]) as descriptors:
        assert descriptors == []
