"""The manifests: nobody runs as root, nothing secret stands in them, every right and limit is said."""

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.inputs.kubernetes_file import PORTS
from harness.platforms.embedded.credentials import Secrets
from harness.platforms.reference.inside.__main__ import ROLES
from harness.platforms.reference.inside.settings import BACKUP_KEY

REFERENCE = Path(__file__).parents[2] / "deploy" / "reference"
BASE, OVERLAYS = REFERENCE / "base", REFERENCE / "overlays"
WORKLOADS = {"Deployment", "StatefulSet"}
KNOWN_SECRETS = {known.name for known in fields(Secrets)} | {BACKUP_KEY}


def listed(folder: Path) -> Iterator[dict[str, Any]]:
    """Every object that the folder's kustomization names."""
    told = yaml.safe_load((folder / "kustomization.yaml").read_text())
    for name in told["resources"]:
        yield from yaml.safe_load_all((folder / name).read_text())


def everything() -> list[dict[str, Any]]:
    return [*listed(BASE / "tenant"), *listed(BASE / "edge"), *listed(BASE)]


def of_kind(*kinds: str) -> list[dict[str, Any]]:
    return [found for found in everything() if found["kind"] in kinds]


def named(found: dict[str, Any]) -> str:
    return f"{found['kind']} {found['metadata']['name']}"


@pytest.fixture(params=of_kind(*WORKLOADS), ids=named)
def workload(request: pytest.FixtureRequest) -> dict[str, Any]:
    found: dict[str, Any] = request.param
    return found


def pod(workload: dict[str, Any]) -> dict[str, Any]:
    spec: dict[str, Any] = workload["spec"]["template"]["spec"]
    return spec


def test_every_part_is_there_once() -> None:
    assert sorted(named(found) for found in of_kind(*WORKLOADS)) == [
        "Deployment application", "Deployment ingress", "Deployment keeper", "Deployment partners",
        "Deployment undoer", "StatefulSet database", "StatefulSet queue", "StatefulSet store",
    ]  # fmt: skip


def test_nobody_is_root_or_may_become_it(workload: dict[str, Any]) -> None:
    told = pod(workload)["securityContext"]
    assert told["runAsNonRoot"] is True
    assert (told["runAsUser"], told["runAsGroup"], told["fsGroup"]) == (1000, 1000, 1000)
    for container in pod(workload)["containers"]:
        own = container["securityContext"]
        assert own["allowPrivilegeEscalation"] is False
        assert own["readOnlyRootFilesystem"] is True
        assert own["capabilities"] == {"drop": ["ALL"]}
        assert not own.get("privileged")
    assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod(workload))


def test_every_container_says_what_it_takes_and_which_role_it_is(workload: dict[str, Any]) -> None:
    part = workload["metadata"]["name"]
    assert workload["spec"]["template"]["metadata"]["labels"]["peakdrill.dev/part"] == part
    (container,) = pod(workload)["containers"]
    assert container["name"] == part
    assert container["imagePullPolicy"] == "IfNotPresent"
    assert container["args"][0] in ROLES
    assert set(container["resources"]) == {"requests", "limits"}
    for amount in container["resources"].values():
        assert set(amount) == {"cpu", "memory"}


def test_secrets_are_mounted_by_name_and_stand_nowhere_else(workload: dict[str, Any]) -> None:
    mounted = [
        volume["secret"] for volume in pod(workload).get("volumes", ()) if "secret" in volume
    ]
    for secret in mounted:
        keys = {item["key"] for item in secret["items"]}
        assert keys
        assert keys <= KNOWN_SECRETS
        assert all(item["key"] == item["path"] for item in secret["items"])
    for container in pod(workload)["containers"]:
        assert not any("secretKeyRef" in str(word) for word in container.get("env", ()))
        assert not any("secretRef" in word for word in container.get("envFrom", ()))
        assert not any("subPath" in mount for mount in container.get("volumeMounts", ()))


def test_no_manifest_holds_a_secret() -> None:
    assert not of_kind("Secret")
    for found in of_kind("ConfigMap"):
        assert not [name for name in found["data"] if "PASSWORD" in name or "SECRET" in name]


