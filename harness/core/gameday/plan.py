"""A game day as it was planned: who, what, in which order, when, and what must hold before.

Values only, read from gameday.yaml elsewhere. The clock is passed in. May not live here: what
happened on the day (records.py), what follows from it (state.py).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from harness.core.plan import Size

PLATFORM_WHOLE, BACKUPS_FRESH, QUESTION = "platform-whole", "backups-fresh", "question"


class Timing(StrEnum):
    """When somebody is told something."""

    BEFORE_DAY = "before-day"
    BEFORE_SCENARIO = "before-scenario"
    AFTER_SCENARIO = "after-scenario"
    AFTER_DAY = "after-day"


@dataclass(frozen=True, slots=True)
class Participant:
    """A person. Without a key there is nothing that this person's approval could be told by."""

    name: str
    role: str
    key_id: str = ""
    deputy_for: tuple[str, ...] = ()  # acts in these roles while nobody else can


@dataclass(frozen=True, slots=True)
class Window:
    """Nothing starts outside. A stretch of time, or hours on days of every week; UTC.

    >>> night = Window(days=(5,), from_minute=60, to_minute=240)
    >>> night.holds(dt.datetime(2026, 11, 28, 1, 0, tzinfo=dt.UTC))  # a Saturday
    True
    >>> night.holds(dt.datetime(2026, 11, 28, 4, 0, tzinfo=dt.UTC))
    False
    """

    begins_utc: str = ""
    ends_utc: str = ""  # the first instant outside
    days: tuple[int, ...] = ()  # 0 is Monday
    from_minute: int = 0
    to_minute: int = 0

    def holds(self, now: dt.datetime) -> bool:
        if self.begins_utc:
            return instant(self.begins_utc) <= now < instant(self.ends_utc)
        minute = now.hour * 60 + now.minute
        return now.weekday() in self.days and self.from_minute <= minute < self.to_minute


@dataclass(frozen=True, slots=True)
class PlannedScenario:
    """One drill of the day. `step` is its place and name: `2-page-corruption`."""

    step: str
    scenario: str
    peak: float = 1.0
    absent: tuple[str, ...] = ()  # roles that nobody can reach while it runs


@dataclass(frozen=True, slots=True)
class Objective:
    """What the day is to show, and the steps whose runs show it."""

    objective: str
    shown_by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GoCheck:
    """What must hold before anything begins: measured by us, or answered by a named role."""

    check: str  # its id
    kind: str  # platform-whole | backups-fresh | question
    ask: str = ""
    role: str = ""  # who answers
    wanted: bool = True  # the answer that lets the day begin
    within_h: float = 26.0  # how old the newest backup may be


@dataclass(frozen=True, slots=True)
class Communication:
    """Somebody is told something, by a person who then says so."""

    name: str
    when: Timing
    whom: str
    channel: str
    what: str
    by: str  # the role that tells
    scenario: str = ""  # one step's alone; "" for every one


@dataclass(frozen=True, slots=True)
class AbortRule:
    """When a drill ends at once, and what becomes of the day then."""

    refused_per_minute_max: int | None = None
    money_max_cents: int | None = None
    alerts: tuple[str, ...] = ()
    heartbeat_s: float = 15.0
    then: Literal["stop", "next"] = "stop"  # a day stops, or goes on when the platform is whole


@dataclass(frozen=True, slots=True)
class GameDay:
    """Everything that gameday.yaml says, and its digest. Files are as written."""

    name: str
    digest: str  # SHA-256 of gameday.yaml, hex
    requested_by: str
    action: str  # of targets.yaml's approvals; "": none are needed, on a disposable platform alone
    scenarios: tuple[PlannedScenario, ...]
    windows: tuple[Window, ...]
    participants: tuple[Participant, ...]
    on: str = "embedded"
    platform_file: str = ""
    targets_file: str = ""
    season: str = ""
    release: str = ""
    size: Size = Size.FULL
    objectives: tuple[Objective, ...] = ()
    scope: str = ""
    not_tested: tuple[str, ...] = ()
    checks: tuple[GoCheck, ...] = ()
    abort: AbortRule = AbortRule()
    communications: tuple[Communication, ...] = ()
    absent: tuple[str, ...] = ()  # for the whole day

    def person(self, name: str) -> Participant | None:
        return next((p for p in self.participants if p.name == name), None)

    def step(self, name: str) -> PlannedScenario | None:
        return next((s for s in self.scenarios if s.step == name), None)

    def absent_in(self, steps: tuple[str, ...] = ()) -> frozenset[str]:
        """Roles that are away: for the whole day, and in any of these scenarios."""
        there = (s.absent for s in self.scenarios if s.step in steps)
        return frozenset(self.absent).union(*there)

    def roles_of(self, person: Participant, absent: frozenset[str]) -> frozenset[str]:
        """In which roles somebody may act: not in one that is away, and for those they deputise."""
        own = frozenset({person.role}) - absent
        return own | (frozenset(person.deputy_for) & absent)

    def deputies(self, role: str) -> tuple[str, ...]:
        return tuple(p.name for p in self.participants if role in p.deputy_for)


def instant(utc: str) -> dt.datetime:
    """`2026-11-28T06:00:00Z` on the clock of the world."""
    return dt.datetime.fromisoformat(utc).astimezone(dt.UTC)


def written(now: dt.datetime) -> str:
    """The other way, whole seconds."""
    return f"{now.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%SZ}"
