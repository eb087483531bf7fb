"""The capability `nodes`: lose one, bring it back, and see which of the two holds.

Process death, not power loss: the page cache survives. Node c is never killed; what stands on it
is what a drill on this platform takes for granted.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.errors import FaultError
from harness.platforms.capabilities import Instant
from harness.platforms.embedded import cluster, ingress, joining, parts
from harness.platforms.embedded.layout import DATABASE_NODES, Layout


@dataclass(frozen=True, slots=True)
class EmbeddedNodes:
    """Nodes a and b."""

    layout: Layout
    ports: dict[str, int]

    def names(self) -> tuple[str, ...]:
        return DATABASE_NODES

    def resolve(self, selector: str) -> str:
        """'primary', 'standby' or a name -> a node's name."""
        return joining.resolve(selector, cluster.embedded(self.ports), self.is_dead)

    def kill(self, node: str) -> Instant:
        """Every process of the node dies at once; returns when their death was observed."""
        target = parts.node_of(self.layout, self._known(node))
        if target.is_dead():
            raise FaultError(f"node {node} is dead already", next_step="peakdrill undo")
        death = target.kill()
        return Instant(death.earliest_ns, death.latest_ns)

    def start(self, node: str) -> None:
        """Power back. Harmless when the node runs."""
        parts.node_of(self.layout, self._known(node)).start()

    def is_dead(self, node: str) -> bool:
        return parts.node_of(self.layout, self._known(node)).is_dead()

    def is_back(self, node: str) -> bool:
        """Its replica answers, and its database leads or streams from the leader."""
        if self.is_dead(node):
            return False
        joined = joining.has_joined(cluster.embedded(self.ports), node)
        return joined and ingress.replica_serves(self.ports, node)

    def process_ids(self, node: str) -> dict[str, int]:
        """Part -> pid, for faults that concern one part alone."""
        return parts.node_of(self.layout, self._known(node)).part_pids()

    def _known(self, node: str) -> str:
        if node not in DATABASE_NODES:
            raise FaultError(f"no node {node!r} here", next_step="a or b")
        return node
