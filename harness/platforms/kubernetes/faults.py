"""The capability `faults.cluster` over the API: guards, observations, and the undo.

What it undoes bears our sign: a node that its owner has cordoned, a policy that somebody else has
made, are left alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from kubernetes.client.exceptions import ApiException

from harness.errors import FaultError, PlatformError
from harness.platforms.capabilities import Instant
from harness.platforms.cluster_faults import Target, Tool
from harness.platforms.kubernetes import eviction, leases, partition
from harness.platforms.kubernetes.client import Cluster, NotThere, explained
from harness.platforms.kubernetes.leases import SEEN_WITHIN_S, Leases
from harness.platforms.kubernetes.targets import Pods, type_labels
from harness.platforms.kubernetes.tenancy import Tenancy
from harness.platforms.kubernetes.where import Where
from harness.platforms.reference.lease import (
    CORDONED_BY,
    DELETE_POLICY,
    UNCORDON,
    Step,
)
from harness.platforms.reference.site import KEEPER

LEASE_S = 15


@dataclass(frozen=True, slots=True)
class Scope:
    """How far a fault may reach, and how the stack names its parts."""

    namespace: str  # whose pods may be hurt; no other's
    platform: str  # this platform's own name: its leases are ours to play
    lease_s: int = LEASE_S
    witness: str = KEEPER  # the part from which a partition is looked at
    parts: Mapping[str, type_labels] = field(default_factory=dict)
    in_role: Callable[[str], str] | None = None  # primary, standby -> a pod, where no label tells
    seen_within_s: float = SEEN_WITHIN_S


@dataclass(frozen=True, slots=True)
class KubernetesFaults:
    cluster: Cluster
    scope: Scope

    @property
    def tool(self) -> Tool:
        where = self.cluster.where
        return Tool(where.kubeconfig, where.context, where.server, self.scope.namespace)

    @property
    def lease_s(self) -> int:
        return self.scope.lease_s

    @property
    def _pods(self) -> Pods:
        scope = self.scope
        return Pods(self.cluster, scope.namespace, scope.parts, scope.in_role)

    @property
    def _leases(self) -> Leases:
        scope = self.scope
        return Leases(
            self.cluster, scope.namespace, scope.platform, scope.lease_s, scope.seen_within_s
        )

    def alone(self, mine: str) -> AbstractContextManager[None]:
        return Tenancy(self.cluster, self.scope.namespace, mine).held()

    def take_lease(self, lease: str, fault: str, run_id: str, undo: Mapping[str, str]) -> None:
        self._leases.take(lease, fault, run_id, tuple(Step(v, n) for v, n in undo.items()))

    def renew(self, lease: str) -> bool:
        return self._leases.renew(lease)

    def give_back(self, lease: str) -> None:
        if lease:
            self._leases.give_back(lease)

    def play_left_behind(self) -> list[str]:
        told: list[str] = []
        for lease in self._leases.left_behind():
            told.append(leases.play(lease, self._play))
            self.give_back(lease.name)
        return told

    def _play(self, step: Step, lease: str) -> None:
        if step.verb == UNCORDON:
            self.uncordon(step.name, lease)
        elif step.verb == DELETE_POLICY:
            self.delete_policy(step.name)

    def node_of(self, selector: str) -> str:
        return self._pods.node_of(selector)

    def drainable(self, node: str) -> tuple[Target, ...]:
        found = self._node(node)
        if (found.get("spec") or {}).get("unschedulable"):
            raise FaultError(
                f"node {node} is cordoned already: its owner, or a drill, is at work there",
                next_step=f"`peakdrill undo`, or `kubectl uncordon {node}`",
            )
        targets = self._pods.evictable(node)
        if not targets:
            raise FaultError(
                f"nothing to drain: no pod of namespace {self.scope.namespace} is on node {node}; "
                "nothing was broken"
            )
        return targets

    def sign_cordon(self, node: str, lease: str) -> None:
        self.cluster.patch(_of(node), {"metadata": {"annotations": {CORDONED_BY: lease}}})

    def evict(
        self, targets: tuple[Target, ...], within_s: float, is_over: Callable[[], bool]
    ) -> Instant:
        return eviction.evict(self._pods, targets, within_s, is_over)

    def is_drained(self, node: str) -> bool:
        closed = bool((self._node(node).get("spec") or {}).get("unschedulable"))
        return closed and not self._pods.evictable(node)

    def is_cordoned(self, node: str, lease: str) -> bool:
        """A node that is gone for good (an empty one is taken away by autoscalers) is not."""
        found = self.cluster.find(_of(node))
        says = (found["metadata"].get("annotations") or {}) if found else {}
        return bool(lease) and says.get(CORDONED_BY) == lease

    def uncordon(self, node: str, lease: str) -> None:
        if self.is_cordoned(node, lease):
            says = {"annotations": {CORDONED_BY: None}}
            self.cluster.patch(_of(node), {"metadata": says, "spec": {"unschedulable": None}})

    def targets(self, pods: str) -> tuple[Target, ...]:
        return self._pods.matching(pods)

    def running(self, names: Sequence[str]) -> tuple[Target, ...]:
        return self._pods.running(names)

    def is_gone(self, target: Target) -> bool:
        return self._pods.is_gone(target)

    def missing(self, controller: str) -> int:
        return self._pods.missing(controller)

    def policy(
        self, name: str, pods: str, targets: tuple[Target, ...], lease: str
    ) -> dict[str, object]:
        return partition.policy(self._pods, name, pods, targets, lease)

    def policy_exists(self, name: str = "") -> bool:
        return partition.exists(self._pods, name)

    def delete_policy(self, name: str) -> None:
        partition.delete(self._pods, name)

    def passing(self, targets: tuple[Target, ...], port: int = 0) -> tuple[str, ...]:
        return partition.passing(self._pods, self.scope.witness, targets, port)

    def _node(self, node: str) -> dict[str, Any]:
        try:
            found: dict[str, Any] = self.cluster.get(_of(node))
        except NotThere:
            raise FaultError(
                f"no node {node!r} in the cluster: nothing was broken",
                next_step="`kubectl get nodes` lists them",
            ) from None
        return found


def understood(error: Exception, what: str, tool: Tool) -> PlatformError:
    """What the Chaos Toolkit's own client ran into, in our words: a 403 names the right."""
    where = Where(tool.context, tool.server, tool.kubeconfig)
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ApiException):
            return explained(cause, what, where)
        cause = cause.__cause__ or cause.__context__
    return PlatformError(f"{what}: {error}")


def _of(node: str) -> str:
    return f"/api/v1/nodes/{node}"
