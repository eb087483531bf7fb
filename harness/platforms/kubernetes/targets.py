"""What a fault in the cluster would hit: pods by part, role or name; never nothing in silence."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from harness.errors import FaultError
from harness.platforms.cluster_faults import Target
from harness.platforms.kubernetes.client import Cluster
from harness.platforms.kubernetes.objects import PART

type_labels = Mapping[str, tuple[str, ...]]  # label -> the values that are meant

ROLE = "peakdrill.dev/role"  # kept by Patroni; `master` until its version 4
POD_NAME = "statefulset.kubernetes.io/pod-name"
_MIRROR = "kubernetes.io/config.mirror"
_ROLES: Mapping[str, type_labels] = MappingProxyType(
    {
        "primary": {PART: ("database",), ROLE: ("primary", "master")},
        "standby": {PART: ("database",), ROLE: ("replica", "standby_leader")},
    }
)
_APPS = "apps/v1"
_CONTROLLERS = {  # kind -> where the API has it, and how it says how many pods it wants
    "ReplicaSet": (_APPS, "replicasets", "replicas"),
    "StatefulSet": (_APPS, "statefulsets", "replicas"),
    "DaemonSet": (_APPS, "daemonsets", ""),
    "Cluster": ("postgresql.cnpg.io/v1", "clusters", "instances"),  # CloudNativePG's
}


@dataclass(frozen=True, slots=True)
class Pods:
    """The pods of the platform's own namespace: those of others are never hit."""

    cluster: Cluster
    namespace: str
    parts: Mapping[str, type_labels] = field(default_factory=dict)  # where names mean other labels
    in_role: Callable[[str], str] | None = None  # role -> its pod, where no label tells

    def labels(self, pods: str) -> type_labels:
        return self.parts.get(pods) or _ROLES.get(pods) or {PART: (pods,)}

    def matching(self, pods: str) -> tuple[Target, ...]:
        """Ready, and not leaving. Raises FaultError where there is none."""
        asked = self.in_role(pods) if self.in_role and pods in _ROLES else pods
        named = self.cluster.find(f"{self._folder}/{asked}") if asked else None
        found = [named] if named else self._listed(labelSelector=selector_of(self.labels(pods)))
        ready = tuple(_target(item) for item in found if _is_ready(item))
        if not ready:
            why = f"{len(found)} are there, and none is ready" if found else "nothing matches"
            raise FaultError(
                f"no pod to be hit: {pods!r} in namespace {self.namespace}: {why}; "
                "nothing was broken",
                next_step=f"see `kubectl -n {self.namespace} get pods -L {PART},{ROLE}`",
            )
        return ready

    def labelled(self, labels: type_labels) -> tuple[Target, ...]:
        """Those that run, ready or not."""
        listed = self._listed(labelSelector=selector_of(labels))
        return tuple(_target(item) for item in listed if _runs(item))

    def running(self, names: Sequence[str]) -> tuple[Target, ...]:
        found = (self.cluster.find(f"{self._folder}/{name}") for name in names if name)
        return tuple(_target(item) for item in found if item and _runs(item))

    def node_of(self, selector: str) -> str:
        """Where the pod of a role is; any other word is a node's own name."""
        if selector not in _ROLES:
            return selector
        return min(self.matching(selector), key=lambda found: found.name).node

    def is_gone(self, target: Target) -> bool:
        """Its kubelet says that it is dead: the object may stay for a minute more."""
        found = self.cluster.find(f"{self._folder}/{target.name}")
        return found is None or found["metadata"]["uid"] != target.uid or _has_ended(found)

    def evictable(self, node: str) -> tuple[Target, ...]:
        """What a drain takes: not what a DaemonSet or the node itself keeps there.

        Raises FaultError for a pod that nobody would replace.
        """
        listed = self._listed(fieldSelector=f"spec.nodeName={node}")
        found = [_target(item) for item in listed if _is_evictable(item)]
        bare = [target.name for target in found if not target.controller]
        if bare:
            raise FaultError(
                f"nobody would replace {', '.join(bare)} on node {node}: nothing was drained",
                next_step="a pod without a controller is gone for good once it is evicted",
            )
        return tuple(found)

    def missing(self, controller: str) -> int:
        """As its controller wants, less those that are its own and ready."""
        kind, _, name = controller.partition("/")
        if kind not in _CONTROLLERS:
            raise FaultError(f"nobody here knows how many pods {controller or 'nobody'} wants")
        group, plural, count = _CONTROLLERS[kind]
        owner = self.cluster.get(f"/apis/{group}/namespaces/{self.namespace}/{plural}/{name}")
        if count:
            wanted = int(owner["spec"].get(count, 1))
        else:  # it wants one on each node that will have it
            wanted = int(owner["status"]["desiredNumberScheduled"])
        ready = [
            item
            for item in self._listed()
            if _owner(item).get("uid") == owner["metadata"]["uid"] and _is_ready(item)
        ]
        return max(0, wanted - len(ready))

    @property
    def _folder(self) -> str:
        return f"/api/v1/namespaces/{self.namespace}/pods"

    def _listed(self, **query: str) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self.cluster.call("GET", self._folder, query=query)["items"]
        return items


def selector_of(labels: type_labels) -> str:
    """As the API's `labelSelector`.

    >>> selector_of({"part": ("database",), "role": ("primary", "master")})
    'part=database,role in (primary,master)'
    """
    return ",".join(
        f"{key}={values[0]}" if len(values) == 1 else f"{key} in ({','.join(values)})"
        for key, values in labels.items()
    )


def _target(item: Mapping[str, Any]) -> Target:
    meta, spec = item["metadata"], item["spec"]
    owner, container = _owner(item), spec["containers"][0]
    ports = container.get("ports") or ()
    return Target(
        name=meta["name"],
        uid=meta["uid"],
        node=spec.get("nodeName") or "",
        controller=f"{owner['kind']}/{owner['name']}" if owner else "",
        address=(item.get("status") or {}).get("podIP") or "",
        container=container["name"],
        port=int(ports[0]["containerPort"]) if ports else 0,
    )


def _owner(item: Mapping[str, Any]) -> Mapping[str, Any]:
    owners = item["metadata"].get("ownerReferences") or ()
    return next((owner for owner in owners if owner.get("controller")), {})


def _runs(item: Mapping[str, Any]) -> bool:
    leaving = bool(item["metadata"].get("deletionTimestamp"))
    return (item.get("status") or {}).get("phase") == "Running" and not leaving


def _is_ready(item: Mapping[str, Any]) -> bool:
    conditions = (item.get("status") or {}).get("conditions") or ()
    ready = any(c.get("type") == "Ready" and c.get("status") == "True" for c in conditions)
    return ready and _runs(item)


def _has_ended(item: Mapping[str, Any]) -> bool:
    """Deleted, and by its node's word none of its containers runs: none is started again.

    A container that was cleared away first is `waiting` and no more `terminated`.
    """
    told = (item.get("status") or {}).get("containerStatuses") or ()
    dead = bool(told) and not any("running" in (c.get("state") or {}) for c in told)
    return dead and bool(item["metadata"].get("deletionTimestamp"))


def _is_evictable(item: Mapping[str, Any]) -> bool:
    finished = (item.get("status") or {}).get("phase") in {"Succeeded", "Failed"}
    finished = finished or _has_ended(item)
    mirrored = _MIRROR in (item["metadata"].get("annotations") or {})
    return not finished and not mirrored and _owner(item).get("kind") != "DaemonSet"
