"""What it cost that a named role could not be reached: who stood in, and after how long."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.core.gameday import records as said
from harness.core.gameday.plan import GameDay, instant


@dataclass(frozen=True, slots=True)
class Absence:
    """What it cost that nobody could reach a role. `waited_s` None: nobody stood in."""

    role: str
    where: str
    refused: int
    deputies: tuple[str, ...]
    waited_s: float | None
    told: str


def absences(day: GameDay, entries: Sequence[said.Entry]) -> tuple[Absence, ...]:
    """One for every role that was away, for the day or in a scenario."""
    return tuple(_absence(day, role, entries) for role in _absent_roles(day))


def _absent_roles(day: GameDay) -> tuple[str, ...]:
    named = [*day.absent, *(role for s in day.scenarios for role in s.absent)]
    return tuple(dict.fromkeys(named))


def _absence(day: GameDay, role: str, entries: Sequence[said.Entry]) -> Absence:
    """From the first act that was refused for it to the first that a deputy did in its place."""
    refused = [e.at_utc for e in entries if isinstance(
        e.said, said.ApprovalRefused | said.AnswerRefused) and e.said.absent == role]  # fmt: skip
    stood = [(e.at_utc, who) for e in entries if (who := _stood_in(day, role, e.said))]
    where = "the whole day" if role in day.absent else ", ".join(
        s.step for s in day.scenarios if role in s.absent)  # fmt: skip
    waited = None
    if stood:
        since = refused[0] if refused else stood[0][0]
        waited = max(0.0, (instant(stood[0][0]) - instant(since)).total_seconds())
    return Absence(
        role=role,
        where=where,
        refused=len(refused),
        deputies=tuple(dict.fromkeys(who for _, who in stood)),
        waited_s=waited,
        told=_worded(len(refused), [who for _, who in stood], waited),
    )


def _stood_in(day: GameDay, role: str, told: said.Said) -> str:
    if not isinstance(told, said.Approved | said.Answered) or told.role != role:
        return ""
    who = told.approval.who if isinstance(told, said.Approved) else told.who
    person = day.person(who)
    return who if person is not None and person.role != role else ""


def _worded(refused: int, stood: list[str], waited_s: float | None) -> str:
    acts = f"{refused} {'act was' if refused == 1 else 'acts were'} refused"
    if not stood:
        return f"{acts}; nobody acted in the role" if refused else "nothing was asked of the role"
    return f"{acts}; {stood[0]} stood in after {waited_s or 0:.0f} s"
