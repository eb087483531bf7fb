"""Windows and approvals, to the minute and to the instant."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest

from harness.core.gameday.plan import Window
from harness.core.gameday.rules import refusal_of
from harness.core.policy import Policy

SATURDAY = dt.datetime(2026, 11, 28, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("hour", "minute", "holds"),
    [(1, 29, False), (1, 30, True), (2, 0, True), (4, 14, True), (4, 15, False), (0, 0, False)],
)
def test_hours_of_a_week_hold_from_their_first_minute_to_before_their_last(
    hour: int, minute: int, holds: bool
) -> None:
    night = Window(days=(5,), from_minute=90, to_minute=255)
    at = SATURDAY.replace(hour=hour, minute=minute)
    assert night.holds(at) is holds
    assert not night.holds(at + dt.timedelta(days=1))


def test_hours_that_are_not_said_begin_at_midnight_and_last_for_nothing() -> None:
    assert not Window(days=(5,)).holds(SATURDAY)
    assert Window(days=(5,), to_minute=1).holds(SATURDAY)
    assert not Window(days=(5,), to_minute=1).holds(SATURDAY.replace(minute=1))


@pytest.mark.parametrize(("at_s", "holds"), [(-1, False), (0, True), (59, True), (60, False)])
def test_a_stretch_holds_from_its_first_instant_to_before_its_last(at_s: int, holds: bool) -> None:
    stretch = Window("2026-11-28T00:00:00Z", "2026-11-28T00:01:00Z")
    assert stretch.holds(SATURDAY + dt.timedelta(seconds=at_s)) is holds


@pytest.mark.parametrize(("after_s", "refused"), [(-1, False), (0, True), (1, True)])
def test_an_approval_holds_until_the_instant_at_which_it_expires(
    desk, after_s: int, refused: bool
) -> None:
    day = desk.day()
    desk.approve("tom")
    (given,) = desk.book().state().approvals
    approval = given.approval
    now = dt.datetime.fromisoformat(approval.expires_utc) + dt.timedelta(seconds=after_s)
    why = refusal_of(approval, day, Policy(), now=now, key_id=given.key_id, used=())
    assert why is not None, "nobody's role may: it is the last thing that is asked"
    assert (why.why == f"expired at {approval.expires_utc}") is refused
    assert why.why.startswith("expired at" if refused else "the role platform may not approve")
    spent = refusal_of(
        approval, day, Policy(), now=now, key_id=given.key_id, used=(approval.nonce,)
    )
    assert spent is not None
    assert spent.why.startswith("replayed")
    other = dataclasses.replace(approval, day="another")
    assert refusal_of(other, day, Policy(), now=now, key_id=given.key_id, used=()) is not None
