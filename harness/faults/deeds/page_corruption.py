"""Garbage in a heap page of a live table; undone by copying that node anew from a sound leader.

A switchover alone undoes nothing: the old primary rejoins with the damage in its files, and waits
there for the day on which it leads again.
"""

from __future__ import annotations

from collections.abc import Mapping

from harness.errors import FaultError
from harness.faults.deeds import Deed
from harness.faults.journal import Entry
from harness.platforms.capabilities import Database, Nodes, Platform

NAME = "page-corruption"


def _nodes(platform: Platform) -> Nodes:
    if platform.nodes is None:
        raise FaultError("the platform lacks the capability nodes", next_step="choose another one")
    return platform.nodes


def _database(platform: Platform) -> Database:
    if platform.database is None:
        raise FaultError(
            "the platform lacks the capability database", next_step="choose another one"
        )
    return platform.database


def _seen(platform: Platform, parameters: Mapping[str, str]) -> bool:
    """The node's own reading finds damage in that table, or in its indexes and TOAST."""
    node = _nodes(platform).resolve(parameters.get("node", "primary"))
    table = parameters.get("table", "")
    return any(table in sentence for sentence in _database(platform).corruption(node))


def _begin(platform: Platform, entry: Entry) -> None:
    """The node is copied anew, unless a recovery has done so already."""
    node, database = entry.parameter("node"), _database(platform)
    if _is_mended(platform, entry):
        return
    if database.leader() == node:
        database.switchover()
    database.reinitialize(node)


def _is_mended(platform: Platform, entry: Entry) -> bool:
    node = entry.parameter("node")
    return _nodes(platform).is_back(node) and not _database(platform).corruption(node)


DEED = Deed(
    name=NAME,
    describe=lambda entry: f"node {entry.parameter('node')} copied anew from a sound leader",
    holds=lambda platform, entry: _seen(platform, dict(entry.parameters)),
    begin=_begin,
    is_undone=_is_mended,
    seen=_seen,
    held=False,
)
