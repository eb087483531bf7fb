"""The wall clock of a run: how its marks, which are monotonic, stand on everybody's clock.

The Chaos Toolkit's journal dates each activity by the wall clock, and our control stamps the same
activity on the run's clock, a fraction of a millisecond around it. Nothing is judged by it.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from harness.core.record import WallClock
from harness.core.timeline import MarkName, Timeline
from harness.evidence import layout
from harness.json_text import parsed

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_OF_JOURNAL = "the journal of the experiment"
_OF_HEAD = "the run's begin, to within some seconds"


def wall_clock(directory: Path, timeline: Timeline, begun_utc: str) -> WallClock | None:
    """By the journal; without one by the head, which was written before the first mark."""
    stamped = {m.note.split(":")[0]: m.earliest_ns for m in timeline.all(MarkName.STEP)}
    offsets = [
        unix_ns - stamped[name]
        for name, unix_ns in _activities(directory / layout.CHAOS / "journal.json")
        if name in stamped
    ]
    if offsets:  # an activity begins after its stamp: the smallest is the closest
        return WallClock(min(offsets), _OF_JOURNAL)
    begun_ns = _unix_ns(begun_utc)
    if begun_ns is None:
        return None
    first_ns = min((m.earliest_ns for m in timeline.marks), default=0)  # 0: of a run never begun
    return WallClock(begun_ns - first_ns, _OF_HEAD)


def _activities(journal: Path) -> list[tuple[str, int]]:
    """(name, begin in ns since 1970) of what the journal dates; nothing where it cannot be read."""
    try:
        told = parsed(journal.read_text())
        steps = [*told.get("run", []), *told.get("rollbacks", [])]
        dated = [(str(s["activity"]["name"]), _unix_ns(str(s["start"]))) for s in steps]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return []
    return [(name, unix_ns) for name, unix_ns in dated if unix_ns is not None]


def _unix_ns(text: str) -> int | None:
    try:
        at = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=dt.UTC)
    return (at - _EPOCH) // dt.timedelta(microseconds=1) * 1000
