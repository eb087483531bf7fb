"""A planned change of leader, to a standby that was looked over first."""

from __future__ import annotations

from harness.recovery import leadership
from harness.recovery.ground import Ground
from harness.recovery.leadership import CHECK_CANDIDATE, DECIDE, HAND_OVER, SEE_PROTECTED
from harness.recovery.steps import Runbook, Step


def _choose(ground: Ground) -> None:
    ground.facts.setdefault("candidate", leadership.standby(ground))


def _chosen(ground: Ground) -> str:
    return f"node {ground.facts['candidate']} streams, and can take over"


RUNBOOK = Runbook(
    name="failover",
    title="Switch over to a standby that is sound",
    steps=(
        Step("choose", "Find a standby that streams", _choose, _chosen),
        CHECK_CANDIDATE,
        DECIDE,
        HAND_OVER,
        SEE_PROTECTED,
    ),
)
