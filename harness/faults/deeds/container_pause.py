"""Every process of a node is frozen at once; undone by letting it go on.

Undone is more than thawed: a leader that wakes up has been replaced, and must follow again.
"""

from __future__ import annotations

from collections.abc import Mapping

from harness.faults.deeds import Deed
from harness.faults.deeds.node_loss import nodes_of
from harness.faults.journal import Entry
from harness.platforms.capabilities import Platform
from harness.platforms.isolation import PAUSE, isolation_of

NAME = "container-pause"


def _seen(platform: Platform, parameters: Mapping[str, str]) -> bool:
    node = nodes_of(platform).resolve(parameters.get("node", "primary"))
    return isolation_of(platform, PAUSE).may_be_frozen(node)


def _is_undone(platform: Platform, entry: Entry) -> bool:
    node = entry.parameter("node")
    frozen = isolation_of(platform, PAUSE).may_be_frozen(node)
    return not frozen and nodes_of(platform).is_back(node)


DEED = Deed(
    name=NAME,
    describe=lambda entry: f"node {entry.parameter('node')} goes on",
    holds=lambda platform, entry: isolation_of(platform, PAUSE).is_frozen(entry.parameter("node")),
    begin=lambda platform, entry: isolation_of(platform, PAUSE).thaw(entry.parameter("node")),
    is_undone=_is_undone,
    seen=_seen,
)
