"""What two environments in a cluster have in common, by what the API really has."""

from __future__ import annotations

import json
from typing import Any

from harness.errors import PlatformError
from harness.platforms.kubernetes import objects
from harness.platforms.kubernetes.client import Cluster
from harness.platforms.kubernetes.site import SECRETS
from harness.platforms.kubernetes.state import Kept

_NO_SOURCE = {  # of a volume: how it is used, not where it lies
    "accessModes", "capacity", "claimRef", "mountOptions", "nodeAffinity",
    "persistentVolumeReclaimPolicy", "storageClassName", "volumeMode",
}  # fmt: skip


def between(cluster: Cluster, kept: Kept, environment: str) -> tuple[str, ...]:
    """A sentence each. Raises PlatformError: what cannot be looked at may be shared."""
    old, new = kept.tenant(""), kept.tenant(environment)
    if not objects.pods(cluster, new, objects.PART):
        raise PlatformError(f"no pod is in {new}: nothing could be seen")
    return (
        *(f"pod {pod.name} of {old} is there" for pod in objects.pods(cluster, old)),
        *_secrets(cluster, old, new),
        *_secrets(cluster, old, kept.options.edge_namespace),
        *_volumes(cluster, old, new),
        *_let_in(cluster, old, new),
    )


def _secrets(cluster: Cluster, old: str, new: str) -> list[str]:
    """Values of Secret `secrets` in both namespaces."""
    before = set(_data(cluster, old).values())
    now = _data(cluster, new)
    if not before or not now:
        raise PlatformError(f"Secret {SECRETS} is empty in {old if now else new}")
    return [f"the secret {name} in {new}" for name, word in now.items() if word in before]


def _data(cluster: Cluster, namespace: str) -> dict[str, str]:
    told = cluster.get(f"/api/v1/namespaces/{namespace}/secrets/{SECRETS}")
    return dict(told.get("data") or {})


def _volumes(cluster: Cluster, old: str, new: str) -> list[str]:
    """A volume that claims of both are bound to, or two that lie in the same place."""
    before = {_place(cluster, claim) for claim in _claims(cluster, old)}
    if not before:
        raise PlatformError(f"no volume of {old} is left: nothing could be compared")
    return [
        f"the volume of {claim['metadata']['name']} in {new}"
        for claim in _claims(cluster, new)
        if _place(cluster, claim) in before
    ]


def _claims(cluster: Cluster, namespace: str) -> list[dict[str, Any]]:
    path = f"/api/v1/namespaces/{namespace}/persistentvolumeclaims"
    found = cluster.get(path)["items"]
    return [claim for claim in found if (claim.get("spec") or {}).get("volumeName")]


def _place(cluster: Cluster, claim: dict[str, Any]) -> str:
    volume = cluster.get(f"/api/v1/persistentvolumes/{claim['spec']['volumeName']}")
    source = {key: told for key, told in volume["spec"].items() if key not in _NO_SOURCE}
    return json.dumps(source, sort_keys=True)


def _let_in(cluster: Cluster, old: str, new: str) -> list[str]:
    """Accounts of the old namespace that a binding gives rights in the new one."""
    path = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{new}/rolebindings"
    return [
        f"RoleBinding {binding['metadata']['name']} in {new} lets {subject['name']} of {old} in"
        for binding in cluster.get(path)["items"]
        for subject in binding.get("subjects") or ()
        if subject.get("namespace") == old
    ]
