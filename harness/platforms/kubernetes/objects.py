"""The few objects of a cluster that are read, as small values; unknown is never well."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.platforms.kubernetes.client import Cluster


@dataclass(frozen=True, slots=True)
class Pod:
    """One pod, as the API has it: of a dead node that is its last word."""

    name: str
    node: str  # "" while it is not scheduled
    part: str  # the label peakdrill.dev/part
    ready: bool
    running: bool
    leaving: bool  # deleted, and not gone yet
    why_not: str  # in the API's words, "" where it is ready

    @property
    def serves(self) -> bool:
        return self.ready and not self.leaving


@dataclass(frozen=True, slots=True)
class Node:
    name: str
    ready: bool
    schedulable: bool


PART = "peakdrill.dev/part"


def pods(cluster: Cluster, namespace: str, selector: str = "") -> tuple[Pod, ...]:
    query: dict[str, Any] = {"labelSelector": selector} if selector else {}
    found = cluster.get(f"/api/v1/namespaces/{namespace}/pods", **query)
    return tuple(_pod(item) for item in found["items"])


def pod(cluster: Cluster, namespace: str, name: str) -> Pod | None:
    found = cluster.find(f"/api/v1/namespaces/{namespace}/pods/{name}")
    return _pod(found) if found else None


def nodes(cluster: Cluster) -> tuple[Node, ...]:
    return tuple(_node(item) for item in cluster.get("/api/v1/nodes")["items"])


def node_is_ready(cluster: Cluster, name: str, *, within_s: float) -> bool:
    """As the API has it: of a node that has just died for 40 s yet."""
    return _node(cluster.get(f"/api/v1/nodes/{name}", within_s=within_s)).ready


def labels_of_namespace(cluster: Cluster, name: str) -> Mapping[str, str] | None:
    """None where there is no such namespace."""
    found = cluster.find(f"/api/v1/namespaces/{name}")
    return None if found is None else found["metadata"].get("labels") or {}


def is_ready(item: Mapping[str, Any]) -> bool:
    """A pod's own word, as the API has it."""
    return _condition(item.get("status") or {}, "Ready")


def _pod(item: Mapping[str, Any]) -> Pod:
    meta, status = item["metadata"], item.get("status") or {}
    ready = _condition(status, "Ready")
    return Pod(
        name=meta["name"],
        node=(item.get("spec") or {}).get("nodeName") or "",
        part=(meta.get("labels") or {}).get(PART, ""),
        ready=ready,
        running=status.get("phase") == "Running",
        leaving=bool(meta.get("deletionTimestamp")),
        why_not="" if ready else _why_not(status),
    )


def _why_not(status: Mapping[str, Any]) -> str:
    for container in status.get("containerStatuses") or ():
        waiting = (container.get("state") or {}).get("waiting")
        if waiting:
            told = f"{waiting.get('reason', 'waiting')}: {waiting.get('message', '')}"
            return told.strip(": ")[:200]
    for condition in status.get("conditions") or ():
        if condition.get("status") != "True" and condition.get("message"):
            return str(condition["message"])[:200]
    return str(status.get("phase", "unknown"))


def _node(item: Mapping[str, Any]) -> Node:
    return Node(
        name=item["metadata"]["name"],
        ready=_condition(item.get("status") or {}, "Ready"),
        schedulable=not (item.get("spec") or {}).get("unschedulable", False),
    )


def _condition(status: Mapping[str, Any], kind: str) -> bool:
    return any(
        condition.get("type") == kind and condition.get("status") == "True"
        for condition in status.get("conditions") or ()
    )
