"""What begins before a freeze must be over before it; and no plan outlives its platform's word."""

from __future__ import annotations

import datetime as dt

import pytest

from harness.core.gameday import records as said
from harness.core.gameday.state import Phase
from harness.errors import Refused
from tests.gameday.desk import NOON, TARGETS

NONE = "approvals: none\n"


def frozen_in(seconds: int) -> str:
    begins = NOON + dt.timedelta(seconds=seconds)
    return TARGETS + (
        f"freezes: [{{name: peak, begins: {begins:%Y-%m-%dT%H:%M:%SZ}, ends: 2026-11-28T20:00:00Z}}]\n"
    )


def test_a_drill_that_would_last_into_a_freeze_is_not_begun(desk) -> None:
    desk.write(NONE, targets=frozen_in(5))
    with pytest.raises(Refused, match="trading freeze peak begins at 2026-11-28T12:00:05Z"):
        desk.conduct()
    assert desk.drilled() == []
    assert not desk.platform.is_up
    assert [e.said for e in desk.book().entries() if isinstance(e.said, said.ScenarioBegun)] == []


def test_one_that_is_over_long_before_it_is(desk) -> None:
    desk.write(NONE, targets=frozen_in(3 * 3600))
    assert desk.conduct().phase is Phase.FINISHED
    assert len(desk.drilled()) == 3


def test_a_platform_that_is_no_longer_disposable_holds_a_day_that_nobody_approved(desk) -> None:
    desk.write(NONE)

    def promoted(_order: object) -> None:
        desk.platform.disposable = False

    desk.drills.before = promoted
    with pytest.raises(Refused, match="none is for a disposable platform alone"):
        desk.conduct()
    assert desk.drilled() == ["node-loss"]
