"""What counts as undone in a cluster, against an API that is a dictionary."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harness.chaos import cluster
from harness.errors import FaultError
from harness.faults.deeds import node_drain, partition, pod_kill
from harness.faults.journal import Entry
from harness.platforms.cluster_faults import Target
from harness.platforms.kubernetes import eviction
from harness.platforms.kubernetes.client import NotThere
from harness.platforms.kubernetes.faults import KubernetesFaults, Scope
from harness.platforms.reference import lease as leases

NODE, OURS, THEIRS = "/api/v1/nodes/n1", "peakdrill-undo-a", "peakdrill-undo-b"
PODS = "/api/v1/namespaces/shop/pods"


class Stub:
    """A cluster's client, as far as an undo asks it."""

    def __init__(self, **objects: Any) -> None:
        self.objects = dict(objects)

    def get(self, path: str, **query: Any) -> Any:
        return self.call("GET", path, query=query)

    def find(self, path: str) -> Any:
        return self.objects.get(path)

    def call(self, method: str, path: str, **_: Any) -> Any:
        if method == "GET" and path in (PODS, leases.path("shop")):
            found = [o for p, o in self.objects.items() if p.startswith(f"{path}/")]
            return {"items": found}
        if path not in self.objects:
            raise NotThere(path)
        return self.objects[path]

    def patch(self, path: str, change: dict[str, Any]) -> None:
        assert change["spec"] == {"unschedulable": None}
        self.objects[path] = node(by="", closed=False)

    def delete(self, path: str) -> None:
        self.objects.pop(path, None)


def node(by: str, *, closed: bool = True) -> dict[str, Any]:
    says = {leases.CORDONED_BY: by} if by else {}
    return {"metadata": {"annotations": says}, "spec": {"unschedulable": closed or None}}


def pod(name: str, kind: str, *, ready: bool = True, phase: str = "Running") -> dict[str, Any]:
    owner = {"kind": kind, "name": "app", "uid": "owner", "controller": True}
    conditions = [{"type": "Ready", "status": "True" if ready else "False"}]
    return {
        "metadata": {"name": name, "uid": name, "ownerReferences": [owner]},
        "spec": {"nodeName": "n1", "containers": [{"name": "c", "ports": [{"containerPort": 1}]}]},
        "status": {"phase": phase, "podIP": "10.0.0.1", "conditions": conditions},
    }


def stand(**objects: Any) -> tuple[Any, KubernetesFaults]:
    faults = KubernetesFaults(Stub(**objects), Scope("shop", "p1"))  # type: ignore[arg-type]
    return SimpleNamespace(cluster_faults=faults), faults


def entry(fault: str, **parameters: str) -> Entry:
    return Entry(fault, tuple(sorted(parameters.items())), "r1", Path("1.json"))


def test_a_drain_is_undone_by_its_own_lease_alone() -> None:
    platform, faults = stand(**{NODE: node(THEIRS)})
    mine = entry("node-drain", node="n1", lease=OURS)
    node_drain.DEED.begin(platform, mine)
    assert faults.is_cordoned("n1", THEIRS)
    theirs = entry("node-drain", node="n1", lease=THEIRS)
    assert not node_drain.DEED.is_undone(platform, theirs)
    node_drain.DEED.begin(platform, theirs)
    assert node_drain.DEED.is_undone(platform, theirs)


def test_a_lease_that_was_played_long_ago_opens_no_node_of_another_drill() -> None:
    at = dt.datetime(2027, 11, 26, tzinfo=dt.UTC)
    step = leases.Step(leases.UNCORDON, "n1")
    made = leases.UndoLease(OURS, "shop", "node-drain", "r1", "p1", (step,), 15, at)
    document: Any = leases.document(made)
    document["metadata"]["resourceVersion"] = "7"
    document["metadata"]["labels"][leases.STATE] = leases.DONE
    _, faults = stand(**{NODE: node(THEIRS), leases.path("shop", OURS): document})
    assert len(faults.play_left_behind()) == 1
    assert faults.is_cordoned("n1", THEIRS)


def test_a_node_that_was_taken_away_meanwhile_is_not_closed() -> None:
    platform, _ = stand()
    mine = entry("node-drain", node="n1", lease=OURS)
    node_drain.DEED.begin(platform, mine)
    assert node_drain.DEED.is_undone(platform, mine)


def test_a_daemon_set_wants_a_pod_on_every_node() -> None:
    where = "/apis/apps/v1/namespaces/shop/daemonsets/app"
    owner = {"metadata": {"uid": "owner"}, "spec": {}, "status": {"desiredNumberScheduled": 3}}
    pods = {f"{PODS}/{n}": pod(n, "DaemonSet") for n in ("a", "b")}
    platform, faults = stand(**{where: owner, **pods})
    killed = entry("pod-kill", pod="c", controller="DaemonSet/app", lease=OURS)
    assert faults.missing("DaemonSet/app") == 1
    assert not pod_kill.DEED.is_undone(platform, killed)


@pytest.mark.parametrize(("ready", "undone"), [(False, False), (True, True)])
def test_pods_that_nobody_can_try_are_not_reached_again(ready: bool, undone: bool) -> None:
    """The ones that were cut off are gone, and others are to stand in their place."""
    where = "/apis/apps/v1/namespaces/shop/replicasets/app"
    owner = {"metadata": {"uid": "owner"}, "spec": {"replicas": 1}}
    platform, _ = stand(**{where: owner, f"{PODS}/new": pod("new", "ReplicaSet", ready=ready)})
    cut = entry("partition", policy="x", names="old", port="0", controllers="ReplicaSet/app")
    assert partition.DEED.is_undone(platform, cut) is undone


def test_pods_that_went_by_themselves_were_not_drained() -> None:
    _, faults = stand()
    gone = Target(name="a", uid="a", node="n1", controller="ReplicaSet/app")
    with pytest.raises(FaultError, match="this is no drain"):
        eviction.evict(faults._pods, [gone], 5.0, lambda: False)


@pytest.mark.parametrize("state", [leases.CLAIMED, leases.DONE, "gone"])
def test_nothing_is_broken_by_a_lease_that_was_played_already(state: str) -> None:
    """Its holder stood still between the arming and the deed."""
    made = leases.UndoLease(OURS, "shop", "node-drain", "r1", "p1", (), 15, dt.datetime.now(dt.UTC))
    document: Any = leases.document(made)
    document["metadata"]["resourceVersion"] = "7"
    path = leases.path("shop", OURS)
    _, faults = stand(**{path: document})
    cluster._refuse_undone(faults, OURS)
    document["metadata"]["labels"][leases.STATE] = state
    if state == "gone":
        faults.cluster.delete(path)
    with pytest.raises(FaultError, match="before the deed"):
        cluster._refuse_undone(faults, OURS)
