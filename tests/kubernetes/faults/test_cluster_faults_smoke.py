"""Each fault in a real cluster as a drill makes it, and the null run of each."""

from __future__ import annotations

from pathlib import Path

import pytest
from cluster_platform import ClusterPlatform
from shop_of_pods import Stand, until

from harness.core.timeline import MarkName
from harness.evidence import events
from harness.faults import journal
from harness.faults.experiment import find_experiment
from harness.faults.injection import injection
from harness.faults.state import State
from harness.platforms.reference import lease as leases

pytestmark = pytest.mark.kubernetes


def marks(run: Path) -> list[tuple[MarkName, str]]:
    timeline = events.read(run / "events.jsonl").timeline
    return [(mark.name, mark.note) for mark in timeline.marks]


def test_a_node_is_drained_held_and_opened_again(
    home: Stand, keeper: Path, drilled: ClusterPlatform, run: Path
) -> None:
    file, node = find_experiment("node-drain"), {"node": "primary"}
    before = home.uids()
    with injection(file, node, drilled, run) as fault:
        fault.inject()
        assert fault.await_effect(within_s=90), fault.why
        assert not home.is_open()
        assert home.node not in home.nodes_of("application") + home.nodes_of("database")
        (item,) = home.leases()
        held = leases.read(item)
        assert (held.state, held.seen_by) == (leases.PENDING, "undoer-here")
        until(lambda: leases.read(home.leases()[0]).renewed_utc > held.renewed_utc)
        assert fault.state is State.ACTIVE
        fault.release()
        assert fault.await_healed(within_s=60), fault.why
    assert fault.state is State.HEALED
    assert home.is_open()
    assert home.leases() == []
    assert journal.pending(drilled.directory) == ()
    assert before & home.uids("application") == set()


def test_a_pod_is_killed_and_replaced(
    home: Stand, keeper: Path, drilled: ClusterPlatform, run: Path
) -> None:
    before = home.uids("application")
    with injection(find_experiment("pod-kill"), {"pods": "application"}, drilled, run) as fault:
        fault.inject()
        assert fault.await_effect(within_s=60), fault.why
        fault.release()
        assert fault.await_healed(within_s=60), fault.why
    assert fault.state is State.HEALED
    until(home.is_settled, 60)
    after = home.uids("application")
    assert (len(after), len(after & before)) == (2, 1)
    assert home.leases() == []


def test_a_policy_that_does_not_bite_is_no_partition(
    home: Stand, keeper: Path, drilled: ClusterPlatform, run: Path
) -> None:
    if home.enforces_policies(drilled.cluster_faults):
        pytest.skip("not run: this cluster enforces NetworkPolicy")
    with injection(find_experiment("partition"), {"pods": "primary"}, drilled, run) as fault:
        fault.inject()
        assert not fault.await_effect(within_s=90)
        assert "exists but traffic still passes" in fault.why
        assert "database-0 reaches the cluster's API" in fault.why
    assert fault.state is State.SPOILED
    assert MarkName.FAULT_ACTIVE not in [name for name, _ in marks(run)]
    assert home.policies() == []
    assert home.leases() == []
    assert journal.pending(drilled.directory) == ()


@pytest.mark.parametrize(
    ("fault_name", "given"),
    [
        ("node-drain", {"node": "primary"}),
        ("pod-kill", {"pods": "application"}),
        ("partition", {"pods": "primary"}),
    ],
)
def test_where_nothing_is_broken_no_effect_is_seen(
    home: Stand, drilled: ClusterPlatform, run: Path, fault_name: str, given: dict[str, str]
) -> None:
    before = home.uids()
    file, asked = find_experiment("null"), {"fault": fault_name, **given}
    with injection(file, asked, drilled, run) as fault:
        fault.inject()
        assert not fault.await_effect(within_s=60)
        assert f"no {fault_name} was seen" in fault.why
    assert home.uids() == before
    assert home.is_open()
    assert (home.leases(), home.policies()) == ([], [])
