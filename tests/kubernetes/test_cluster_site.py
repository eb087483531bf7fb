"""The site: parts and members by their pods, and what is not all there."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from api_stub import Api, kubeconfig, pod, served

from harness.errors import FaultError, PlatformError
from harness.inputs.kubernetes_file import NodeHooks
from harness.platforms.kubernetes import hooks
from harness.platforms.kubernetes.client import connect
from harness.platforms.kubernetes.nodes import KubernetesNodes
from harness.platforms.kubernetes.site import KubernetesSite

PODS = "/api/v1/namespaces/shop/pods"
DEPLOYMENT = "/apis/apps/v1/namespaces/shop/deployments/application"
ROUTES = "/api/v1/namespaces/shop-edge/configmaps/routes"


def workload(generation: int = 1, **status: int) -> dict[str, Any]:
    return {
        "metadata": {"generation": generation},
        "spec": {"replicas": 2},
        "status": {"observedGeneration": 1, "updatedReplicas": 2, **status},
    }


def healthz(node: str) -> str:
    return f"/api/v1/nodes/{node}/proxy/healthz"


@pytest.fixture
def api() -> Api:
    items = [pod("application-a", "application"), pod("application-b", "application", node="n2")]
    return Api(
        {
            PODS: (200, {"items": items}),
            f"{PODS}/database-0": (200, pod("database-0", "database", node="n1")),
            f"{PODS}/database-1": (200, pod("database-1", "database", node="n2")),
            DEPLOYMENT: (200, workload()),
            ROUTES: (200, {"data": {"closed": "false", "queue_closed": "true"}}),
            "/version": (200, {"gitVersion": "v1.29.3"}),
            **{healthz(node): (200, "ok") for node in ("n1", "n2", "n3")},
            **{f"/api/v1/nodes/{node}": (200, {}) for node in ("n1", "n2", "n3")},
            "/api/v1/nodes": (200, {"items": [node(name) for name in ("n1", "n2", "n3")]}),
        }
    )


def node(name: str) -> dict[str, Any]:
    ready = {"type": "Ready", "status": "True"}
    return {"metadata": {"name": name}, "spec": {}, "status": {"conditions": [ready]}}


@pytest.fixture
def site(api: Api, tmp_path: Path) -> Iterator[KubernetesSite]:
    with served(api) as server:
        cluster = connect(kubeconfig=str(kubeconfig(tmp_path, server)))
        yield KubernetesSite(cluster, "shop", "shop-edge", tmp_path / "places.json")


def test_members_and_nodes(site: KubernetesSite, api: Api) -> None:
    assert site.node_of("database-1") == "n2"
    assert site.member_of("n1") == "database-0"
    assert site.member_of("database-1") == "database-1"
    with pytest.raises(PlatformError, match="no database member is on node n3"):
        site.member_of("n3")
    del api.answers[f"{PODS}/database-1"]  # its node is dead, its successor not made yet
    assert site.node_of("database-1") == "n2"
    del api.answers[f"{PODS}/database-0"]
    site.memory.unlink()
    with pytest.raises(PlatformError, match="no node is known"):
        site.node_of("database-0")


def test_who_runs_is_who_runs_on_a_node_that_answers(site: KubernetesSite, api: Api) -> None:
    assert site.replicas("application") == ("application-a", "application-b")
    api.answers[healthz("n2")] = (503, "no route")
    assert site.replicas("application") == ("application-a",)
    assert site.is_running("database-0")
    assert not site.is_running("database-1")
    assert not site.is_running("database-7")


def test_each_of_its_replicas_is_found_by_name_also_at_the_edge(
    site: KubernetesSite, api: Api
) -> None:
    door = pod("ingress-84f9-jpmh8", "ingress")
    edge = "/api/v1/namespaces/shop-edge/pods"
    api.answers[edge] = (200, {"items": [door]})
    api.answers[f"{edge}/ingress-84f9-jpmh8"] = (200, door)
    (name,) = site.replicas("ingress")
    assert site.is_running(name)
    api.answers[f"{edge}/{name}/log"] = (200, "it served")
    assert "it served" in site.logs(name)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({DEPLOYMENT: (200, workload(generation=2))}, "not taken up"),
        ({DEPLOYMENT: (200, workload(updatedReplicas=1))}, "2 of 2 pods"),
        ({PODS: (200, {"items": [pod("a", "application")]})}, "1 of 2 pods"),
        (
            {PODS: (200, {"items": [pod("a", "application"), pod("b", "x", ready=False)]})},
            "b is not ready",
        ),
        ({DEPLOYMENT: (200, {**workload(), "spec": {"replicas": 0}})}, "0 replicas are asked for"),
    ],
)
def test_gaps(site: KubernetesSite, api: Api, change: dict[str, Any], told: str) -> None:
    assert site.gap("application") == ""
    api.answers.update(change)
    assert told in site.gap("application")


def test_one_that_is_leaving_counts_only_where_it_is_asked(site: KubernetesSite, api: Api) -> None:
    left = pod("application-c", "application", leaving=True)
    api.answers[PODS][1]["items"].append(left)
    assert site.gap("application") == ""
    assert "application-c" in site.gap("application", strict=True)


def test_doors(site: KubernetesSite, api: Api) -> None:
    assert site.doors() == (False, True)
    site.set_doors(closed=True, queue_closed=False)
    assert api.asked[-1] == ("PATCH", ROUTES, {"data": {"closed": "true", "queue_closed": "false"}})
    api.answers[ROUTES] = (200, {"data": {"closed": "no"}})
    with pytest.raises(PlatformError, match="says nothing of closed"):
        site.doors()


def test_secrets_are_stored_in_both_namespaces(site: KubernetesSite, api: Api) -> None:
    for namespace in ("shop", "shop-edge"):
        api.answers[f"/api/v1/namespaces/{namespace}/secrets/secrets"] = (200, {})
    api.answers["/api/v1/namespaces/shop-edge/pods"] = (200, {"items": []})
    site.put_secrets({"shop": "hush"})
    stored = [(path, body) for _, path, body in api.asked if path.endswith("secrets/secrets")]
    assert [path.split("/")[4] for path, _ in stored] == ["shop", "shop-edge"]
    assert base64.b64decode(stored[0][1]["data"]["shop"]) == b"hush"


def nodes_of(
    site: KubernetesSite, tmp_path: Path, stop: str, start: str = "true"
) -> KubernetesNodes:
    found = NodeHooks(("sh", "-c", stop, "{node}"), ("sh", "-c", start, "{node}"), 5.0)
    return KubernetesNodes(
        site.cluster, site, found, tmp_path, tmp_path / "hooks.log",
        leader=lambda: "n1", rejoined=lambda: True,
    )  # fmt: skip


def test_selectors(site: KubernetesSite, tmp_path: Path, api: Api) -> None:
    found = nodes_of(site, tmp_path, "true")
    asked = ("primary", "standby", "bystander", "n2", "database-1")
    assert [found.resolve(word) for word in asked] == ["n1", "n2", "n3", "n2", "n2"]
    with pytest.raises(FaultError, match="no node 'n9'"):
        found.resolve("n9")
    api.answers["/api/v1/nodes"] = (200, {"items": [node("n1"), node("n2")]})
    with pytest.raises(FaultError, match="no node is bystander"):
        found.resolve("bystander")


def test_a_hook_without_effect_is_no_fault(
    site: KubernetesSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.platforms.kubernetes.nodes._SETTLE_S", 0.2)
    with pytest.raises(FaultError, match="the node still answers"):
        nodes_of(site, tmp_path, "true").kill("n1")


def test_a_hook_that_fails_is_told_in_its_own_words(site: KubernetesSite, tmp_path: Path) -> None:
    with pytest.raises(FaultError, match="exit code 3; its last words: no power here"):
        nodes_of(site, tmp_path, "echo no power here; exit 3").kill("n1")
    missing = NodeHooks(("./nothing", "{node}"), ("true", "{node}"))
    with pytest.raises(FaultError, match="cannot be run"):
        hooks.stop(missing, "n1", tmp_path, tmp_path / "hooks.log")


def test_death_is_between_the_last_answer_and_the_first_silence(
    site: KubernetesSite, tmp_path: Path, api: Api
) -> None:
    api.answers[healthz("n1")] = [(200, "ok"), (200, "ok"), (503, "gone")]
    found = nodes_of(site, tmp_path, "sleep 0.2")
    seen = found.kill("n1")
    assert seen.earliest_ns < seen.latest_ns
    assert found.is_dead("n1")
    with pytest.raises(FaultError, match="dead already"):
        found.kill("n1")


def test_a_silent_api_server_is_no_dead_node(
    site: KubernetesSite, tmp_path: Path, api: Api
) -> None:
    api.answers[healthz("n1")] = (503, "gone")
    api.answers["/version"] = (503, "gone")
    with pytest.raises(PlatformError, match="did not carry out"):
        nodes_of(site, tmp_path, "true").is_dead("n1")


def test_a_node_that_answers_is_not_started_again(site: KubernetesSite, tmp_path: Path) -> None:
    nodes_of(site, tmp_path, "true", start="touch started").start("n1")
    assert not (tmp_path / "started").exists()
