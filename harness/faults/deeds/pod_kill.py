"""One pod dies; its controller replaces it, so there is nothing to undo but to see that it did."""

from __future__ import annotations

from collections.abc import Mapping

from harness.faults.deeds import Deed
from harness.faults.journal import Entry
from harness.platforms.capabilities import Platform
from harness.platforms.cluster_faults import cluster_faults_of

NAME = "pod-kill"


def _seen(platform: Platform, parameters: Mapping[str, str]) -> bool:
    """A controller of those pods has too few that are ready."""
    faults = cluster_faults_of(platform)
    controllers = {target.controller for target in faults.targets(parameters.get("pods", ""))}
    return any(faults.missing(controller) > 0 for controller in sorted(controllers))


def _is_replaced(platform: Platform, entry: Entry) -> bool:
    return cluster_faults_of(platform).missing(entry.parameter("controller")) == 0


DEED = Deed(
    name=NAME,
    describe=lambda entry: (
        f"pod {entry.parameter('pod')} was replaced by {entry.parameter('controller')}"
    ),
    holds=lambda platform, entry: not _is_replaced(platform, entry),
    begin=lambda platform, entry: cluster_faults_of(platform).give_back(entry.parameter("lease")),
    is_undone=_is_replaced,
    seen=_seen,
    held=False,
    timed=True,
)
