"""Names of WAL segments, timelines, and which of them follow each other. Pure.

A name is timeline, log file and segment, eight hexadecimal digits each; a segment holds 16 MiB. A
history file says at which position each older timeline was left.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

SEGMENT_BYTES = 16 << 20
_PER_LOG = (1 << 32) // SEGMENT_BYTES
_SEGMENT = re.compile(r"[0-9A-F]{24}")
_LEFT = re.compile(r"^(\d+)\s+([0-9A-F]+/[0-9A-F]+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Chain:
    """How far segments follow each other, and what is claimed beyond."""

    last: str  # "" when not even the first is there
    present: tuple[str, ...]
    missing: tuple[str, ...]


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


def timeline_of(name: str) -> int:
    return int(name[:8], 16)


def left_at(history: str) -> dict[int, int]:
    """Timeline -> position at which it was left, by a history file."""
    return {int(line[0]): position(line[1]) for line in _LEFT.findall(history)}


def chain(first: str, there: Iterable[str], claimed: Iterable[str], left: dict[int, int]) -> Chain:
    """Follow segments from `first`, over changes of timeline, as long as they are there.

    `left` says where each older timeline was left for a later one. `claimed` are names that
    somebody believes to be archived: what is claimed past the last one, or stored past a hole, is
    needed too, and what of that is not there is missing.
    """
    stored = {name for name in there if is_segment(name)}
    line = sorted([*left, *({timeline_of(n) for n in (*stored, *claimed, first)} - left.keys())])
    newest = line[-1]
    wanted = {n for n in (*stored, *claimed) if is_segment(n)}
    end = max((_number(n) for n in wanted if timeline_of(n) == newest), default=_number(first) - 1)
    present: list[str] = []
    missing: list[str] = []
    for number in range(_number(first), end + 1):
        name = _named(_timeline_at(number, timeline_of(first), newest, left), number)
        if name not in stored:
            missing.append(name)
        elif not missing:
            present.append(name)
    return Chain(present[-1] if present else "", tuple(present), tuple(missing))


def _timeline_at(number: int, oldest: int, newest: int, left: dict[int, int]) -> int:
    """On which timeline a segment is read: the newest that had begun when it ended.

    The segment in which a timeline was left exists on both; recovery reads it on the newer one.
    """
    for timeline in sorted(left):
        if timeline >= oldest and number < left[timeline] // SEGMENT_BYTES:
            return timeline
    return newest


def _number(name: str) -> int:
    return int(name[8:16], 16) * _PER_LOG + int(name[16:24], 16)


def _named(timeline: int, number: int) -> str:
    return f"{timeline:08X}{number // _PER_LOG:08X}{number % _PER_LOG:08X}"
