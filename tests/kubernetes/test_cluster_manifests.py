"""Manifests for one stack; and that nothing of anybody else's is taken or taken away."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from api_stub import Api, kubeconfig, served

from harness.errors import PlatformError, Refused
from harness.inputs.kubernetes_file import PORTS, KubernetesOptions
from harness.platforms.kubernetes import bringing, manifests, state
from harness.platforms.kubernetes.client import Cluster, connect
from harness.platforms.kubernetes.up import up
from harness.platforms.kubernetes.where import Where

KEPT = state.Kept(
    "kubernetes-1",
    KubernetesOptions(
        Path(), namespace="try", node_ports=tuple((name, port + 7) for name, port in PORTS)
    ),
    state.Found(Where("c", "s", ""), (), 2.0, 3),
)
CLUSTER_ROLES = "/apis/rbac.authorization.k8s.io/v1/clusterrole"


def document(kind: str, name: str, namespace: str = "shop", **more: Any) -> dict[str, Any]:
    meta = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": kind, "metadata": meta, **more}


def made(*documents: dict[str, Any]) -> list[dict[str, Any]]:
    return manifests.for_stack(deepcopy(documents), KEPT)


def test_everything_is_in_its_namespaces_and_bears_the_label() -> None:
    (role, routes) = made(
        document("RoleBinding", "ingress", subjects=[{"name": "x", "namespace": "shop-edge"}]),
        document("ConfigMap", "routes", "shop-edge", data={"tenant": "shop", "closed": "false"}),
    )
    assert role["metadata"]["namespace"] == "try"
    assert role["subjects"][0]["namespace"] == "try-edge"
    assert routes["data"]["tenant"] == "try"
    assert {d["metadata"]["labels"][state.LABEL] for d in (role, routes)} == {"kubernetes-1"}


def test_settings_and_their_addresses() -> None:
    told = {"PEAKDRILL_STORE": "store.shop-edge:8333", "PEAKDRILL_DATABASE": "database:5432"}
    (settings,) = made(document("ConfigMap", "settings", data=told))
    assert settings["data"]["PEAKDRILL_STORE"] == "store.try-edge:8333"
    assert settings["data"]["PEAKDRILL_DATABASE"] == "database:5432"
    assert settings["data"]["PEAKDRILL_SYNCHRONOUS"] == "true"


def test_the_role_shop_of_the_database_is_no_namespace() -> None:
    volume = {"secret": {"items": [{"key": "shop", "path": "shop"}]}}
    (pod,) = made(document("Deployment", "a", spec={"volumes": [volume]}))
    assert pod["spec"]["volumes"] == [volume]


def test_node_ports_by_their_defaults() -> None:
    spec = {"type": "NodePort", "ports": [{"name": "web", "port": 8080, "nodePort": 30080}]}
    (service,) = made(document("Service", "ingress", spec=spec))
    assert service["spec"]["ports"] == [
        {"name": "web", "port": 8080, "nodePort": 30087, "protocol": "TCP"}
    ]
    spec["ports"][0]["nodePort"] = 31999
    with pytest.raises(PlatformError, match="nobody knows NodePort 31999"):
        made(document("Service", "ingress", spec=spec))


def test_what_belongs_to_the_cluster_has_a_name_of_the_stack() -> None:
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "shop-edge-undoer"},
        "roleRef": {"kind": "ClusterRole", "name": "shop-edge-undoer"},
    }
    (found,) = made(binding)
    assert (found["metadata"]["name"], found["roleRef"]["name"]) == ("try-edge-undoer",) * 2


def test_nobody_brings_a_namespace_and_workloads_come_last() -> None:
    found = made(
        document("Namespace", "shop"),
        document("Deployment", "b"),
        document("Service", "a", spec={}),
    )
    assert [d["kind"] for d in found] == ["Service", "Deployment"]


@pytest.fixture
def api() -> Api:
    return Api({f"{CLUSTER_ROLES}{end}": (200, {"items": []}) for end in ("s", "bindings")})


@pytest.fixture
def cluster(api: Api, tmp_path: Path) -> Iterator[Cluster]:
    with served(api) as server:
        yield connect(kubeconfig=str(kubeconfig(tmp_path, server)))


@pytest.mark.parametrize(
    ("labels", "told"),
    [({}, "is not peakdrill's"), ({state.LABEL: "other-1"}, "another stack of peakdrill, other-1")],
)
def test_a_foreign_namespace_is_neither_taken_nor_taken_away(
    cluster: Cluster, api: Api, labels: dict[str, str], told: str
) -> None:
    for name in ("try", "try-edge"):
        api.answers[f"/api/v1/namespaces/{name}"] = (200, {"metadata": {"labels": labels}})
    with pytest.raises(Refused, match=told):
        bringing.claim_namespaces(cluster, KEPT)
    bringing.take_away(cluster, KEPT)
    assert {method for method, _, _ in api.asked} == {"GET"}


def test_our_own_go(cluster: Cluster, api: Api) -> None:
    gone = (404, {"message": "gone"})
    there = (200, {"metadata": {"labels": {state.LABEL: "kubernetes-1"}}})
    for name in ("try", "try-edge"):
        api.answers[f"/api/v1/namespaces/{name}"] = [there, (200, {}), gone]
    bringing.take_away(cluster, KEPT)
    deleted = [path for method, path, _ in api.asked if method == "DELETE"]
    assert deleted == ["/api/v1/namespaces/try", "/api/v1/namespaces/try-edge"]


def test_nothing_is_brought_that_nobody_agreed_to(
    cluster: Cluster, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", cluster.where.kubeconfig)
    with pytest.raises(Refused, match="nobody said"):
        up(replace(KEPT.options, context="here"))
    assert api.asked == []


def test_a_clean_room_is_the_tenant_alone_behind_the_same_edge() -> None:
    port = {"name": "postgresql", "port": 5432, "nodePort": 30540}
    found = manifests.for_room(
        [
            document("ConfigMap", "settings", data={"PEAKDRILL_STORE": "store.shop-edge:8333"}),
            document("Service", "database-0", spec={"type": "NodePort", "ports": [port]}),
            document("Service", "store", "shop-edge", spec={"ports": []}),
            {"apiVersion": "v1", "kind": "ClusterRole", "metadata": {"name": "shop-edge-undoer"}},
        ],
        KEPT,
        "clean-1",
    )
    assert [manifests.named(one) for one in found] == [
        "ConfigMap try-clean-1/settings",
        "Service try-clean-1/database-0",
    ]
    settings, service = found
    assert settings["data"]["PEAKDRILL_STORE"] == "store.try-edge:8333"
    assert settings["data"]["PEAKDRILL_AWAIT_RESTORE"] == "true"
    assert "nodePort" not in service["spec"]["ports"][0]  # the cluster gives it another one
    assert "PEAKDRILL_AWAIT_RESTORE" not in made(document("ConfigMap", "settings"))[0]["data"]
