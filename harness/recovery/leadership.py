"""What the runbooks share that change who leads: look a node over, hand the lead over, see it.

Facts that pass between their steps: `candidate`, the node that is to lead; `checked`, the node
that was looked over last.
"""

from __future__ import annotations

import time

import psycopg

from harness.core.timeline import MarkName
from harness.errors import PlatformError
from harness.platforms.capabilities import Database, Nodes
from harness.platforms.having import having
from harness.recovery.ground import Ground
from harness.recovery.steps import Step, nothing

ON_CALL = "database on call"
_LISTED = 3  # damages a sentence


def nodes(ground: Ground) -> Nodes:
    return having(ground.platform.nodes, "nodes")


def database(ground: Ground) -> Database:
    return having(ground.platform.database, "database")


def standby(ground: Ground) -> str:
    """The first node with a copy that does not lead. Raises PlatformError where there is none."""
    leader = database(ground).leader()
    for name in database(ground).names():
        if name != leader and nodes(ground).is_back(name):
            return name
    raise PlatformError("no standby streams", next_step="bring one back, then try again")


def look_over(ground: Ground, node: str) -> None:
    """Every relation and every page of it. Raises PlatformError where anything is damaged."""
    begun_ns = time.monotonic_ns()
    found = database(ground).corruption(node)
    if found:
        raise PlatformError(
            f"node {node} is damaged too: {listed(found)}",
            next_step="restore from a backup: the runbook point-in-time",
        )
    ground.facts["checked"] = node
    ground.facts["check_s"] = f"{(time.monotonic_ns() - begun_ns) / 1e9:.1f}"


def looked_over(ground: Ground, node: str) -> str | None:
    if ground.facts.get("checked") != node:
        return None
    took = ground.facts["check_s"]
    return f"node {node} is sound: every relation walked, every page's checksum right, in {took} s"


def listed(damages: tuple[str, ...]) -> str:
    """The first few, and how many more."""
    more = len(damages) - _LISTED
    return "; ".join(damages[:_LISTED]) + (f"; and {more} more" if more > 0 else "")


def check_candidate(ground: Ground) -> None:
    look_over(ground, ground.facts["candidate"])


def candidate_checked(ground: Ground) -> str | None:
    return looked_over(ground, ground.facts["candidate"])


def hand_over(ground: Ground) -> None:
    """Harmless when the candidate leads already."""
    leader = database(ground).leader()
    ground.facts.setdefault("before", leader or "nobody")
    if leader != ground.facts["candidate"]:
        database(ground).switchover(ground.facts["candidate"])


def handed_over(ground: Ground) -> str | None:
    """The candidate leads, and a transaction of ours was committed on it."""
    candidate = ground.facts["candidate"]
    if database(ground).leader() != candidate:
        return None
    with psycopg.connect(database(ground).superuser_dsn(candidate), autocommit=True) as connection:
        row = connection.execute("SELECT pg_current_xact_id()::text").fetchone()
    before = ground.facts["before"]
    took_over = "led already" if before == candidate else f"has taken over from node {before}"
    return f"node {candidate} {took_over}, and committed transaction {row[0] if row else '?'}"


def protected(ground: Ground) -> str | None:
    """Redundant and archiving; a base backup is a step of its own."""
    if not database(ground).protected().whole:
        return None
    others = [name for name in database(ground).names() if name != ground.facts["candidate"]]
    if not all(nodes(ground).is_back(name) for name in others):
        return None
    told = ", ".join(f"node {name}" for name in others)
    return f"{told} streams from node {ground.facts['candidate']}; the WAL archive keeps up"


def decided(ground: Ground) -> str:
    return f"{ON_CALL}: node {ground.facts['candidate']} is to lead"


CHECK_CANDIDATE = Step(
    "check-candidate", "Look the node that is to lead over, page by page",
    check_candidate, candidate_checked, limit_s=90,
)  # fmt: skip
DECIDE = Step(
    "decide", "Decide who leads", nothing, decided,
    decision="hand the lead to the node that was looked over", role=ON_CALL,
    mark=MarkName.DECIDED,
)  # fmt: skip
HAND_OVER = Step(
    "switch-over", "Switch over, and see a transaction committed", hand_over, handed_over,
    limit_s=60,
)  # fmt: skip
SEE_PROTECTED = Step(
    "protected", "See the other node stream, in sync", nothing, protected, limit_s=120
)
