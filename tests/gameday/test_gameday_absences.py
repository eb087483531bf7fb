"""Who stood in for a role that nobody could reach: only somebody of another role, acting in it."""

from __future__ import annotations

from harness.core.gameday import records as said
from harness.core.gameday.absence import absences
from harness.core.gameday.plan import GameDay, Participant, PlannedScenario

PEOPLE = (
    Participant("Mina", "database-administrator"),
    Participant("Tom", "platform", deputy_for=("database-administrator",)),
)


def day(**changed: object) -> GameDay:
    told = {
        "name": "d", "digest": "0", "requested_by": "Ada", "action": "", "scenarios": (),
        "windows": (), "participants": PEOPLE, "absent": ("database-administrator",),
    }  # fmt: skip
    return GameDay(**{**told, **changed})  # type: ignore[arg-type]


def answered(minute: int, who: str, role: str) -> said.Entry:
    told = said.Answered("go?", who, role, True)
    return said.Entry(minute + 1, "", f"2026-11-28T10:{minute:02d}:00Z", told)


def test_a_deputy_who_acts_in_the_role_stood_in() -> None:
    (found,) = absences(day(), [answered(3, "Tom", "database-administrator")])
    assert (found.deputies, found.waited_s, found.refused) == (("Tom",), 0.0, 0)
    assert found.where == "the whole day"
    assert found.told == "0 acts were refused; Tom stood in after 0 s"


def test_a_deputy_in_his_own_role_and_the_person_herself_did_not() -> None:
    for entry in (
        answered(3, "Tom", "platform"),
        answered(3, "Mina", "database-administrator"),
        answered(3, "Nobody", "database-administrator"),
    ):
        (found,) = absences(day(), [entry])
        assert (found.deputies, found.waited_s) == ((), None)
        assert found.told == "nothing was asked of the role"


def test_a_role_is_told_once_with_the_scenarios_in_which_it_was_away() -> None:
    away = ("database-administrator",)
    planned = tuple(PlannedScenario(name, name, absent=away) for name in ("a", "b"))
    (found,) = absences(day(absent=(), scenarios=planned), [])
    assert found.where == "a, b"
    assert absences(day(absent=()), []) == ()
