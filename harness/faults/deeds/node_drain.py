"""A node is cordoned and what the platform has on it evicted; undone by letting pods come again.

What was evicted has been replaced elsewhere by its controllers: nobody brings it back.
"""

from __future__ import annotations

from collections.abc import Mapping

from harness.faults.deeds import Deed
from harness.faults.journal import Entry
from harness.platforms.capabilities import Platform
from harness.platforms.cluster_faults import cluster_faults_of

NAME = "node-drain"


def _seen(platform: Platform, parameters: Mapping[str, str]) -> bool:
    faults = cluster_faults_of(platform)
    return faults.is_drained(faults.node_of(parameters.get("node", "")))


def _is_cordoned(platform: Platform, entry: Entry) -> bool:
    node, lease = entry.parameter("node"), entry.parameter("lease")
    return cluster_faults_of(platform).is_cordoned(node, lease)


def _begin(platform: Platform, entry: Entry) -> None:
    faults = cluster_faults_of(platform)
    faults.uncordon(entry.parameter("node"), entry.parameter("lease"))
    faults.give_back(entry.parameter("lease"))


DEED = Deed(
    name=NAME,
    describe=lambda entry: f"node {entry.parameter('node')} takes pods again",
    holds=_is_cordoned,
    begin=_begin,
    is_undone=lambda platform, entry: not _is_cordoned(platform, entry),
    seen=_seen,
)
