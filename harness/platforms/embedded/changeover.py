"""Orders to Patroni that change who leads, or throw a node's data away; each is seen through."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from harness.errors import NotReady, PlatformError
from harness.platforms.embedded import patroni
from harness.platforms.embedded.credentials import Secrets
from harness.platforms.embedded.layout import write_private
from harness.platforms.embedded.waiting import await_ready

_SWITCH_S = 30.0
_BEGIN_S = 30.0
_PATIENCE_S = 15.0
_LOGS = "see logs/pg1.log and pg2.log"
_OLD_DATA = "peakdrill-thrown-away"  # in no backup and in no copy: it goes with the data it marks


def switch(
    ports: dict[str, int], secrets: Secrets, *, old: str, new: str, leads: Callable[[], bool]
) -> None:
    """A planned change of leader from node `old` to node `new`.

    Returns when `leads` says that the new one takes writes. Raises PlatformError when Patroni
    refuses for longer than its own view needs to catch up, NotReady when nothing follows.
    """
    order = {"leader": patroni.member_name(old), "candidate": patroni.member_name(new)}
    refusal = ""

    def ordered() -> bool:
        nonlocal refusal
        answer = patroni.order(ports, secrets, old, "/switchover", order, within_s=_SWITCH_S)
        if answer is None or answer.status in (200, 202) or leads():
            return True  # without an answer, what it did decides
        refusal = answer.body.decode(errors="replace").strip()
        return False

    try:
        await_ready("Patroni", ordered, within_s=_PATIENCE_S, poll_s=0.5)
    except NotReady as error:
        raise PlatformError(
            f"Patroni did not switch over from node {old} to node {new}: {refusal}",
            next_step="see that the standby streams and is synchronous, then try again",
        ) from error
    what = f"node {new}, after the switchover,"
    await_ready(what, leads, within_s=_SWITCH_S, poll_s=0.1, next_step=_LOGS)


def rebuild(
    ports: dict[str, int],
    secrets: Secrets,
    *,
    node: str,
    pgdata: Path,
    answers: Callable[[], bool],
) -> None:
    """Have Patroni throw the node's data away and copy them anew from the leader.

    Returns when the old data are gone, and nobody takes the node for the old one any more:
    Patroni's own list is as old as its last loop. `answers`: the node's server does. Raises
    PlatformError when Patroni does not begin.
    """
    mark = pgdata / _OLD_DATA
    told = "no answer"

    def begun() -> bool:
        nonlocal told
        answer = patroni.order(ports, secrets, node, "/reinitialize", {"force": True})
        if answer is not None:
            told = answer.body.decode(errors="replace").strip()
        return answer is not None and answer.status == 200

    def known_to_be_away() -> bool:
        seen = {member.node: member.state for member in patroni.members(ports)}
        return seen.get(node) not in ("streaming", "running") or answers()

    if pgdata.is_dir():
        write_private(mark, "")
    try:
        await_ready("Patroni", begun, within_s=_PATIENCE_S, poll_s=0.5)
        await_ready("the end of the old data", lambda: not mark.exists(), within_s=_BEGIN_S)
        await_ready("Patroni's list", known_to_be_away, within_s=_BEGIN_S)
    except NotReady as error:
        mark.unlink(missing_ok=True)
        raise PlatformError(
            f"Patroni did not begin to reinitialise node {node}: {told}", next_step=_LOGS
        ) from error
