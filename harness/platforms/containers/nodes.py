"""The capability `nodes`: a node is a database and a replica, lost at once, and brought back.

Process death, not power loss: this machine's page cache survives. What stands on node c (the
doors, the store, the queue, the partners, the consensus store) is never killed.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from harness.errors import FaultError
from harness.platforms.capabilities import Instant
from harness.platforms.containers import daemon, databases, names, ready
from harness.platforms.containers.daemon import ContainerState
from harness.platforms.containers.site import ContainersSite
from harness.platforms.embedded import joining
from harness.platforms.reference.database import cluster_of

_DEATH_S = 20.0
_POLL_S = 0.02


@dataclass(frozen=True, slots=True)
class ContainerNodes:
    """Nodes a and b."""

    site: ContainersSite

    def names(self) -> tuple[str, ...]:
        return tuple(names.NODES)

    def resolve(self, selector: str) -> str:
        """'primary', 'standby' or a name -> a node's name."""
        cluster = cluster_of(self.site.ports, self.site)
        return joining.resolve(
            selector, cluster, self.is_dead, lambda node: databases.leads(self.site, node)
        )

    def kill(self, node: str) -> Instant:
        """SIGKILL of every process of both containers; returns when the daemon saw them dead."""
        containers = self.containers(node)
        if self.is_dead(node):
            raise FaultError(f"node {node} is dead already", next_step="peakdrill undo")
        earliest_ns = time.monotonic_ns()
        with ThreadPoolExecutor(max_workers=len(containers)) as pool:
            for killed in [pool.submit(_kill, container) for container in containers]:
                killed.result()
        deadline = time.monotonic() + _DEATH_S
        while not self.is_dead(node):
            if time.monotonic() >= deadline:
                raise FaultError(f"node {node} was killed, and parts of it still run")
            time.sleep(_POLL_S)
        return Instant(earliest_ns, time.monotonic_ns())

    def start(self, node: str) -> None:
        """Power back, at the same ports. Harmless when the node runs."""
        for container in self.containers(node):
            with daemon.asking(f"starting {container}"):
                daemon.client().api.start(container)

    def is_dead(self, node: str) -> bool:
        """No process of it is left. Raises PlatformError where the daemon does not say."""
        return not any(state.running for state in self.states(node))

    def is_back(self, node: str) -> bool:
        """On the network with all of it, its replica routed, its database part of the cluster."""
        network = self.site.network
        at_work = all(
            s.running and not s.paused and network in s.networks for s in self.states(node)
        )
        return (
            at_work
            and databases.has_joined(self.site, node)
            and names.NODES[node][1] in ready.routed(self.site)
        )

    def states(self, node: str) -> tuple[ContainerState, ...]:
        return tuple(daemon.state_of(container) for container in self.containers(node))

    def containers(self, node: str) -> tuple[str, ...]:
        """Of one node, as Docker knows them. Raises FaultError for one that there is not."""
        if node not in names.NODES:
            raise FaultError(f"no node {node!r} here", next_step=" or ".join(names.NODES))
        return tuple(self.site.container(part) for part in names.NODES[node])


def _kill(container: str) -> None:
    """One that died meanwhile has nothing left to kill: its death is observed anyway."""
    from docker.errors import APIError

    with daemon.asking(f"killing {container}"):
        try:
            daemon.client().api.kill(container, signal="SIGKILL")
        except APIError:
            if daemon.state_of(container).running:
                raise
