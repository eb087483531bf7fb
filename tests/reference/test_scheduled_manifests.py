"""The scheduled drill's manifests: the least rights, no secret, and doors as the platform has them."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.inputs.kubernetes_file import PORTS, read_kubernetes
from harness.platforms.reference.inside.forward import routes_of

PROJECT = Path(__file__).parents[2]
SCHEDULED = PROJECT / "deploy" / "scheduled"
BASE, OVERLAYS = SCHEDULED / "base", SCHEDULED / "overlays"
ROLES = {"Role", "ClusterRole"}


def listed(folder: Path) -> Iterator[dict[str, Any]]:
    told = yaml.safe_load((folder / "kustomization.yaml").read_text())
    for name in told["resources"]:
        yield from yaml.safe_load_all((folder / name).read_text())


EVERYTHING = [*listed(BASE), *listed(OVERLAYS / "node-drain")]


def one(kind: str, name: str) -> dict[str, Any]:
    (found,) = [f for f in EVERYTHING if (f["kind"], f["metadata"]["name"]) == (kind, name)]
    return found


def rules(*kinds: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    for found in EVERYTHING:
        if found["kind"] in kinds:
            yield from ((found, rule) for rule in found["rules"])


def pod() -> dict[str, Any]:
    spec: dict[str, Any] = one("CronJob", "pod-kill")["spec"]["jobTemplate"]["spec"]["template"]
    return spec["spec"]


def containers() -> list[dict[str, Any]]:
    return [*pod()["containers"], *pod()["initContainers"]]


def test_no_right_is_granted_by_a_wildcard() -> None:
    for _, rule in rules(*ROLES):
        assert "*" not in {*rule["apiGroups"], *rule["resources"], *rule["verbs"]}
        assert set(rule) <= {"apiGroups", "resources", "resourceNames", "verbs"}


def test_nobody_s_secrets_but_the_stack_s_by_name() -> None:
    for found, rule in rules(*ROLES):
        if "secrets" in rule["resources"]:
            assert found["kind"] == "Role"
            assert rule["resourceNames"] == ["secrets"]
            assert set(rule["verbs"]) <= {"get", "patch"}


def test_nothing_reaches_beyond_the_namespaces_but_to_read() -> None:
    changing = [
        (found["metadata"]["name"], rule["resources"], rule["verbs"])
        for found, rule in rules("ClusterRole")
        if set(rule["verbs"]) - {"get", "list"}
    ]
    assert changing == [("peakdrill-node-drain", ["nodes"], ["patch"])]
    for _, rule in rules(*ROLES):
        assert not {"nodes/proxy", "serviceaccounts/token", "roles", "rolebindings"} & set(
            rule["resources"]
        )


def test_every_role_is_bound_to_the_one_account() -> None:
    bound = {
        (f["metadata"].get("namespace", ""), f["roleRef"]["kind"], f["roleRef"]["name"])
        for f in EVERYTHING
        if f["kind"].endswith("Binding")
        and f["subjects"] == [{"kind": "ServiceAccount", "name": "peakdrill", "namespace": "peakdrill"}]
    }  # fmt: skip
    assert bound == {
        (f["metadata"].get("namespace", ""), f["kind"], f["metadata"]["name"])
        for f in EVERYTHING
        if f["kind"] in ROLES
    }


def test_no_secret_is_contained() -> None:
    assert [f for f in EVERYTHING if f["kind"] == "Secret"] == []
    named = [volume["secret"]["secretName"] for volume in pod()["volumes"] if "secret" in volume]
    assert named == ["s3", "signing-key"]
    for container in containers():
        assert all("valueFrom" not in variable for variable in container.get("env", ()))


def test_the_pod_has_no_privilege_and_the_sidecar_no_token() -> None:
    assert pod()["securityContext"]["runAsNonRoot"] is True
    assert pod()["securityContext"]["runAsUser"] == 1000
    assert pod()["terminationGracePeriodSeconds"] == 600
    assert pod()["automountServiceAccountToken"] is False
    for container in containers():
        guarded = container["securityContext"]
        assert guarded["readOnlyRootFilesystem"] is True
        assert guarded["allowPrivilegeEscalation"] is False
        assert guarded["capabilities"] == {"drop": ["ALL"]}
        for amount in ("requests", "limits"):
            assert set(container["resources"][amount]) == {"cpu", "memory"}
        mounted = {mount["name"] for mount in container["volumeMounts"]}
        assert ("token" in mounted) is (container["name"] == "peakdrill")


def test_one_drill_at_a_time_and_never_again_by_itself() -> None:
    spec = one("CronJob", "pod-kill")["spec"]
    assert spec["concurrencyPolicy"] == "Forbid"
    assert spec["jobTemplate"]["spec"]["backoffLimit"] == 0
    assert pod()["restartPolicy"] == "Never"


def test_each_door_leads_where_the_node_port_does(tmp_path: Path) -> None:
    """Through the Services of deploy/reference, by the numbers that they have as NodePorts."""
    reference = PROJECT / "deploy" / "reference" / "base"
    expected = {}
    for part, namespace in (("tenant", "shop"), ("edge", "shop-edge")):
        for found in listed(reference / part):
            if found["kind"] == "Service":
                for port in found["spec"].get("ports", ()):
                    if "nodePort" in port:
                        name = found["metadata"]["name"]
                        expected[port["nodePort"]] = f"{name}.{namespace}:{port['port']}"
    doors = routes_of(one("ConfigMap", "doors")["data"]["PEAKDRILL_FORWARD"])
    assert {port: str(to) for port, to in doors.items()} == expected
    file = tmp_path / "platform.yaml"
    file.write_text(one("ConfigMap", "drill")["data"]["platform.yaml"])
    options = read_kubernetes(file)
    assert set(doors) == {port for _, port in options.node_ports} == {port for _, port in PORTS}
    assert options.disposable
    assert options.nodes is None


def test_the_targets_are_those_that_ship() -> None:
    told = one("ConfigMap", "drill")["data"]["targets.yaml"]
    assert yaml.safe_load(told) == yaml.safe_load((PROJECT / "targets.yaml").read_text())


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="needs kubectl, which renders")
def test_before_native_sidecars_the_doors_are_a_container() -> None:
    done = subprocess.run(
        ["kubectl", "kustomize", str(OVERLAYS / "kubernetes-1.20")],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    (job,) = [f for f in yaml.safe_load_all(done.stdout) if f["kind"] == "CronJob"]
    spec = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    assert job["apiVersion"] == "batch/v1beta1"
    assert "initContainers" not in spec
    assert [c["name"] for c in spec["containers"]] == ["peakdrill", "forward"]
    assert "restartPolicy" not in spec["containers"][1]
