"""A node's data are damaged: another, sound one leads, and the damaged copy is thrown away.

A switchover alone brings the service back and keeps the damage: the old primary rejoins with the
same files. So the runbook ends only when that node was copied anew and every page of it was
looked at, and a base backup made since was fetched and verified.
"""

from __future__ import annotations

import time
from contextlib import suppress

from harness.core.timeline import MarkName
from harness.errors import PlatformError
from harness.recovery import base_backups, leadership
from harness.recovery.ground import Ground
from harness.recovery.leadership import DECIDE, HAND_OVER, ON_CALL, SEE_PROTECTED
from harness.recovery.steps import Runbook, Step

_QUIET_S = 5.0  # no counter has risen for so long: perhaps nobody reads that page, so we do
_SURVEY_S = 30.0
_POLL_S = 0.2


def _count(ground: Ground) -> None:
    """What each node has counted so far: our own look at the damage is in it, customers' is not."""
    ground.facts.setdefault("watching_ns", str(time.monotonic_ns()))
    for node in leadership.database(ground).names():
        with suppress(PlatformError):
            counted = leadership.database(ground).checksum_failures(node)
            ground.facts.setdefault(f"counted_{node}", str(counted))


def _detected(ground: Ground) -> str | None:
    """By the server's own counter of pages that it refused to a client; else by a walk."""
    waited_s = (time.monotonic_ns() - int(ground.facts["watching_ns"])) / 1e9
    for node in leadership.database(ground).names():
        with suppress(PlatformError):
            before = int(ground.facts.get(f"counted_{node}", "0"))
            more = leadership.database(ground).checksum_failures(node) - before
            if more > 0:
                ground.facts["damaged"] = node
                return f"checksum counter of node {node}: {more} more reads refused"
    return _detected_by_walking(ground) if waited_s > _QUIET_S else None


def _detected_by_walking(ground: Ground) -> str | None:
    for node in leadership.database(ground).names():
        with suppress(PlatformError):
            if found := leadership.database(ground).corruption(node):
                ground.facts["damaged"] = node
                return f"walk of node {node}: {leadership.listed(found)}"
    return None


def _check_another(ground: Ground) -> None:
    """The node that leads from now on, and that the damaged one is copied from."""
    damaged = ground.facts["damaged"]
    another = [name for name in leadership.database(ground).names() if name != damaged]
    ground.facts["candidate"] = another[0]
    leadership.look_over(ground, another[0])


def _survey(ground: Ground) -> None:
    """What was damaged, for the record: the evidence goes with the data.

    It must not stand in the way of the repair, so a node that cannot be walked is named and left.
    """
    damaged = ground.facts["damaged"]
    until = time.monotonic() + _SURVEY_S
    while not leadership.nodes(ground).is_back(damaged) and time.monotonic() < until:
        time.sleep(_POLL_S)
    try:
        found = leadership.database(ground).corruption(damaged)
        told = leadership.listed(found) or "nothing is damaged any more"
        ground.facts["survey"] = f"node {damaged} has rejoined, still carrying: {told}"
    except PlatformError as error:
        ground.facts["survey"] = f"node {damaged} cannot be looked over: {error.what}"


def _surveyed(ground: Ground) -> str | None:
    return ground.facts.get("survey")


def _reinitialise(ground: Ground) -> None:
    leadership.database(ground).reinitialize(ground.facts["damaged"])


def _rejoined(ground: Ground) -> str | None:
    damaged = ground.facts["damaged"]
    if not leadership.nodes(ground).is_back(damaged):
        return None
    return f"node {damaged} streams from a copy of node {ground.facts['candidate']}'s data"


def _check_copy(ground: Ground) -> None:
    leadership.look_over(ground, ground.facts["damaged"])


def _copy_checked(ground: Ground) -> str | None:
    return leadership.looked_over(ground, ground.facts["damaged"])


RUNBOOK = Runbook(
    name="reinitialise",
    title="Serve from the sound copy, and make the damaged one anew",
    steps=(
        Step(
            "detect", "See which node refuses to read its own data", _count, _detected,
            limit_s=60, mark=MarkName.DETECTED,
        ),
        Step(
            "check-candidate", "Look the other node over, page by page",
            _check_another, leadership.candidate_checked, limit_s=90,
        ),
        DECIDE,
        HAND_OVER,
        Step("survey", "Name what is damaged, before it is thrown away", _survey, _surveyed,
             limit_s=90),
        Step(
            "reinitialise", "Throw the damaged copy away, and copy it anew",
            _reinitialise, _rejoined, limit_s=120,
            decision="throw the data of the damaged node away", role=ON_CALL,
        ),
        Step("check-copy", "Look the new copy over, page by page", _check_copy, _copy_checked,
             limit_s=90),
        SEE_PROTECTED,
        base_backups.BACK_UP,
    ),
)  # fmt: skip
