"""The capability `faults.cluster`: what a cluster lets a drill do to what runs in it.

Beside the protocols of capabilities.py. The doing itself is the Chaos Toolkit's where that is
sound (harness/chaos/cluster.py); here is what guards it: which targets there are, what was
observed, and the undo, which is also kept in the cluster under a time limit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from harness.errors import FaultError
from harness.platforms.capabilities import Instant, Platform

NAME = "faults.cluster"


@dataclass(frozen=True, slots=True)
class Tool:
    """Where the Chaos Toolkit's own client has to look; no secret."""

    kubeconfig: str  # a file; "": whatever it finds by itself
    context: str
    server: str  # whom it has to reach by those: another cluster must not be hit
    namespace: str


@dataclass(frozen=True, slots=True)
class Target:
    """One pod that a fault would hit. `uid`: its successor of the same name is another pod."""

    name: str
    uid: str
    node: str
    controller: str = ""  # KIND/NAME of what replaces it; "" where nobody does
    address: str = ""
    container: str = ""
    port: int = 0  # the first that it declares, 0 where it declares none


class ClusterFaults(Protocol):
    """Every call raises FaultError or PlatformError; a 403 names the right that is missing."""

    @property
    def tool(self) -> Tool: ...

    @property
    def lease_s(self) -> int:
        """How long the cluster waits for a renewal before it plays the undo itself."""

    def alone(self, mine: str) -> AbstractContextManager[None]:
        """No drill of another machine has the stack within. Raises Refused while one has it.

        What a dead holder of the same `mine` has left is taken over at once: only whoever holds
        that place's own lock may call it.
        """

    # --- the undo that survives us
    def take_lease(self, lease: str, fault: str, run_id: str, undo: Mapping[str, str]) -> None:
        """Write the undo (verb -> name) into the cluster; returns once its keeper has read it.

        Raises FaultError where nobody in the cluster keeps undos: then nothing may be broken.
        """

    def renew(self, lease: str) -> bool:
        """False where the cluster has begun to undo it, or it is gone."""

    def give_back(self, lease: str) -> None:
        """It is undone. Harmless when it is gone."""

    def play_left_behind(self) -> list[str]:
        """Undo what leases that have run out, or are of this platform, still hold; sentences.

        Only where no drill has the platform: see harness.tenancy.lock.
        """

    # --- cordon and drain
    def node_of(self, selector: str) -> str:
        """primary, standby (where that pod is) or a node's name. Raises FaultError."""

    def drainable(self, node: str) -> tuple[Target, ...]:
        """What a drain of the node would evict: the platform's own pods, nobody else's.

        Raises FaultError for no such node, one that is cordoned already, and where it is nothing.
        """

    def sign_cordon(self, node: str, lease: str) -> None:
        """Write on the node whose cordon it is: only such a one is ever undone."""

    def evict(
        self, targets: tuple[Target, ...], within_s: float, is_over: Callable[[], bool]
    ) -> Instant:
        """As a maintenance does: budgets are respected, and waited for. When the first went.

        Returns once all are gone. Raises FaultError that names the disruption budget and the pods.
        """

    def is_drained(self, node: str) -> bool:
        """It takes no pods, and none of the platform's is left on it."""

    def is_cordoned(self, node: str, lease: str) -> bool:
        """By the drill that took this lease; every stack of a cluster has the same nodes."""

    def uncordon(self, node: str, lease: str) -> None:
        """Harmless, and only what that drill has cordoned."""

    # --- pods
    def targets(self, pods: str) -> tuple[Target, ...]:
        """Ready pods: of a part, of a role (primary, standby), or the one of that name.

        Raises FaultError where there is none.
        """

    def running(self, names: Sequence[str]) -> tuple[Target, ...]:
        """Those of these names that are there and run; ready or not."""

    def is_gone(self, target: Target) -> bool:
        """Its kubelet has confirmed its death."""

    def missing(self, controller: str) -> int:
        """How many ready pods a controller has too few."""

    # --- network
    def policy(
        self, name: str, pods: str, targets: tuple[Target, ...], lease: str
    ) -> dict[str, object]:
        """A NetworkPolicy that lets nothing in or out of these pods. Nothing is made."""

    def policy_exists(self, name: str = "") -> bool:
        """The one of that name, or any that a drill has made."""

    def delete_policy(self, name: str) -> None:
        """Harmless, and only one that a drill has made."""

    def passing(self, targets: tuple[Target, ...], port: int = 0) -> tuple[str, ...]:
        """Real connections, to each pod from another one, and from each pod to the cluster's API:
        a sentence for each that holds. Raises FaultError where it could not be tried.
        """


def cluster_faults_or_none(platform: Platform) -> ClusterFaults | None:
    """By name: most platforms are no cluster, and need not say so."""
    found: ClusterFaults | None = getattr(platform, "cluster_faults", None)
    return found


def cluster_faults_of(platform: Platform) -> ClusterFaults:
    """Raises FaultError where the platform lacks it."""
    found = cluster_faults_or_none(platform)
    if found is None:
        raise FaultError(
            f"the platform lacks the capability {NAME}",
            next_step="use a platform of kind kubernetes",
        )
    return found
