"""What a fault in a cluster must not take for done, and what it must not touch."""

from __future__ import annotations

import dataclasses
import json
import re
import time
from pathlib import Path

import pytest
from cluster_platform import ClusterPlatform
from kubernetes.config import kube_config
from shop_of_pods import Stand, until

from harness.chaos import actions, cluster
from harness.core.timeline import MarkName
from harness.errors import FaultError, PlatformError
from harness.evidence import events
from harness.faults import journal
from harness.platforms.kubernetes.objects import nodes
from harness.platforms.reference import lease as leases
from harness.tenancy.left_behind import mend_in_cluster

pytestmark = pytest.mark.kubernetes


def names(run: Path) -> list[MarkName]:
    return [mark.name for mark in events.read(run / "events.jsonl").timeline.marks]


def nothing_was_armed(acting: ClusterPlatform, run: Path, stand: Stand) -> bool:
    armed = journal.pending(acting.directory) or stand.leases() or stand.policies()
    return not armed and MarkName.FAULT_ARMED not in names(run) and stand.is_open()


def test_zero_targets_are_an_error(
    home: Stand, keeper: Path, acting: ClusterPlatform, run: Path
) -> None:
    with pytest.raises(FaultError, match="no node 'no-such-node'"):
        cluster.drain_node("no-such-node")
    taken = {pod["spec"].get("nodeName") for pod in home.pods()}
    free = [node.name for node in nodes(home.cluster) if node.name not in taken]
    for node in free:  # of three, one at least
        with pytest.raises(FaultError, match="nothing to drain"):
            cluster.drain_node(node)
    assert free
    for pods in ("cashier", ""):
        with pytest.raises(FaultError, match="nothing matches"):
            cluster.kill_pod(pods)
        with pytest.raises(FaultError, match="nothing matches"):
            cluster.cut_off(pods)
    with pytest.raises(FaultError, match="nobody is left to try a connection"):
        cluster.cut_off("keeper")
    assert nothing_was_armed(acting, run, home)


def test_a_node_that_its_owner_has_closed_is_not_ours(
    home: Stand, keeper: Path, acting: ClusterPlatform, run: Path
) -> None:
    home.cordon(closed=True)
    with pytest.raises(FaultError, match="cordoned already"):
        cluster.drain_node("primary")
    acting.cluster_faults.uncordon(home.node, "peakdrill-undo-x")
    assert not home.is_open()
    home.cordon(closed=False)
    assert nothing_was_armed(acting, run, home)


def test_a_drain_that_a_budget_stops_names_it_and_the_pods(
    home: Stand, keeper: Path, acting: ClusterPlatform, run: Path
) -> None:
    home.budget("application-stays", "application", 2)
    try:
        with pytest.raises(FaultError) as caught:
            cluster.drain_node("primary", within_s=12)
    finally:
        home.drop_budget("application-stays")
    told = caught.value.what
    assert "application-stays" in told
    for pod in home.pods("application"):
        assert pod["metadata"]["name"] in told
        assert pod["spec"]["nodeName"] == home.node  # held back, and so still there
    assert "database-0" not in told
    assert names(run)[-1] is MarkName.FAULT_SPOILED
    assert MarkName.FAULT_ACTIVE not in names(run)
    assert actions.mend(within_s=30) == [f"node {home.node} takes pods again"]
    assert home.is_open()
    assert home.leases() == []


def test_a_budget_that_lets_one_go_after_the_other_is_waited_for(
    home: Stand, keeper: Path, acting: ClusterPlatform, run: Path
) -> None:
    home.budget("one-by-one", "application", 1)
    try:
        assert cluster.drain_node("primary", within_s=120) == home.node
    finally:
        home.drop_budget("one-by-one")
    assert home.node not in home.nodes_of("application")
    assert actions.mend(within_s=30) == [f"node {home.node} takes pods again"]


@pytest.mark.parametrize(
    ("fault", "right"),
    [
        ("drain", "the right to get nodes cluster-wide is missing"),
        ("kill", "the right to delete pods in namespace"),
        ("cut", "the right to (get|create) pods/exec in namespace"),
        ("lease", "the right to create leases.coordination.k8s.io in namespace"),
    ],
)
def test_a_missing_right_is_named(
    home: Stand, keeper: Path, acting: ClusterPlatform, tmp_path: Path, run: Path,
    fault: str, right: str, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    rules = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}]
    if fault == "kill":
        rules.append(
            {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"],
             "verbs": ["create", "get", "patch", "delete"]}
        )  # fmt: skip
    account = f"few-{fault}"
    subject = {"kind": "ServiceAccount", "name": account, "namespace": home.namespace}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": account}
    rbac = {"apiVersion": "rbac.authorization.k8s.io/v1", "metadata": {"name": account}}
    home.make(
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": account}},
        {**rbac, "kind": "Role", "rules": rules},
        {**rbac, "kind": "RoleBinding", "roleRef": role, "subjects": [subject]},
    )
    says = json.loads((acting.directory / "platform.json").read_text())
    says["kubeconfig"] = home.kubeconfig_of(account, tmp_path / "few.kubeconfig")
    (acting.directory / "platform.json").write_text(json.dumps(says))
    monkeypatch.setenv("KUBECONFIG", says["kubeconfig"])
    deeds = {
        "drain": lambda: cluster.drain_node(home.node),
        "kill": lambda: cluster.kill_pod("application"),
        "lease": lambda: cluster.kill_pod("application"),
        "cut": lambda: cluster.cut_off("primary"),
    }
    monkeypatch.setattr(kube_config, "KUBE_CONFIG_DEFAULT_LOCATION", "as it was")  # put back
    before = home.uids()
    with pytest.raises((PlatformError, FaultError)) as caught:
        deeds[fault]()
    assert re.search(right, str(caught.value))
    assert home.uids() == before


