"""When nothing may start: outside the day's own windows, and in a trading freeze. Looked at anew
before every scenario, because a day is long."""  # noqa: D209

from __future__ import annotations

import datetime as dt
from pathlib import Path

from harness.core.gameday.plan import GameDay
from harness.core.gameday.rules import outside
from harness.core.policy import Policy
from harness.errors import Refused
from harness.inputs.policy_file import read_policy


def now_utc() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def policy_of(day: GameDay) -> Policy:
    """What the targets of the day declare beside its objectives."""
    return read_policy(Path(day.targets_file) if day.targets_file else None)


def refuse_outside(day: GameDay, policy: Policy, now: dt.datetime) -> None:
    """Raises Refused with the window or the freeze by name."""
    told = outside(day, policy, now)
    if told:
        raise Refused(
            f"{day.name} may not start anything now: {'; '.join(told)}",
            next_step="peakdrill gameday plan names the windows; a freeze stands in targets.yaml",
        )
