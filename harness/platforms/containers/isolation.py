"""The capability `isolation`: a node that is gone and yet not dead.

Frozen: every process of it stands still, in the middle of whatever it did. The kernel goes on
accepting its connections, and nobody answers: who asks without a deadline of his own hangs.
Cut off: its processes go on, and nothing reaches them or comes from them any more.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from harness.errors import FaultError
from harness.platforms.capabilities import Instant
from harness.platforms.containers import daemon, names
from harness.platforms.containers.nodes import ContainerNodes
from harness.platforms.containers.site import ContainersSite

_SEEN_S = 20.0
_POLL_S = 0.02


@dataclass(frozen=True, slots=True)
class ContainerIsolation:
    """Of nodes a and b."""

    site: ContainersSite

    def freeze(self, node: str) -> Instant:
        """Both containers at once; returns when the daemon saw every one of them paused."""
        return self._done(node, "frozen", _pause, self.is_frozen)

    def thaw(self, node: str) -> None:
        """Everything goes on where it stood. Harmless when nothing is frozen."""
        for container in self._nodes.containers(node):
            with daemon.asking(f"thawing {container}"):
                if daemon.state_of(container).paused:
                    daemon.client().api.unpause(container)

    def is_frozen(self, node: str) -> bool:
        return all(state.paused for state in self._nodes.states(node))

    def may_be_frozen(self, node: str) -> bool:
        return any(state.paused for state in self._nodes.states(node))

    def cut_off(self, node: str) -> Instant:
        """Both containers at once, from the only network that they are on; observed."""
        return self._done(node, "cut off", self._disconnect, self.is_cut_off)

    def rejoin(self, node: str) -> None:
        """On the network again, under the same names and at the same ports. Harmless when it is."""
        for part in names.NODES[node]:
            container = self.site.container(part)
            with daemon.asking(f"connecting {container}"):
                if self._network not in daemon.state_of(container).networks:
                    daemon.client().networks.get(self._network).connect(container, aliases=[part])

    def is_cut_off(self, node: str) -> bool:
        """It runs, and is on no network. One that is dead is not cut off."""
        states = self._nodes.states(node)
        return all(state.running and not state.networks for state in states)

    def may_be_cut_off(self, node: str) -> bool:
        return any(state.running and not state.networks for state in self._nodes.states(node))

    @property
    def _nodes(self) -> ContainerNodes:
        return ContainerNodes(self.site)

    @property
    def _network(self) -> str:
        return self.site.network

    def _disconnect(self, container: str) -> None:
        with daemon.asking(f"disconnecting {container}"):
            daemon.client().networks.get(self._network).disconnect(container, force=True)

    def _done(
        self, node: str, what: str, deed: Callable[[str], None], seen: Callable[[str], bool]
    ) -> Instant:
        containers = self._nodes.containers(node)
        earliest_ns = time.monotonic_ns()
        with ThreadPoolExecutor(max_workers=len(containers)) as pool:
            for done in [pool.submit(deed, container) for container in containers]:
                done.result()
        deadline = time.monotonic() + _SEEN_S
        while not seen(node):
            if time.monotonic() >= deadline:
                raise FaultError(f"node {node} is not {what}, although Docker was told so")
            time.sleep(_POLL_S)
        return Instant(earliest_ns, time.monotonic_ns())


def _pause(container: str) -> None:
    with daemon.asking(f"freezing {container}"):
        daemon.client().api.pause(container)
