"""One code path for every level of Kubernetes: only what 1.33 still serves, policy by what is there.

No 1.33 runs here: a stub announces its list of APIs, and what is asked beside it is an error.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from api_stub import Api, kubeconfig, served, status

from harness.inputs.kubernetes_file import KubernetesOptions
from harness.platforms.kubernetes import bringing, checks, manifests
from harness.platforms.kubernetes.client import Cluster, connect
from harness.platforms.kubernetes.finding import found_in
from harness.platforms.kubernetes.state import Found, Kept
from harness.platforms.kubernetes.where import Where

ROOT = Path(__file__).resolve().parents[2]
SERVED_1_33 = frozenset({
    "v1", "admissionregistration.k8s.io/v1", "apiextensions.k8s.io/v1", "apps/v1",
    "authentication.k8s.io/v1", "authorization.k8s.io/v1", "autoscaling/v1", "autoscaling/v2",
    "batch/v1", "certificates.k8s.io/v1", "coordination.k8s.io/v1", "discovery.k8s.io/v1",
    "events.k8s.io/v1", "flowcontrol.apiserver.k8s.io/v1", "networking.k8s.io/v1", "node.k8s.io/v1",
    "policy/v1", "rbac.authorization.k8s.io/v1", "scheduling.k8s.io/v1", "storage.k8s.io/v1",
})  # fmt: skip
SERVED_1_20 = (SERVED_1_33 | {"policy/v1beta1", "batch/v1beta1"}) - {"policy/v1", "autoscaling/v2"}
OLD = "kubernetes-1.20"  # the folder of whatever is for such a level alone
OF_OTHERS = re.compile(r"(postgresql\.cnpg\.io|traefik\.(io|containo\.us))/")  # their own kinds
LOCAL = re.compile(r"(kustomize\.config\.k8s\.io|client\.authentication\.k8s\.io)/")  # files
_IN_CODE = re.compile(
    r"""["']apiVersion["']: ["']([a-z0-9./]+)["']|/apis/([a-z0-9.]+/v[a-z0-9]+)"""
)
_TOLD_BARE = re.compile(r'"([a-z0-9.]+\.(?:k8s\.io|io)/v[a-z0-9]+)"')
_KINDS = {
    "v1": (
        "Namespace",
        "Service",
        "Secret",
        "ConfigMap",
        "ServiceAccount",
        "PersistentVolumeClaim",
    ),
    "apps/v1": ("Deployment", "StatefulSet"),
    "networking.k8s.io/v1": ("NetworkPolicy",),
    "policy/v1": ("PodDisruptionBudget",),
    "policy/v1beta1": ("PodDisruptionBudget",),
    "rbac.authorization.k8s.io/v1": ("Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"),
}
_WIDE = {"Namespace", "ClusterRole", "ClusterRoleBinding"}
KEPT = Kept(
    "kubernetes-1",
    KubernetesOptions(Path(), namespace="try"),
    Found(Where("c", "s", ""), (), 2.0, 3),
)


