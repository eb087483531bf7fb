"""Orders to Patroni that change who leads, or throw a node's data away; each is seen through."""

from __future__ import annotations

from collections.abc import Callable

from harness.errors import NotReady, PlatformError
from harness.platforms.embedded import patroni
from harness.platforms.embedded.cluster import Cluster, DatabaseNode
from harness.platforms.embedded.credentials import Secrets
from harness.platforms.embedded.disk import Disk
from harness.platforms.embedded.waiting import await_ready

_SWITCH_S = 30.0
_BEGIN_S = 30.0
_PATIENCE_S = 15.0
_LOGS = "see the logs of both databases"


def switch(
    secrets: Secrets, *, old: DatabaseNode, new: DatabaseNode, leads: Callable[[], bool]
) -> None:
    """A planned change of leader from node `old` to node `new`.

    Returns when `leads` says that the new one takes writes. Raises PlatformError when Patroni
    refuses for longer than its own view needs to catch up, NotReady when nothing follows.
    """
    order = {"leader": old.member, "candidate": new.member}
    refusal = ""

    def ordered() -> bool:
        nonlocal refusal
        answer = patroni.order(old, secrets, "/switchover", order, within_s=_SWITCH_S)
        if answer is None or answer.status in (200, 202) or leads():
            return True  # without an answer, what it did decides
        refusal = answer.body.decode(errors="replace").strip()
        return False

    try:
        await_ready("Patroni", ordered, within_s=_PATIENCE_S, poll_s=0.5)
    except NotReady as error:
        raise PlatformError(
            f"Patroni did not switch over from node {old.name} to node {new.name}: {refusal}",
            next_step="see that the standby streams and is synchronous, then try again",
        ) from error
    what = f"node {new.name}, after the switchover,"
    await_ready(what, leads, within_s=_SWITCH_S, poll_s=0.1, next_step=_LOGS)


def rebuild(
    cluster: Cluster,
    secrets: Secrets,
    *,
    node: DatabaseNode,
    disk: Disk,
    answers: Callable[[], bool],
) -> None:
    """Have Patroni throw the node's data away and copy them anew from the leader.

    Returns when the old data are gone, and nobody takes the node for the old one any more:
    Patroni's own list is as old as its last loop. `answers`: the node's server does. Raises
    PlatformError when Patroni does not begin.
    """
    told = "no answer"

    def begun() -> bool:
        nonlocal told
        answer = patroni.order(node, secrets, "/reinitialize", {"force": True})
        if answer is not None:
            told = answer.body.decode(errors="replace").strip()
        return answer is not None and answer.status == 200

    def known_to_be_away() -> bool:
        seen = {member.node: member.state for member in patroni.members(cluster)}
        return seen.get(node.name) not in ("streaming", "running") or answers()

    disk.mark()
    try:
        await_ready("Patroni", begun, within_s=_PATIENCE_S, poll_s=0.5)
        await_ready("the end of the old data", lambda: not disk.is_marked(), within_s=_BEGIN_S)
        await_ready("Patroni's list", known_to_be_away, within_s=_BEGIN_S)
    except NotReady as error:
        disk.unmark()
        raise PlatformError(
            f"Patroni did not begin to reinitialise node {node.name}: {told}", next_step=_LOGS
        ) from error
