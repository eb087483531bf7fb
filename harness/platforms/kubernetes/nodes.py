"""The capability `nodes`: power cut by the owner's hook, and what is seen of it.

Seen through the API server's own way to the node's kubelet: a node that does not answer there is
dead, whatever the hook said; one that answers is not.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from harness.errors import FaultError, PlatformError
from harness.inputs.kubernetes_file import NodeHooks
from harness.platforms.capabilities import Instant
from harness.platforms.kubernetes import hooks, objects
from harness.platforms.kubernetes.client import Cluster, NotThere
from harness.platforms.reference.site import MEMBERS

PRIMARY, STANDBY, BYSTANDER = "primary", "standby", "bystander"
_POLL_S = 0.05
_QUICK_S = 0.4  # while the hook runs: one that is only slow is heard at the next look
_SETTLE_S = 15.0  # a hook may end before the power is gone
_SILENT_LOOKS = 2  # one silence may be a busy machine's


class Standing(Protocol):
    """What is seen of the stack that stands on the nodes."""

    def node_of(self, member: str) -> str:
        """Where a database is; while it is nowhere, where it was. Raises PlatformError."""

    def answers(self, node: str, *, within_s: float = 1.0) -> bool:
        """Its kubelet, through the API server."""

    def gaps(self) -> tuple[str, ...]:
        """A sentence for each part that is not all there and ready."""


@dataclass(frozen=True, slots=True)
class KubernetesNodes:
    """Of the whole cluster, by their names there."""

    cluster: Cluster
    site: Standing
    hooks: NodeHooks
    folder: Path  # where hooks run
    log: Path
    leader: Callable[[], str | None]  # the node that holds the lease
    rejoined: Callable[[], bool]  # every database: one leads, the others stream
    members: tuple[str, ...] = MEMBERS  # the databases, by name

    def names(self) -> tuple[str, ...]:
        return tuple(node.name for node in objects.nodes(self.cluster))

    def resolve(self, selector: str) -> str:
        """'primary', 'standby', 'bystander', a node's name or a database member's."""
        if selector in self.members:
            return self.site.node_of(selector)
        if selector not in {PRIMARY, STANDBY, BYSTANDER}:
            names = self.names()
            if selector not in names:
                raise FaultError(
                    f"no node {selector!r} in this cluster",
                    next_step=f"primary, standby, bystander, or one of: {', '.join(names)}",
                )
            return selector
        primary = self.leader()
        if selector == BYSTANDER:
            return self._bystander()
        if primary is None:
            raise FaultError(
                f"no node is {selector}: there is no leader just now",
                next_step="wait until the platform is whole",
            )
        return primary if selector == PRIMARY else self._standby(primary)

    def kill(self, node: str) -> Instant:
        """The hook runs, and the node is watched: alive, then silent and never heard again."""
        if self.is_dead(node):
            raise FaultError(f"node {node} is dead already", next_step="peakdrill undo")
        alive_ns = time.monotonic_ns()
        running = hooks.stop(self.hooks, node, self.folder, self.log)
        silent_ns, looks, until = 0, 0, 0.0
        while True:
            asked_ns = time.monotonic_ns()
            if self._answers(node, within_s=_QUICK_S):
                alive_ns, silent_ns, looks = asked_ns, 0, 0
            else:
                silent_ns, looks = silent_ns or time.monotonic_ns(), looks + 1
            over = running.is_over()
            until = until or (time.monotonic() + _SETTLE_S if over else 0.0)
            if over and looks >= _SILENT_LOOKS:
                return Instant(alive_ns, silent_ns)
            if over and time.monotonic() >= until:
                raise FaultError(
                    f"the hook that stops node {node} ended well, and the node still answers",
                    next_step=f"see {self.log}, and mend nodes.stop in platform.yaml",
                )
            time.sleep(_POLL_S)

    def start(self, node: str) -> None:
        """Power back. Harmless when the node runs."""
        if self._answers(self._known(node)):
            return
        hooks.start(self.hooks, node, self.folder, self.log).wait()

    def is_dead(self, node: str) -> bool:
        """Silent twice. Raises PlatformError where nothing can be known of it."""
        self._known(node)
        return not any(self._answers(node) for _ in range(_SILENT_LOOKS))

    def is_back(self, node: str) -> bool:
        """Ready by its own and the API's word, all that belongs on it too, the database joined."""
        if not self._answers(node):
            return False
        seen = next((n for n in objects.nodes(self.cluster) if n.name == node), None)
        if seen is None or not seen.ready or not seen.schedulable:
            return False
        return not self.site.gaps() and self.rejoined()

    def _answers(self, node: str, *, within_s: float = 1.0) -> bool:
        """The kubelet, through the API server. Raises PlatformError when that one is silent."""
        if self.site.answers(node, within_s=within_s):
            return True
        self.cluster.get("/version")  # raises where the API server is the silent one
        return False

    def _known(self, node: str) -> str:
        try:
            self.cluster.get(f"/api/v1/nodes/{node}")
        except NotThere as error:
            raise FaultError(f"no node {node!r} in this cluster") from error
        return node

    def _standby(self, primary: str) -> str:
        others = {self.site.node_of(member) for member in self.members} - {primary}
        if not others:
            raise FaultError("no node is standby: every database is on one node")
        standby = min(others)
        if self.is_dead(standby):
            raise FaultError(f"no node is standby: {standby} is dead")
        return standby

    def _bystander(self) -> str:
        """A node with no database on it."""
        try:
            taken = {self.site.node_of(member) for member in self.members}
        except PlatformError as error:
            raise FaultError(f"no node is bystander for certain: {error.what}") from error
        free = [n.name for n in objects.nodes(self.cluster) if n.ready and n.schedulable]
        left = [name for name in free if name not in taken]
        if not left:
            raise FaultError("no node is bystander: a database is on every one")
        return left[0]