def test_nothing_is_broken_where_nobody_keeps_the_undo(
    home: Stand, acting: ClusterPlatform, run: Path
) -> None:
    says = json.loads((acting.directory / "platform.json").read_text())
    (acting.directory / "platform.json").write_text(json.dumps(says | {"seen_within_s": 1.0}))
    for deed in (lambda: cluster.drain_node("primary"), lambda: cluster.kill_pod("application")):
        with pytest.raises(FaultError, match="nobody in the cluster keeps the undos"):
            deed()
    assert nothing_was_armed(acting, run, home)


def test_a_pod_that_nobody_would_replace_is_not_broken(
    home: Stand, keeper: Path, acting: ClusterPlatform, run: Path
) -> None:
    spec = {"nodeName": home.node, "containers": [
        {"name": "bare", "image": "localhost/busybox:1", "command": ["sleep", "600"]}]}  # fmt: skip
    meta = {"name": "bare", "labels": {"peakdrill.dev/part": "bare"}}
    home.make({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec})
    pod = f"/api/v1/namespaces/{home.namespace}/pods/bare"
    try:
        until(lambda: home.get(pod)["status"]["phase"] == "Running")
        with pytest.raises(FaultError, match="nobody would replace bare"):
            cluster.drain_node(home.node)
        with pytest.raises(FaultError, match="nobody would replace bare"):
            cluster.kill_pod("bare")
    finally:
        home.cluster.delete(pod, gracePeriodSeconds="0")
    assert nothing_was_armed(acting, run, home)


def lease_of(stand: Stand, name: str, *steps: leases.Step, platform: str) -> leases.UndoLease:
    now = leases.dt.datetime.now(leases.dt.UTC)
    made = leases.UndoLease(name, stand.namespace, "node-drain", "r9", platform, steps, 2, now)
    path = leases.path(stand.namespace)
    stand.cluster.call("POST", path, body=leases.document(made))
    return made


def test_the_keeper_opens_no_node_and_deletes_no_policy_of_anybody_else(
    home: Stand, keeper: Path
) -> None:
    home.cordon(closed=True)
    policy = {
        "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
        "metadata": {"name": "theirs"}, "spec": {"podSelector": {"matchLabels": {"no": "pod"}}},
    }  # fmt: skip
    home.make(policy)
    try:
        steps = (leases.Step("uncordon", home.node), leases.Step("delete-policy", "theirs"))
        made = lease_of(home, "peakdrill-undo-theirs", *steps, platform="else")
        path = leases.path(home.namespace, made.name)
        until(lambda: leases.undone_at(home.get(path)) is not None)
        assert not home.is_open()
        assert [p["metadata"]["name"] for p in home.policies()] == ["theirs"]
    finally:
        home.cluster.delete(leases.path(home.namespace, "peakdrill-undo-theirs"))
        home.cluster.delete(
            f"/apis/networking.k8s.io/v1/namespaces/{home.namespace}/networkpolicies/theirs"
        )


def test_undo_plays_our_own_leases_and_those_that_have_run_out(
    home: Stand, acting: ClusterPlatform
) -> None:
    home.cordon(closed=True)
    acting.cluster_faults.sign_cordon(home.node, "peakdrill-undo-out")
    lease_of(home, "peakdrill-undo-own", leases.Step("nothing", "x"), platform="stand")
    lease_of(home, "peakdrill-undo-out", leases.Step("uncordon", home.node), platform="else")
    said: list[str] = []
    mend_in_cluster(acting, said.append)
    assert len(said) == 1  # another platform's, and its time is not over
    assert not home.is_open()
    time.sleep(2.1)
    mend_in_cluster(acting, said.append)
    assert said[1].endswith(f"uncordon {home.node}")
    assert home.is_open()
    assert home.leases() == []
    mend_in_cluster(acting, said.append)
    assert len(said) == 2


def test_a_fault_that_the_cluster_has_undone_is_spoiled(
    home: Stand, keeper: Path, acting: ClusterPlatform, run: Path
) -> None:
    cluster.drain_node("primary", within_s=60)
    (item,) = home.leases()
    acting.cluster_faults.uncordon(home.node, item["metadata"]["name"])
    path = leases.path(home.namespace, item["metadata"]["name"])
    home.cluster.patch(path, leases.claimed("another", leases.read(home.get(path)).version))
    until(lambda: MarkName.FAULT_SPOILED in names(run))
    assert actions.mend(within_s=30)
    assert home.leases() == []


def test_the_toolkit_is_never_let_loose_on_another_cluster(
    home: Stand, keeper: Path, acting: ClusterPlatform, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = dataclasses.replace(acting.cluster_faults.tool, server="https://10.9.9.9:6443")
    monkeypatch.setattr(type(acting.cluster_faults), "tool", elsewhere)
    before = home.uids()
    with pytest.raises(FaultError, match=r"would reach .* and not https://10\.9\.9\.9"):
        cluster.drain_node("primary")
    assert home.is_open()
    assert names(run)[-1] is MarkName.FAULT_SPOILED
    assert home.uids() == before
    assert actions.mend(within_s=30)
