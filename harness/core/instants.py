"""Instants as texts in UTC, compared and counted; nobody asks a clock here."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from harness.core.policy import Season


@dataclass(frozen=True, slots=True)
class Stretch:
    """From its first instant to the first one after it."""

    begins_utc: str
    ends_utc: str


def instant(text: str) -> dt.datetime:
    """2026-11-27T22:20:12Z, or the first instant of 2026-11-27.

    >>> instant("2026-11-27").isoformat()
    '2026-11-27T00:00:00+00:00'
    """
    found = dt.datetime.fromisoformat(text)
    return found.astimezone(dt.UTC) if found.tzinfo else found.replace(tzinfo=dt.UTC)


def is_before(earlier: str, later: str) -> bool:
    return instant(earlier) < instant(later)


def days_after(text: str, days: int) -> str:
    """To the second.

    >>> days_after("2026-11-27T22:20:12Z", 90)
    '2027-02-25T22:20:12Z'
    """
    return f"{instant(text) + dt.timedelta(days=days):%Y-%m-%dT%H:%M:%SZ}"


def season_stretch(season: Season) -> Stretch | None:
    """Both days belong to it. None where the targets give no dates.

    >>> season_stretch(Season("s", "2027-11-22", "2027-11-30")).ends_utc
    '2027-12-01T00:00:00Z'
    """
    if not season.begins or not season.ends:
        return None
    return Stretch(days_after(season.begins, 0), days_after(season.ends, 1))
