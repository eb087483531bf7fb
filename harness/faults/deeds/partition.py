"""Pods are cut off by a NetworkPolicy; undone by deleting it, and seen by connecting again."""

from __future__ import annotations

from collections.abc import Mapping

from harness.faults.deeds import Deed
from harness.faults.journal import Entry
from harness.platforms.capabilities import Platform
from harness.platforms.cluster_faults import cluster_faults_of

NAME = "partition"
_BOTH_WAYS = 2


def _port(entry: Entry) -> int:
    return int(entry.parameter("port"))


def _seen(platform: Platform, parameters: Mapping[str, str]) -> bool:
    """A policy of a drill is there, or a pod cannot be reached."""
    faults = cluster_faults_of(platform)
    targets = faults.targets(parameters.get("pods", ""))
    return faults.policy_exists() or len(faults.passing(targets)) < _BOTH_WAYS * len(targets)


def _begin(platform: Platform, entry: Entry) -> None:
    faults = cluster_faults_of(platform)
    faults.delete_policy(entry.parameter("policy"))
    faults.give_back(entry.parameter("lease"))


def _is_undone(platform: Platform, entry: Entry) -> bool:
    """Those of the pods that are still there are reached again, and reach others.

    Where none of them is left, others stand in their place: nothing seen is nothing back.
    """
    faults = cluster_faults_of(platform)
    if faults.policy_exists(entry.parameter("policy")):
        return False
    targets = faults.running(entry.parameter("names").split(","))
    if not targets:
        controllers = dict(entry.parameters).get("controllers", "").split(",")
        return not any(faults.missing(controller) for controller in controllers if controller)
    return len(faults.passing(targets, _port(entry))) == _BOTH_WAYS * len(targets)


DEED = Deed(
    name=NAME,
    describe=lambda entry: f"{entry.parameter('names')} reached again: the policy is gone",
    holds=lambda platform, entry: cluster_faults_of(platform).policy_exists(
        entry.parameter("policy")
    ),
    begin=_begin,
    is_undone=_is_undone,
    seen=_seen,
)
