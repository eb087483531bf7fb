"""Bringing documents to a cluster, and taking away exactly what was brought."""

from __future__ import annotations

import base64
import getpass
import os
import socket
import time
from collections.abc import Mapping, Sequence
from typing import Any

from harness.errors import PlatformError, Refused
from harness.platforms.embedded.waiting import await_ready
from harness.platforms.kubernetes import manifests, objects
from harness.platforms.kubernetes.client import Cluster, Silent
from harness.platforms.kubernetes.site import SECRETS
from harness.platforms.kubernetes.state import LABEL, Kept
from harness.platforms.reference.rooms import CLEAN

STANDS, TENANT = "peakdrill.dev/stands", "tenant"  # what network policies go by
BROUGHT_BY = "peakdrill.dev/brought-by"  # for whoever takes it up elsewhere
_GONE_S, _PATIENCE_S = 150.0, 40.0
_TRIES, _PAUSE_S = 5, 1.0
_OF_THE_CLUSTER = (  # what has no namespace, and so does not go with one
    "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
    "/apis/rbac.authorization.k8s.io/v1/clusterroles",
)


def claim_namespaces(cluster: Cluster, kept: Kept) -> None:
    """Both are ours from here on. Raises Refused for one that is somebody else's."""
    for name in namespaces(kept):
        refuse_foreign(cluster, name, kept.platform_id)
    for name, stands in zip(namespaces(kept), (TENANT, "edge"), strict=True):
        claim(cluster, kept, name, stands)


def claim(cluster: Cluster, kept: Kept, name: str, stands: str) -> None:
    """One namespace. Raises Refused for one that is somebody else's."""
    refuse_foreign(cluster, name, kept.platform_id)
    labels = {LABEL: kept.platform_id, STANDS: stands}
    meta = {"name": name, "labels": labels, "annotations": {BROUGHT_BY: _us()}}
    document = {"apiVersion": "v1", "kind": "Namespace", "metadata": meta}
    cluster.apply(f"/api/v1/namespaces/{name}", document)


def refuse_foreign(cluster: Cluster, name: str, platform_id: str) -> None:
    labels = objects.labels_of_namespace(cluster, name)
    if labels is None or labels.get(LABEL) == platform_id:
        return
    whose = labels.get(LABEL)
    told = f"belongs to another stack of peakdrill, {whose}" if whose else "is not peakdrill's"
    raise Refused(
        f"namespace {name} is there already and {told} ({cluster.where})",
        next_step="name another one in platform.yaml (namespace:), or delete it",
    )


def bring_secrets(
    cluster: Cluster, kept: Kept, told: Mapping[str, str], environment: str = ""
) -> None:
    """The same in the tenant's namespace and the edge's; each pod mounts only what it needs."""
    data = {name: base64.b64encode(text.encode()).decode() for name, text in told.items()}
    for namespace in (kept.tenant(environment), kept.options.edge_namespace):
        meta = {"name": SECRETS, "namespace": namespace, "labels": {LABEL: kept.platform_id}}
        document = {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "data": data}
        cluster.apply(f"/api/v1/namespaces/{namespace}/secrets/{SECRETS}", document)


def bring(cluster: Cluster, documents: Sequence[manifests.Document]) -> None:
    """Each by server-side apply: made, or changed to what it says. Raises PlatformError."""
    resources = _Resources(cluster)
    for document in documents:
        path = resources.path_of(document)
        for left in reversed(range(_TRIES)):
            try:
                cluster.apply(path, document)
                break
            except Silent:  # a namespace that is a moment old lacks its service account
                if not left:
                    raise
                time.sleep(_PAUSE_S)
            except PlatformError as error:
                told = f"{manifests.named(document)} cannot be brought: {error.what}"
                raise PlatformError(told, next_step=error.next_step) from error


def take_away(cluster: Cluster, kept: Kept) -> None:
    """Every namespace with all in it, and what has none. Harmless when they are gone.

    A namespace that does not bear our label is left as it is. Raises PlatformError for what did
    not go in time.
    """
    named = (*namespaces(kept), kept.tenant(CLEAN))
    ours = [name for name in named if _is_ours(cluster, name, kept)]
    for name in ours:
        cluster.delete(f"/api/v1/namespaces/{name}")
    for path in _OF_THE_CLUSTER:
        for item in cluster.get(path, labelSelector=kept.selector)["items"]:
            cluster.delete(f"{path}/{item['metadata']['name']}")
    begun = time.monotonic()

    def gone() -> bool:
        left = [name for name in ours if _is_ours(cluster, name, kept)]
        if left and time.monotonic() - begun > _PATIENCE_S:
            _let_go(cluster, left)
        return not left

    await_ready(
        f"the end of {' and '.join(ours)}", gone, within_s=_GONE_S, poll_s=1.0,
        next_step="`kubectl describe namespace` says what keeps it; then peakdrill platform down",
    )  # fmt: skip


def namespaces(kept: Kept) -> tuple[str, str]:
    return kept.options.namespace, kept.options.edge_namespace


def _is_ours(cluster: Cluster, name: str, kept: Kept) -> bool:
    labels = objects.labels_of_namespace(cluster, name)
    return labels is not None and labels.get(LABEL) == kept.platform_id


def _let_go(cluster: Cluster, left: Sequence[str]) -> None:
    """Pods of a node that is away never say goodbye."""
    for namespace in left:
        for pod in objects.pods(cluster, namespace):
            path = f"/api/v1/namespaces/{namespace}/pods/{pod.name}"
            cluster.delete(path, gracePeriodSeconds="0")


def _us() -> str:
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = f"uid {os.getuid()}"
    return f"{name} on {socket.gethostname()}"


class _Resources:
    """Where the API keeps each kind, as it says itself."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._known: dict[str, dict[str, Any]] = {}

    def path_of(self, document: manifests.Document) -> str:
        version, kind, meta = document["apiVersion"], document["kind"], document["metadata"]
        root = f"/apis/{version}" if "/" in version else f"/api/{version}"
        found = self._of(root).get(kind)
        if found is None:
            raise PlatformError(f"this cluster has no {kind} of {version}")
        place = f"/namespaces/{meta['namespace']}" if found["namespaced"] else ""
        return f"{root}{place}/{found['name']}/{meta['name']}"

    def _of(self, root: str) -> dict[str, Any]:
        if root not in self._known:
            listed = (self._cluster.find(root) or {}).get("resources", ())
            self._known[root] = {r["kind"]: r for r in listed if "/" not in r["name"]}
        return self._known[root]
