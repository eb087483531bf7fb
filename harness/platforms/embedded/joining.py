"""Which node a selector means, and whether a node's database is part of the cluster again."""

from __future__ import annotations

from collections.abc import Callable

from harness.errors import FaultError
from harness.platforms.embedded import patroni
from harness.platforms.embedded.cluster import Cluster, DatabaseNode

_STREAMS = ("streaming",)
_LEADS = ("leader", "standby_leader")


def resolve(
    selector: str,
    cluster: Cluster,
    is_dead: Callable[[str], bool],
    leads: Callable[[DatabaseNode], bool] = patroni.is_leader,
) -> str:
    """'primary', 'standby' or a name -> a node's name. Raises FaultError when none matches."""
    names = tuple(node.name for node in cluster)
    if selector in names:
        return selector
    if selector not in ("primary", "standby"):
        raise FaultError(
            f"no node {selector!r} here",
            next_step=f"primary, standby, {' or '.join(names)} (no other node is ever killed)",
        )
    primary = next((node.name for node in cluster if leads(node)), None)
    if primary is None:
        raise FaultError(
            f"no node is {selector}: there is no leader just now",
            next_step="wait until the platform is whole",
        )
    if selector == "primary":
        return primary
    standby = next(name for name in names if name != primary)
    if is_dead(standby):
        raise FaultError(f"no node is standby: {standby} is dead")
    return standby


def has_joined(cluster: Cluster, node: str) -> bool:
    """Its database leads, or streams from one that does.

    Its own Patroni is asked first: what the others know of it may be from before its death.
    """
    if not any(patroni.is_running(each) for each in cluster if each.name == node):
        return False
    seen = {member.node: member for member in patroni.members(cluster)}
    mine = seen.get(node)
    if mine is None or not any(member.role in _LEADS for member in seen.values()):
        return False
    return (mine.role in _LEADS and mine.state == "running") or mine.state in _STREAMS