def test_only_who_asks_the_cluster_has_an_account() -> None:
    accounts = {
        found["metadata"]["name"]: pod(found).get("serviceAccountName", "")
        for found in of_kind(*WORKLOADS)
        if pod(found).get("automountServiceAccountToken", True)
    }
    assert accounts == {"database": "database", "ingress": "ingress", "undoer": "undoer"}


def test_the_ingress_reads_one_map_and_one_list_of_replicas() -> None:
    rules = [
        rule
        for found in of_kind("Role")
        if found["metadata"]["name"] == "ingress"
        for rule in found["rules"]
    ]
    assert sorted((rule["resources"], rule["resourceNames"], rule["verbs"]) for rule in rules) == [
        (["configmaps"], ["routes"], ["get"]),
        (["endpoints"], ["application"], ["get"]),
    ]


def test_the_database_changes_its_own_objects_alone() -> None:
    (role,) = [f for f in of_kind("Role") if f["metadata"]["name"] == "database"]
    for rule in role["rules"]:
        assert set(rule["resources"]) <= {"endpoints", "pods"}
        if set(rule["verbs"]) & {"get", "update", "patch", "delete"}:
            assert all(name.startswith("database") for name in rule["resourceNames"])
        assert "*" not in rule["verbs"]


@pytest.mark.parametrize("folder", ["tenant", "edge"])
def test_nobody_is_let_in_by_default(folder: str) -> None:
    policies = [f for f in listed(BASE / folder) if f["kind"] == "NetworkPolicy"]
    closed = [f["spec"] for f in policies if f["spec"]["podSelector"] == {}]
    assert closed == [{"podSelector": {}, "policyTypes": ["Ingress"]}]
    for found in policies:
        if found["spec"]["podSelector"]:
            assert all(rule.get("ports") for rule in found["spec"]["ingress"])


def test_doors_are_where_a_platform_file_expects_them() -> None:
    assert sorted(
        port["nodePort"]
        for found in of_kind("Service")
        for port in found["spec"].get("ports", ())
        if "nodePort" in port
    ) == sorted(number for _, number in PORTS)


def test_databases_stand_apart_and_replicas_outlast_a_drain() -> None:
    (database,) = [f for f in of_kind("StatefulSet") if f["metadata"]["name"] == "database"]
    anti = pod(database)["affinity"]["podAntiAffinity"]
    (term,) = anti["requiredDuringSchedulingIgnoredDuringExecution"]
    assert term["topologyKey"] == "kubernetes.io/hostname"
    assert "livenessProbe" not in pod(database)["containers"][0]  # a held one has to stay
    (budget,) = of_kind("PodDisruptionBudget")
    assert (budget["apiVersion"], budget["spec"]["minAvailable"]) == ("policy/v1", 1)


def test_another_tenant_shares_nothing_with_the_first() -> None:
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("kubectl is not installed")
    mine = built(kubectl, BASE)
    theirs = built(kubectl, OVERLAYS / "second-tenant")
    assert {place(found) for found in mine} & {place(found) for found in theirs} == set()
    assert {place(found)[1:] for found in theirs if found["kind"] in WORKLOADS} == {
        (("second-edge" if space == "shop-edge" else "second"), name)
        for _, space, name in (place(found) for found in mine if found["kind"] in WORKLOADS)
    }
    assert not node_ports(mine) & node_ports(theirs)
    assert "shop-edge" not in yaml.safe_dump_all(theirs)
    assert "namespace: shop" not in yaml.safe_dump_all(theirs)


def test_the_overlay_for_1_20_changes_the_budget_alone() -> None:
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("kubectl is not installed")
    ours = built(kubectl, BASE)
    for found in ours:
        if found["kind"] == "PodDisruptionBudget":
            found["apiVersion"] = "policy/v1beta1"
    older = built(kubectl, OVERLAYS / "kubernetes-1.20")
    assert sorted(older, key=place) == sorted(ours, key=place)


def built(kubectl: str, folder: Path) -> list[dict[str, Any]]:
    done = subprocess.run(
        [kubectl, "kustomize", str(folder)], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


def place(found: dict[str, Any]) -> tuple[str, str, str]:
    meta = found["metadata"]
    return found["kind"], meta.get("namespace", ""), meta["name"]


def node_ports(found: list[dict[str, Any]]) -> set[int]:
    ports = [
        port for one in found if one["kind"] == "Service" for port in one["spec"].get("ports", ())
    ]
    return {port["nodePort"] for port in ports if "nodePort" in port}
