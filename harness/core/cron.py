"""When something is repeated: a word or five fields of cron, said again as systemd says it.

Only UTC: a drill that moves with the clocks of one country is one nobody finds again.
"""

from __future__ import annotations

from dataclasses import dataclass

WORDS = {
    "daily": "0 0 * * *",
    "weekly": "0 0 * * 1",
    "monthly": "0 0 1 * *",
    "quarterly": "0 0 1 1,4,7,10 *",
    "yearly": "0 0 1 1 *",
}
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_LONGEST = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_FIELDS = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of the month", 1, 31, ()),
    ("month", 1, 12, _MONTHS),
    ("day of the week", 0, 7, _DAYS),
)


@dataclass(frozen=True, slots=True)
class Cron:
    """Five fields, each as its values; `()` where a star stood."""

    text: str
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: tuple[int, ...]
    months: tuple[int, ...]
    weekdays: tuple[int, ...]  # 0 is Sunday

    def calendars(self) -> tuple[str, ...]:
        """Systemd's OnCalendar lines. Cron joins its two kinds of days by "or", systemd by "and".

        >>> cron("weekly").calendars()
        ('Mon *-*-* 00:00:00 UTC',)
        >>> cron("30 4 1 * 5").calendars()
        ('*-*-01 04:30:00 UTC', 'Fri *-*-* 04:30:00 UTC')
        """
        clock = f"{_listed(self.hours)}:{_listed(self.minutes)}:00 UTC"
        month = _listed(self.months)
        week = ",".join(_DAYS[d].capitalize() for d in self.weekdays)
        dated = f"*-{month}-{_listed(self.days)} {clock}"
        if not week:
            return (dated,)
        by_week = f"{week} *-{month}-* {clock}"
        return (dated, by_week) if self.days else (by_week,)


def cron(text: str) -> Cron:
    """A word of WORDS, or five fields. Raises ValueError that says what is wrong.

    >>> cron("*/15 9-17 * * mon-fri").minutes
    (0, 15, 30, 45)
    """
    spelled = WORDS.get(text.strip().lower(), text)
    parts = spelled.split()
    if len(parts) != len(_FIELDS):
        raise ValueError(f"{text!r} is neither {', '.join(WORDS)} nor five fields of cron")
    found = [_field(part, *field) for part, field in zip(parts, _FIELDS, strict=True)]
    minutes, hours, days, months, weekdays = found
    weekdays = tuple(sorted({d % 7 for d in weekdays}))
    longest = max(_LONGEST[m - 1] for m in months or range(1, 13))
    if days and not weekdays and min(days) > longest:
        raise ValueError(f"{text!r} never comes: no such month has a day {min(days)}")
    return Cron(" ".join(parts), minutes, hours, days, months, weekdays)


def _field(part: str, name: str, least: int, most: int, words: tuple[str, ...]) -> tuple[int, ...]:
    if part == "*":
        return ()
    values: set[int] = set()
    for item in part.split(","):
        stretch, slash, step = item.partition("/")
        every = _number(step, name, 1, most) if slash else 1
        low, dash, high = stretch.partition("-")
        if stretch == "*" and slash:
            first, last = least, most if name != "day of the week" else 6
        else:
            first = _number(low, name, least, most, words)
            last = _number(high, name, least, most, words) if dash else most if slash else first
        if last < first:
            raise ValueError(f"{name}: {item} runs backwards")
        values.update(range(first, last + 1, every))
    return tuple(sorted(values))


def _number(text: str, name: str, least: int, most: int, words: tuple[str, ...] = ()) -> int:
    if text.lower() in words:
        return words.index(text.lower()) + (1 if words is _MONTHS else 0)
    if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
        raise ValueError(f"{name}: {text!r} is not within {least} to {most}")
    return int(text)


def _listed(values: tuple[int, ...]) -> str:
    return ",".join(f"{value:02d}" for value in values) or "*"
