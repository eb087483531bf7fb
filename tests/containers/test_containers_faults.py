"""A node killed, frozen, cut off: its smoke test and its null run, each on real containers."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import psycopg
import pytest
from docker_seen import PATIENCE_S, inspected, until

from harness.core.timeline import MarkName
from harness.errors import FaultError
from harness.evidence import events
from harness.faults import journal, undo
from harness.faults.experiment import find_experiment
from harness.faults.injection import injection
from harness.faults.state import FAULT_MARKS, State
from harness.platforms.containers import names
from harness.platforms.containers.platform import ContainersPlatform

pytestmark = [pytest.mark.containers, pytest.mark.timeout(600)]
FAULTS = {
    "node-loss": lambda platform, node: platform.nodes.is_dead(node),
    "container-pause": lambda platform, node: platform.isolation.is_frozen(node),
    "container-disconnect": lambda platform, node: platform.isolation.is_cut_off(node),
}


def marks(run: Path) -> list[MarkName]:
    found = events.read(run / "events.jsonl").timeline.marks
    return [mark.name for mark in found if mark.name in FAULT_MARKS]


@pytest.mark.parametrize("fault", FAULTS)
def test_smoke_the_primary_is_gone_alone_and_comes_back(
    whole: ContainersPlatform, run: Path, fault: str
) -> None:
    is_gone, nodes = FAULTS[fault], whole.nodes
    gone, spared = nodes.resolve("primary"), nodes.resolve("standby")
    doors = [bindings_of(whole, part) for part in names.NODES[gone]]
    with injection(find_experiment(fault), {"node": "primary"}, whole, run) as injected:
        injected.inject()
        assert injected.await_effect(within_s=PATIENCE_S), injected.why
        assert is_gone(whole, gone)
        assert not is_gone(whole, spared)
        assert not nodes.is_back(gone)
        assert not whole.whole().whole
        assert [other for other in FAULTS if FAULTS[other](whole, gone)] == [fault]
        until(lambda: whole.database.leader() == spared, "the failover")
        assert injected.state is State.ACTIVE
        injected.release()
        assert injected.await_healed(within_s=PATIENCE_S), injected.why
    assert injected.state is State.HEALED
    assert nodes.is_back(gone)
    assert [bindings_of(whole, part) for part in names.NODES[gone]] == doors
    found = events.read(run / "events.jsonl").timeline
    active, healed = found.first(MarkName.FAULT_ACTIVE), found.first(MarkName.FAULT_HEALED)
    assert active is not None
    assert healed is not None
    assert active.earliest_ns < active.latest_ns < healed.earliest_ns


def bindings_of(platform: ContainersPlatform, part: str) -> object:
    """What is really published, by Docker's own word."""
    told = inspected(names.container(platform.directory.name, part))
    ports = told["NetworkSettings"]["Ports"]
    return {inside: bound for inside, bound in ports.items() if bound}


@pytest.mark.parametrize("fault", FAULTS)
def test_null_no_effect_is_seen_on_a_whole_platform(
    whole: ContainersPlatform, run: Path, fault: str
) -> None:
    parameters = {"fault": fault, "node": "primary"}
    with injection(find_experiment("null"), parameters, whole, run) as injected:
        injected.inject()
        assert not injected.await_effect(within_s=PATIENCE_S)
        assert "no effect was observed" in injected.why
    assert marks(run) == [MarkName.NO_EFFECT]
    assert whole.whole().whole


def test_whoever_asks_a_frozen_node_hangs_until_it_goes_on(whole: ContainersPlatform) -> None:
    """Neither refused nor reset; the server's own time-out cannot help, for it stands still, too."""
    node = whole.nodes.resolve("standby")
    answers: list[object] = []
    with psycopg.connect(whole.database.superuser_dsn(node), autocommit=True) as connection:
        connection.execute("SET statement_timeout = '1s'")
        asking = threading.Thread(
            target=lambda: answers.append(connection.execute("SELECT 1").fetchone()), daemon=True
        )
        whole.isolation.freeze(node)
        try:
            asking.start()
            asking.join(4.0)
            assert asking.is_alive()
            assert answers == []
        finally:
            whole.isolation.thaw(node)
            whole.isolation.thaw(node)  # harmless
        asking.join(PATIENCE_S)
        assert answers == [(1,)]
    until(lambda: whole.nodes.is_back(node), "a thawed standby")


def test_no_such_node_and_one_that_is_gone_are_errors(whole: ContainersPlatform) -> None:
    with pytest.raises(FaultError, match="no node 'c'"):
        whole.nodes.resolve("c")
    with pytest.raises(FaultError, match="no node 'z'"):
        whole.isolation.freeze("z")
    node = whole.nodes.resolve("standby")
    whole.nodes.kill(node)
    try:
        with pytest.raises(FaultError, match="dead already"):
            whole.nodes.kill(node)
        with pytest.raises(FaultError, match="no node is standby"):
            whole.nodes.resolve("standby")
        assert not whole.isolation.is_cut_off(node)
    finally:
        whole.nodes.start(node)
        whole.nodes.start(node)  # harmless
    until(lambda: whole.nodes.is_back(node), "a node that was started again")


def test_child_killed_the_journal_remains_and_undo_thaws(
    whole: ContainersPlatform, run: Path
) -> None:
    node = whole.nodes.resolve("standby")
    experiment = find_experiment("container-pause")
    with injection(experiment, {"node": "standby"}, whole, run) as injected:
        injected.inject()
        assert injected.await_effect(within_s=PATIENCE_S), injected.why
        assert injected.pid is not None
        os.kill(injected.pid, signal.SIGKILL)
        assert not injected.await_healed(within_s=PATIENCE_S)
        assert journal.pending(whole.directory)[0].parameter("node") == node
        assert whole.isolation.is_frozen(node)
        assert undo.replay(whole) == [f"node {node} goes on"]
        assert undo.replay(whole) == []
    assert whole.nodes.is_back(node)
