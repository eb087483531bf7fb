"""The owner's pods by the owner's labels. What matches nothing is told, never passed over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.errors import PlatformError
from harness.inputs.own_cluster_file import OwnClusterOptions, type_labels
from harness.platforms.kubernetes import objects
from harness.platforms.kubernetes.client import Cluster
from harness.platforms.kubernetes.execution import Container

APPLICATION, DATABASE = "application", "database"


@dataclass(frozen=True, slots=True)
class OwnPod:
    """One of the owner's, as the API has it."""

    name: str
    node: str
    labels: Mapping[str, str]
    containers: tuple[str, ...]
    ready: bool
    running: bool

    def place(self, namespace: str, container: str) -> Container:
        """Where an exec goes. Raises PlatformError for a container that it does not have."""
        if container and container not in self.containers:
            raise PlatformError(
                f"pod {self.name} has no container {container}",
                next_step=f"name one of: {', '.join(self.containers)}",
            )
        return Container(namespace, self.name, container or self.containers[0])


@dataclass(frozen=True, slots=True)
class OwnPods:
    cluster: Cluster
    options: OwnClusterOptions

    def of(self, part: str) -> tuple[OwnPod, ...]:
        """Those that run and are not leaving, by name; may be none."""
        namespace, selector = self.options.namespace, selector_of(self.labels(part))
        listed = self.cluster.get(f"/api/v1/namespaces/{namespace}/pods", labelSelector=selector)
        found = (_pod(item) for item in listed["items"])
        return tuple(sorted((pod for pod in found if pod.running), key=lambda pod: pod.name))

    def some(self, part: str) -> tuple[OwnPod, ...]:
        """Raises PlatformError where the labels match nothing that runs."""
        found = self.of(part)
        if not found:
            raise PlatformError(
                f"no pod of the {part} runs in namespace {self.options.namespace}: nothing "
                f"matches {selector_of(self.labels(part))}",
                next_step=f"`kubectl -n {self.options.namespace} get pods --show-labels`; mend "
                f"{part}: pods: in platform.yaml",
            )
        return found

    def ready(self, part: str) -> tuple[OwnPod, ...]:
        return tuple(pod for pod in self.of(part) if pod.ready)

    def labels(self, part: str) -> type_labels:
        options = self.options
        return options.database.pods if part == DATABASE else options.application_pods


def selector_of(labels: type_labels) -> str:
    """As the API's `labelSelector`.

    >>> selector_of((("app", "pg"), ("tier", "db")))
    'app=pg,tier=db'
    """
    return ",".join(f"{key}={value}" for key, value in labels)


def _pod(item: Mapping[str, Any]) -> OwnPod:
    meta, spec, status = item["metadata"], item["spec"], item.get("status") or {}
    leaving = bool(meta.get("deletionTimestamp"))
    return OwnPod(
        name=meta["name"],
        node=spec.get("nodeName") or "",
        labels=meta.get("labels") or {},
        containers=tuple(one["name"] for one in spec["containers"]),
        ready=objects.is_ready(item) and not leaving,
        running=status.get("phase") == "Running" and not leaving,
    )
