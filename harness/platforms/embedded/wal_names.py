"""Names of WAL segments, timelines, and which of them follow each other. Pure.

A name is timeline, log file and segment, eight hexadecimal digits each; a segment holds 16 MiB. A
history file says at which position each older timeline was left.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

SEGMENT_BYTES = 16 << 20
_PER_LOG = (1 << 32) // SEGMENT_BYTES
_SEGMENT = re.compile(r"[0-9A-F]{24}")
_HISTORY = re.compile(r"[0-9A-F]{8}\.history")
_LEFT = re.compile(r"^(\d+)\s+([0-9A-F]+/[0-9A-F]+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Timelines:
    """The newest one, and where each of its ancestors was left."""

    newest: int
    left: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Chain:
    """How far segments follow each other, and what is claimed beyond."""

    present: tuple[str, ...]  # without a gap, from the first one on
    missing: tuple[str, ...]

    @property
    def last(self) -> str:
        """The last one that follows without a gap, "" when not even the first is there."""
        return self.present[-1] if self.present else ""


def position(lsn: str) -> int:
    """'0/3000120' -> bytes."""
    high, low = lsn.split("/")
    return (int(high, 16) << 32) + int(low, 16)


def segment(timeline: int, at: int) -> str:
    """The segment in which a position lies."""
    return _named(timeline, at // SEGMENT_BYTES)


def after(name: str) -> str:
    return _named(timeline_of(name), _number(name) + 1)


def is_segment(name: str) -> bool:
    return bool(_SEGMENT.fullmatch(name))


def is_history(name: str) -> bool:
    return bool(_HISTORY.fullmatch(name))


def timeline_of(name: str) -> int:
    return int(name[:8], 16)


def timelines(name: str, history: str) -> Timelines:
    """Of a history file: the timeline that it is named after, and its ancestors."""
    left = {int(number): position(at) for number, at in _LEFT.findall(history)}
    return Timelines(int(name[:8], 16), left)


def chain(first: str, there: Iterable[str], claimed: Iterable[str], line: Timelines) -> Chain:
    """Follow segments from `first`, over changes of timeline, as long as they are there.

    `claimed` are names that somebody believes to be archived. Whatever lies between the first and
    the last that is stored or claimed is needed: what of it is not there is missing.

    >>> names = [f"00000001000000000000000{n}" for n in "3457"]
    >>> told = chain(names[0], names, [], Timelines(1))
    >>> told.last, told.missing
    ('000000010000000000000005', ('000000010000000000000006',))
    """
    stored = {name for name in there if is_segment(name)}
    known = stored | {name for name in claimed if is_segment(name)}
    oldest = timeline_of(first)
    newest = line.newest if oldest in line.left else oldest
    left = {timeline: at for timeline, at in line.left.items() if timeline >= oldest}
    end = max((_number(n) for n in known if timeline_of(n) == newest), default=_number(first) - 1)
    present: list[str] = []
    missing: list[str] = []
    for number in range(_number(first), end + 1):
        name = _named(_timeline_at(number, left, newest), number)
        if name not in stored:
            missing.append(name)
        elif not missing:
            present.append(name)
    lost = max(newest, line.newest)  # beyond it there is no history, so nobody finds the way
    unreachable = sorted(
        n for n in known if timeline_of(n) > newest and (n not in stored or timeline_of(n) > lost)
    )
    return Chain(tuple(present), (*missing, *unreachable))


def _timeline_at(number: int, left: Mapping[int, int], newest: int) -> int:
    """On which timeline a segment is read.

    The segment in which a timeline was left exists on both; recovery reads it on the newer one.
    """
    for timeline in sorted(left):
        if number < left[timeline] // SEGMENT_BYTES:
            return timeline
    return newest


def _number(name: str) -> int:
    return int(name[8:16], 16) * _PER_LOG + int(name[16:24], 16)


def _named(timeline: int, number: int) -> str:
    return f"{timeline:08X}{number // _PER_LOG:08X}{number % _PER_LOG:08X}"
