"""What two environments have in common is seen in the cluster, not in what we meant to make."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from api_stub import Api, kubeconfig, pod, served

from harness.errors import PlatformError
from harness.inputs.kubernetes_file import KubernetesOptions
from harness.platforms.kubernetes import in_common
from harness.platforms.kubernetes.client import Cluster, connect
from harness.platforms.kubernetes.state import Found, Kept
from harness.platforms.kubernetes.where import Where

KEPT = Kept(
    "kubernetes-1",
    KubernetesOptions(Path(), namespace="shop"),
    Found(Where("c", "s", ""), (), 2.0, 3),
)
OLD, NEW, EDGE = (f"/api/v1/namespaces/{name}" for name in ("shop", "shop-clean-1", "shop-edge"))
BINDINGS = "/apis/rbac.authorization.k8s.io/v1/namespaces/shop-clean-1/rolebindings"


def items(*found: Any) -> tuple[int, Any]:
    return 200, {"items": list(found)}


def claim(name: str, volume: str) -> Any:
    return {"metadata": {"name": name}, "spec": {"volumeName": volume}}


def volume(path: str) -> tuple[int, Any]:
    return 200, {"spec": {"hostPath": {"path": path}, "capacity": {"storage": "1Gi"}}}


@pytest.fixture
def api() -> Api:
    return Api(
        {
            f"{OLD}/pods": items(),
            f"{NEW}/pods": items(pod("database-0", "database")),
            f"{OLD}/secrets/secrets": (200, {"data": {"shop": "b2xk", "valkey": "b2xkMg=="}}),
            f"{NEW}/secrets/secrets": (200, {"data": {"shop": "bmV3", "valkey": "bmV3Mg=="}}),
            f"{EDGE}/secrets/secrets": (200, {"data": {"s3_admin_key": "bmV3Mw=="}}),
            f"{OLD}/persistentvolumeclaims": items(claim("data-database-0", "pv-1")),
            f"{NEW}/persistentvolumeclaims": items(claim("data-database-0", "pv-2")),
            "/api/v1/persistentvolumes/pv-1": volume("/volumes/1"),
            "/api/v1/persistentvolumes/pv-2": volume("/volumes/2"),
            BINDINGS: items({"metadata": {"name": "ingress"}, "subjects": [{"namespace": "edge"}]}),
        }
    )


@pytest.fixture
def cluster(api: Api, tmp_path: Path) -> Iterator[Cluster]:
    with served(api) as server:
        yield connect(kubeconfig=str(kubeconfig(tmp_path, server)))


def told(cluster: Cluster) -> tuple[str, ...]:
    return in_common.between(cluster, KEPT, "clean-1")


def test_nothing_in_common(cluster: Cluster) -> None:
    assert told(cluster) == ()


@pytest.mark.parametrize(
    ("path", "answer", "sentence"),
    [
        (f"{OLD}/pods", items(pod("queue-0", "queue")), "pod queue-0 of shop is there"),
        (f"{NEW}/secrets/secrets", (200, {"data": {"other": "b2xk"}}), "the secret other in shop-"),
        (
            f"{EDGE}/secrets/secrets",
            (200, {"data": {"key": "b2xkMg=="}}),
            "the secret key in shop-",
        ),
        ("/api/v1/persistentvolumes/pv-2", volume("/volumes/1"), "the volume of data-database-0"),
        (f"{NEW}/persistentvolumeclaims", items(claim("data", "pv-1")), "the volume of data in"),
        (
            BINDINGS,
            items({"metadata": {"name": "x"}, "subjects": [{"name": "a", "namespace": "shop"}]}),
            "RoleBinding x in shop-clean-1 lets a of shop in",
        ),
    ],
)
def test_what_is_shared_is_named(
    cluster: Cluster, api: Api, path: str, answer: tuple[int, Any], sentence: str
) -> None:
    api.answers[path] = answer
    (found,) = told(cluster)
    assert found.startswith(sentence)


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        (f"{NEW}/pods", items()),
        (f"{OLD}/secrets/secrets", (200, {"data": {}})),
        (f"{OLD}/persistentvolumeclaims", items()),
    ],
)
def test_a_look_that_could_see_nothing_is_no_look(
    cluster: Cluster, api: Api, path: str, answer: tuple[int, Any]
) -> None:
    api.answers[path] = answer
    with pytest.raises(PlatformError):
        told(cluster)
