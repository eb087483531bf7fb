"""The capability `faults.cluster` by the owner's names: application, database, primary, standby."""

from __future__ import annotations

from harness.errors import FaultError, PlatformError
from harness.platforms.kubernetes.faults import KubernetesFaults, Scope
from harness.platforms.kubernetes.targets import type_labels
from harness.platforms.own_cluster.leaders import FOLLOWING, LEADING, Leaders
from harness.platforms.own_cluster.pods import APPLICATION, DATABASE, OwnPods

PRIMARY, STANDBY = "primary", "standby"


def faults(pods: OwnPods, leaders: Leaders, platform: str) -> KubernetesFaults:
    """Under leases in the owner's namespace; a partition is looked at from the application."""
    scope = Scope(
        namespace=pods.options.namespace,
        platform=platform,
        witness=APPLICATION,
        parts=_parts(pods),
        in_role=lambda role: _pod_in(leaders, role),
    )
    return KubernetesFaults(pods.cluster, scope)


def _parts(pods: OwnPods) -> dict[str, type_labels]:
    database = _labels(pods, DATABASE)
    parts = {APPLICATION: _labels(pods, APPLICATION), DATABASE: database}
    if label := pods.options.database.role_label:
        parts[PRIMARY] = {**database, label: tuple(sorted(LEADING))}
        parts[STANDBY] = {**database, label: tuple(sorted(FOLLOWING))}
    return parts


def _labels(pods: OwnPods, part: str) -> type_labels:
    return {key: (value,) for key, value in pods.labels(part)}


def _pod_in(leaders: Leaders, role: str) -> str:
    """The pod in a role, by name. Raises FaultError where there is none: nothing is hit."""
    try:
        leader = leaders.leader()
        found = [leader] if leader and role == PRIMARY else []
        if role == STANDBY:
            found = [pod for pod in leaders.followers() if pod.ready]
    except PlatformError as error:
        told = f"no pod is {role}: {error.what}; nothing was broken"
        raise FaultError(told, next_step=error.next_step) from error
    if not found:
        why = "nobody leads just now" if role == PRIMARY else "the leader is alone"
        raise FaultError(f"no pod is {role}: {why}; nothing was broken")
    return found[0].name