@dataclass
class Level(Api):
    """Of one level: it knows its own versions, takes what is brought under them, and no other."""

    versions: frozenset[str] = frozenset()
    strange: list[str] = field(default_factory=list)

    def answer(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        self.asked.append((method, path, body))
        version = version_of(path)
        if version and version not in self.versions:
            self.strange.append(f"{method} {path}")
            return 404, status(404, "the server could not find the requested resource")
        if path in self.answers:
            told: tuple[int, Any] = self.answers[path]
            return told
        if path == (f"/apis/{version}" if "/" in version else f"/api/{version}"):
            return 200, {"resources": [resource(kind) for kind in _KINDS.get(version, ())]}
        if method == "PATCH":
            return 200, body
        return 404, status(404, f'"{path}" not found')


def resource(kind: str) -> dict[str, Any]:
    plural = "networkpolicies" if kind == "NetworkPolicy" else f"{kind.lower()}s"
    return {"kind": kind, "name": plural, "namespaced": kind not in _WIDE}


def version_of(path: str) -> str:
    """Of a call: "" where it concerns no version at all."""
    found = re.match(r"/api/(v1)|/apis/([^/]+/[^/]+)", path)
    return (found[1] or found[2]) if found else ""


@contextmanager
def at(level: Level, folder: Path) -> Iterator[Cluster]:
    with served(level) as server:
        yield connect(kubeconfig=str(kubeconfig(folder, server)))


def versions_in(file: Path) -> set[str]:
    text = file.read_text(encoding="utf-8")
    if file.suffix == ".py":
        found = {a or b for a, b in _IN_CODE.findall(text)} | set(_TOLD_BARE.findall(text))
    else:
        documents = [d for d in yaml.safe_load_all(text) if isinstance(d, dict)]
        found = {str(d["apiVersion"]) for d in documents if "apiVersion" in d}
    return {v for v in found if not OF_OTHERS.match(v) and not LOCAL.match(v)}


def sources() -> list[Path]:
    code = [*(ROOT / "harness").rglob("*.py"), *(ROOT / "load").rglob("*.py")]
    told = [f for f in (ROOT / "deploy").rglob("*.yaml") if OLD not in f.parts]
    return [*code, *told]


def test_no_version_is_used_that_1_33_does_not_serve() -> None:
    used = {version: file for file in sources() for version in versions_in(file)}
    assert {"v1", "apps/v1", "coordination.k8s.io/v1", "networking.k8s.io/v1", "policy/v1",
            "batch/v1", "rbac.authorization.k8s.io/v1"} <= set(used)  # fmt: skip
    assert not {v: f.name for v, f in used.items() if v not in SERVED_1_33}


def test_a_version_that_is_gone_would_be_found(tmp_path: Path) -> None:
    code, document = tmp_path / "a.py", tmp_path / "a.yaml"
    code.write_text('x = {"apiVersion": "batch/v1beta1"}\ny = "/apis/policy/v1beta1/x"\n')
    document.write_text("apiVersion: extensions/v1beta1\nkind: Ingress\n")
    found = versions_in(code) | versions_in(document)
    assert found == {"batch/v1beta1", "policy/v1beta1", "extensions/v1beta1"}


@pytest.mark.parametrize(
    ("versions", "budget"), [(SERVED_1_33, "policy/v1"), (SERVED_1_20, "policy/v1beta1")]
)
def test_the_whole_stack_is_brought_to_either_level(
    versions: frozenset[str], budget: str, tmp_path: Path
) -> None:
    level = Level(versions=versions)
    with at(level, tmp_path) as cluster:
        place = manifests.folder(serves_policy_v1=cluster.serves("policy", "v1"))
        level.strange.clear()  # it was asked which one there is
        documents = manifests.for_stack(manifests.rendered(place), KEPT)
        bringing.bring(cluster, documents)
    assert level.strange == []
    brought = [path for method, path, _ in level.asked if method == "PATCH"]
    assert len(brought) == len(documents) > 20
    assert any(f"/apis/{budget}/namespaces/try/poddisruptionbudgets/" in path for path in brought)


def test_what_a_drill_asks_of_1_33_is_all_there(tmp_path: Path) -> None:
    """The looks of `platform check` go by every right that a drill needs."""
    node = {
        "metadata": {"name": "n1"},
        "status": {"conditions": [{"type": "Ready", "status": "True"}]},
    }
    level = Level(
        versions=SERVED_1_33,
        answers={
            "/version": (200, {"gitVersion": "v1.33.4"}),
            "/api/v1/nodes": (200, {"items": [node, node]}),
            "/api/v1/services": (200, {"items": []}),
            "/api/v1/nodes/n1/proxy/healthz": (200, "ok"),
            "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews": (
                201, {"status": {"allowed": True}}
            ),
        },
    )  # fmt: skip
    with at(level, tmp_path) as cluster, pytest.MonkeyPatch.context() as patch:
        patch.setattr(checks, "connect", lambda *_: cluster)
        options = KubernetesOptions(tmp_path, disposable=True, namespace="try")
        told = list(checks.looks(options, None))
        found = found_in(cluster)
    assert level.strange == []
    assert found.versions == (("kubernetes", "v1.33.4"),)
    unwell = {look.told for look in told if not look.well}
    assert all("names no commands that cut a node's power" in why for why in unwell), unwell
    asked = {body["spec"]["resourceAttributes"]["group"] for method, path, body in level.asked
             if method == "POST" and path.endswith("selfsubjectaccessreviews")}  # fmt: skip
    assert {"", "apps", "policy", "networking.k8s.io", "coordination.k8s.io"} <= asked
