"""Somebody's own stack in a real cluster: looked at, drilled, and let go of; nothing of it is ours."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import yaml
from somebody import DATABASE, FRONT, LEDGER, PASSWORD, READER, Somebody, peakdrill, until

from harness.errors import Refused
from harness.inputs.own_cluster_file import read_own_cluster
from harness.platforms.kubernetes.tenancy import Tenancy
from harness.platforms.looks import Look
from harness.platforms.own_cluster import checks, platform

pytestmark = pytest.mark.kubernetes


def looked_at(file: Path) -> list[Look]:
    return list(checks.looks(read_own_cluster(file)))


def unwell(looks: list[Look], capability: str = "") -> str:
    return " | ".join(
        look.told for look in looks if not look.well and capability in ("", look.capability)
    )


def test_every_capability_is_looked_at_and_nothing_is_changed(
    theirs: Somebody, tmp_path: Path
) -> None:
    before = {pod["metadata"]["uid"] for pod in (*theirs.pods(DATABASE), *theirs.pods(FRONT))}
    code, out, err = peakdrill(
        tmp_path / "home", "platform", "check", str(theirs.write(tmp_path)), "--json"
    )
    assert code == 0, out + err
    told = json.loads(out)
    assert told["can_run"]
    assert [look for look in told["looks"] if not look["well"]] == []
    seen = {look["capability"] for look in told["looks"]}
    assert {"ground", "ingress", "faults.cluster", "filestore.read"} <= seen
    assert "pod-kill" not in told["skipped"]
    assert "database.standby" in told["skipped"]["node-drain"]
    assert "this platform lacks it" in told["skipped"]["ransomware"]
    assert PASSWORD not in out + err
    assert READER not in out + err
    after = {pod["metadata"]["uid"] for pod in (*theirs.pods(DATABASE), *theirs.pods(FRONT))}
    assert before == after
    leases = f"/apis/coordination.k8s.io/v1/namespaces/{theirs.namespace}/leases"
    assert theirs.cluster.get(leases)["items"] == []


def test_the_primary_dies_in_a_drill_and_it_ends_in_a_verdict(
    theirs: Somebody, tmp_path: Path
) -> None:
    file = theirs.write(tmp_path)
    (before,) = theirs.pods(DATABASE)
    code, out, err = peakdrill(
        tmp_path / "home", "run", str(tmp_path / "primary_pod_kill.py"), "--platform", str(file),
        "--targets", str(tmp_path / "targets.yaml"), "--size", "smoke", "--seed", "7", "--json",
        "--out", str(tmp_path / "runs"),
    )  # fmt: skip
    assert out, f"exit {code}: {err}"
    report = json.loads(out)
    unfit = {c["name"] for c in report["fitness"]["conditions"] if not c["fit"]}
    busy = report["verdict"] == "invalid" and unfit <= {"generator-lag", "baseline"}
    assert code == 0 or busy, report["reasons"]
    assert report["platform"] == "kubernetes"
    for told in report["workloads"].values():
        assert told["rpo"]["lost"] == 0, told
    (after,) = theirs.pods(DATABASE)
    assert after["metadata"]["uid"] != before["metadata"]["uid"]
    events = next((tmp_path / "runs").glob("*/events.jsonl")).read_text()
    assert "its death confirmed by its node" in events
    for path in (tmp_path / "runs").rglob("*"):
        if path.is_file():
            assert PASSWORD.encode() not in path.read_bytes(), path
            assert READER.encode() not in path.read_bytes(), path
    assert not list((tmp_path / "home" / "own-cluster").glob("*/own-cluster.json")), "let go of"
    theirs.await_ready()


def test_labels_that_match_nothing_are_told_and_never_pass(
    theirs: Somebody, tmp_path: Path
) -> None:
    file = theirs.write(tmp_path, database__pods={"tier": "nobody"})
    assert "nothing matches tier=nobody" in unwell(looked_at(file), "ground")
    with pytest.raises(Refused, match="no pod of the database runs"):
        platform.found(read_own_cluster(file))
    code, out, err = peakdrill(
        tmp_path / "home", "run", str(tmp_path / "primary_pod_kill.py"), "--platform", str(file),
        "--targets", str(tmp_path / "targets.yaml"), "--size", "smoke",
    )  # fmt: skip
    assert code == 2, out
    assert "nothing matches tier=nobody" in out + err


def test_a_drill_of_another_machine_has_it(theirs: Somebody, tmp_path: Path) -> None:
    file = theirs.write(tmp_path)
    words = (
        "run", str(tmp_path / "primary_pod_kill.py"), "--platform", str(file),
        "--targets", str(tmp_path / "targets.yaml"), "--size", "smoke",
    )  # fmt: skip
    with Tenancy(theirs.cluster, theirs.namespace, "elsewhere").held():
        code, out, err = peakdrill(tmp_path / "home", *words)
    assert code == 2, out + err
    assert f"another drill has the stack in namespace {theirs.namespace}" in out + err
    assert f"process {os.getpid()}, since" in out + err
    assert not list((tmp_path / "home" / "own-cluster").glob("*/own-cluster.json"))


def test_a_wrong_dsn_is_told(theirs: Somebody, tmp_path: Path) -> None:
    dsn = f"host=127.0.0.1 port={LEDGER} dbname=orders user=stranger connect_timeout=3"
    file = theirs.write(tmp_path, database__dsn=dsn)
    assert "the database cannot be read" in unwell(looked_at(file), "ground")
    with pytest.raises(Refused, match="the database cannot be read"):
        platform.found(read_own_cluster(file))


def test_another_kind_than_it_is_said_to_be_is_refused(theirs: Somebody, tmp_path: Path) -> None:
    file = theirs.write(tmp_path, application__kind="odoo")
    assert "it is of kind shop" in unwell(looked_at(file), "ground")
    with pytest.raises(Refused, match="peakdrill's stand-in"):
        platform.found(read_own_cluster(file))


def test_a_missing_right_is_named(
    theirs: Somebody, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a service account that may look at pods and nodes, and no more."""
    few = {"kind": "ServiceAccount", "apiVersion": "v1", "metadata": {"name": "few"}}
    theirs.make(few)
    role = {"kind": "Role", "apiVersion": "rbac.authorization.k8s.io/v1",
            "metadata": {"name": "few"}, "rules": [
                {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}]}  # fmt: skip
    binding = {
        "kind": "RoleBinding", "apiVersion": "rbac.authorization.k8s.io/v1",
        "metadata": {"name": "few"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "few"},
        "subjects": [{"kind": "ServiceAccount", "name": "few", "namespace": theirs.namespace}],
    }  # fmt: skip
    theirs.make(role)
    theirs.make(binding)
    monkeypatch.setenv("KUBECONFIG", kubeconfig_of(theirs, "few", tmp_path / "few.kubeconfig"))
    told = unwell(looked_at(theirs.write(tmp_path)))
    assert f"the right to get namespaces in namespace {theirs.namespace} is missing" in told, told


