"""A node is cut off from every network while its processes go on; undone by connecting it again."""

from __future__ import annotations

from collections.abc import Mapping

from harness.faults.deeds import Deed
from harness.faults.deeds.node_loss import nodes_of
from harness.faults.journal import Entry
from harness.platforms.capabilities import Platform
from harness.platforms.isolation import DISCONNECT, isolation_of

NAME = "container-disconnect"


def _seen(platform: Platform, parameters: Mapping[str, str]) -> bool:
    node = nodes_of(platform).resolve(parameters.get("node", "primary"))
    return isolation_of(platform, DISCONNECT).may_be_cut_off(node)


def _holds(platform: Platform, entry: Entry) -> bool:
    return isolation_of(platform, DISCONNECT).is_cut_off(entry.parameter("node"))


def _is_undone(platform: Platform, entry: Entry) -> bool:
    node = entry.parameter("node")
    away = isolation_of(platform, DISCONNECT).may_be_cut_off(node)
    return not away and nodes_of(platform).is_back(node)


DEED = Deed(
    name=NAME,
    describe=lambda entry: f"node {entry.parameter('node')} connected again",
    holds=_holds,
    begin=lambda platform, entry: isolation_of(platform, DISCONNECT).rejoin(
        entry.parameter("node")
    ),
    is_undone=_is_undone,
    seen=_seen,
)
