"""CloudNativePG as far as it is labels and kinds: a stub in a real cluster, no operator runs."""

from __future__ import annotations

from typing import Any

from somebody import Somebody, until

CNPG = "postgresql.cnpg.io"


class operator:  # noqa: N801  reads as a word of the test
    """CloudNativePG's kinds, a Cluster of three instances, and two of its backups."""

    def __init__(self, theirs: Somebody) -> None:
        self._theirs = theirs

    def __enter__(self) -> dict[str, Any]:
        for kind in ("Cluster", "Backup"):
            self._theirs.make(custom(kind))
        served = f"/apis/{CNPG}/v1"
        until(lambda: self._theirs.cluster.find(served) is not None)
        until(lambda: len(self._theirs.cluster.get(served)["resources"]) >= 2)
        self._theirs.make(theirs_of("Cluster", "ledger", spec={"instances": 3}))
        done = {"phase": "completed", "stoppedAt": "2026-11-26T02:00:00Z"}
        broken = {"phase": "failed", "startedAt": "2026-11-27T02:00:00Z"}
        for name, told in (("nightly-1", done), ("nightly-2", broken)):
            self._theirs.make(theirs_of("Backup", name, status=told))
        path = f"{served}/namespaces/{self._theirs.namespace}/clusters/ledger"
        uid = self._theirs.cluster.get(path)["metadata"]["uid"]
        return {"apiVersion": f"{CNPG}/v1", "kind": "Cluster", "name": "ledger", "uid": uid,
                "controller": True}  # fmt: skip

    def __exit__(self, *_: object) -> None:
        cluster, namespace = self._theirs.cluster, self._theirs.namespace
        for number in (1, 2):
            pod = f"/api/v1/namespaces/{namespace}/pods/ledger-{number}"
            cluster.delete(pod, gracePeriodSeconds="1")
        for kind in ("clusters", "backups"):
            path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
            cluster.delete(f"{path}/{kind}.{CNPG}")


def custom(kind: str) -> dict[str, Any]:
    plural = f"{kind.lower()}s"
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v1", "served": True, "storage": True,
               "schema": {"openAPIV3Schema": schema}}  # fmt: skip
    names = {"kind": kind, "plural": plural, "singular": kind.lower()}
    spec = {"group": CNPG, "scope": "Namespaced", "names": names, "versions": [version]}
    return {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": f"{plural}.{CNPG}"}, "spec": spec}  # fmt: skip


def theirs_of(kind: str, name: str, **more: Any) -> dict[str, Any]:
    return {"apiVersion": f"{CNPG}/v1", "kind": kind, "metadata": {"name": name}, **more}


def instance(name: str, labels: dict[str, str], owner: dict[str, Any]) -> dict[str, Any]:
    container = {"name": "postgres", "image": "localhost/busybox:1",
                 "imagePullPolicy": "IfNotPresent", "command": ["sleep", "3600"]}  # fmt: skip
    meta = {"name": name, "labels": labels, "ownerReferences": [owner]}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": meta,
        "spec": {"containers": [container]},
    }


def relabel(theirs: Somebody, pod: str, role: str) -> None:
    change = {"metadata": {"labels": {"cnpg.io/instanceRole": role}}}
    theirs.cluster.patch(f"/api/v1/namespaces/{theirs.namespace}/pods/{pod}", change)