def test_nobody_keeps_undos_so_nothing_may_be_broken(theirs: Somebody, tmp_path: Path) -> None:
    place = f"/apis/apps/v1/namespaces/{theirs.namespace}-peakdrill/deployments/undoer"
    pods = f"/api/v1/namespaces/{theirs.namespace}-peakdrill/pods"
    theirs.cluster.patch(place, {"spec": {"replicas": 0}})
    try:
        until(lambda: not theirs.cluster.get(pods)["items"], 60)
        told = unwell(looked_at(theirs.write(tmp_path)), "faults.cluster")
    finally:
        theirs.cluster.patch(place, {"spec": {"replicas": 2}})
    assert "nobody in the cluster keeps the undos" in told
    assert "bring deploy/undoer" in told
    until(lambda: theirs.cluster.get(place)["status"].get("readyReplicas") == 2, 60)


def kubeconfig_of(theirs: Somebody, account: str, file: Path) -> str:
    path = f"/api/v1/namespaces/{theirs.namespace}/serviceaccounts/{account}/token"
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    token = theirs.cluster.call("POST", path, body=body)["status"]["token"]
    configuration = theirs.cluster.configuration
    server = {"server": configuration.host, "certificate-authority": configuration.ssl_ca_cert}
    file.write_text(yaml.safe_dump({
        "apiVersion": "v1", "kind": "Config", "current-context": "few",
        "clusters": [{"name": "it", "cluster": server}],
        "users": [{"name": account, "user": {"token": token}}],
        "contexts": [{"name": "few", "context": {"cluster": "it", "user": account}}],
    }))  # fmt: skip
    return str(file)
