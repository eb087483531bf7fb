"""Back to the original layout: the lead returns to the node that it belongs to.

Parameter `to`: that node; without it the first of those that hold a copy. The node must stream and
be sound before it leads again, and the outage of the change is measured like any other.
"""

from __future__ import annotations

from dataclasses import replace

from harness.recovery import leadership
from harness.recovery.ground import Ground
from harness.recovery.leadership import CHECK_CANDIDATE, DECIDE, HAND_OVER, SEE_PROTECTED
from harness.recovery.steps import Runbook, Step


def _choose(ground: Ground) -> None:
    home = ground.parameters.get("to", "") or leadership.database(ground).names()[0]
    ground.facts["candidate"] = home


def _ready(ground: Ground) -> str | None:
    """Nothing is handed to a node that would lose what the leader holds."""
    node = ground.facts["candidate"]
    redundant = leadership.database(ground).protected().whole
    if not (redundant and leadership.nodes(ground).is_back(node)):
        return None
    return f"node {node}, where the lead belongs, is back, and the database is redundant"


RUNBOOK = Runbook(
    name="failback",
    title="Give the lead back to the node that it belongs to",
    steps=(
        Step("await-ready", "See the original leader back and in sync", _choose, _ready),
        CHECK_CANDIDATE,
        replace(DECIDE, decision="hand the lead back while customers trade", mark=None),
        replace(HAND_OVER, name="switch-back"),
        SEE_PROTECTED,
    ),
)
