"""Every process of a node dies at once; undone by starting the node again."""

from __future__ import annotations

from collections.abc import Mapping

from harness.errors import FaultError
from harness.faults.deeds import Deed
from harness.platforms.capabilities import Nodes, Platform

NAME = "node-loss"


def nodes_of(platform: Platform) -> Nodes:
    if platform.nodes is None:
        raise FaultError("the platform lacks the capability nodes", next_step="choose another one")
    return platform.nodes


def _seen(platform: Platform, parameters: Mapping[str, str]) -> bool:
    nodes = nodes_of(platform)
    return nodes.is_dead(nodes.resolve(parameters.get("node", "primary")))


DEED = Deed(
    name=NAME,
    describe=lambda entry: f"node {entry.parameter('node')} started again",
    holds=lambda platform, entry: nodes_of(platform).is_dead(entry.parameter("node")),
    begin=lambda platform, entry: nodes_of(platform).start(entry.parameter("node")),
    is_undone=lambda platform, entry: nodes_of(platform).is_back(entry.parameter("node")),
    seen=_seen,
)
