"""The client: what an API's refusal means, and what its silence does."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from api_stub import FORBIDDEN, Api, kubeconfig, pod, served, status

from harness.errors import PlatformError
from harness.platforms.kubernetes import objects
from harness.platforms.kubernetes.client import NotThere, Silent, connect

PODS = "/api/v1/namespaces/shop/pods"


def test_it_says_which_cluster_it_speaks_to(tmp_path: Path) -> None:
    with served(Api({"/version": (200, {"gitVersion": "v1.29.3"})})) as server:
        file = kubeconfig(tmp_path, server, name="kind-staging")
        cluster = connect("kind-staging", str(file))
        assert str(cluster.where) == f"context kind-staging at {server}"
        assert cluster.where.kubeconfig == str(file)
        assert cluster.version == "v1.29.3"
        assert connect(kubeconfig=str(file)).where == cluster.where  # the current one


def test_a_missing_right_is_named(tmp_path: Path) -> None:
    with served(Api({PODS: (403, status(403, FORBIDDEN))})) as server:
        cluster = connect(kubeconfig=str(kubeconfig(tmp_path, server)))
        with pytest.raises(PlatformError) as refused:
            objects.pods(cluster, "shop")
    assert "the right to list pods in namespace shop is missing" in refused.value.what
    assert "Role" in refused.value.next_step


@pytest.mark.parametrize(
    ("answer", "kind", "told"),
    [
        ((401, status(401, "Unauthorized")), PlatformError, "does not know who asks"),
        ((404, status(404, "pods not found")), NotThere, "has none such"),
        ((422, status(422, "spec is invalid")), PlatformError, "HTTP 422 spec is invalid"),
        ((503, "upstream is gone"), Silent, "upstream is gone"),
    ],
)
def test_what_is_refused_is_told(
    tmp_path: Path, answer: tuple[int, object], kind: type[PlatformError], told: str
) -> None:
    with served(Api({PODS: answer})) as server:
        cluster = connect(kubeconfig=str(kubeconfig(tmp_path, server)))
        with pytest.raises(PlatformError, match=told) as refused:
            cluster.get(PODS)
    assert type(refused.value) is kind


def test_nobody_there_is_told_with_what_to_do(tmp_path: Path) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        server = f"http://127.0.0.1:{bound.getsockname()[1]}"
        cluster = connect(kubeconfig=str(kubeconfig(tmp_path, server)))
        with pytest.raises(Silent, match="does not answer") as silent:
            cluster.get("/version", within_s=1.0)
    assert "kubectl --context here get nodes" in silent.value.next_step


def test_one_that_is_silent_is_not_waited_for(tmp_path: Path) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        bound.listen()  # takes the connection, and never answers
        server = f"http://127.0.0.1:{bound.getsockname()[1]}"
        cluster = connect(kubeconfig=str(kubeconfig(tmp_path, server)))
        with pytest.raises(Silent, match="does not answer"):
            cluster.get("/version", within_s=0.3)


@pytest.mark.parametrize("context", ["", "another"])
def test_no_such_context(tmp_path: Path, context: str) -> None:
    file = kubeconfig(tmp_path, "http://127.0.0.1:1")
    with pytest.raises(PlatformError, match="no cluster can be found"):
        connect(context or "nowhere", str(file if context else tmp_path / "none"))


def test_rights_are_asked_for_and_nothing_is_done(tmp_path: Path) -> None:
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    api = Api({path: [(201, {"status": {"allowed": True}}), (201, {"status": {}})]})
    with served(api) as server:
        cluster = connect(kubeconfig=str(kubeconfig(tmp_path, server)))
        assert cluster.may("create", "pods/exec", "shop")
        assert not cluster.may("delete", "nodes")
    attributes = api.asked[0][2]["spec"]["resourceAttributes"]
    assert (attributes["resource"], attributes["subresource"]) == ("pods", "exec")
    assert {method for method, _, _ in api.asked} == {"POST"}
    assert {path for _, path, _ in api.asked} == {path}


def test_a_pod_without_a_word_is_not_ready(tmp_path: Path) -> None:
    silent = {"metadata": {"name": "x"}, "spec": {}}
    items = [pod("a", "queue"), pod("b", "queue", leaving=True), silent]
    with served(Api({PODS: (200, {"items": items})})) as server:
        cluster = connect(kubeconfig=str(kubeconfig(tmp_path, server)))
        first, second, third = objects.pods(cluster, "shop")
    assert (first.serves, first.part, first.node) == (True, "queue", "n1")
    assert not second.serves
    assert (third.ready, third.running, third.node, third.why_not) == (False, False, "", "unknown")
