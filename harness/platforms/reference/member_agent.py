"""A database member's agent, asked by an exec: typed answers, and PlatformError for every other."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from harness.errors import PlatformError
from harness.platforms.capabilities import Restored
from harness.platforms.reference.site import AGENT, Site

_ANSWER_S = 30.0
_HOLD_S = 90.0
_RESTORE_S = 900.0


@dataclass(frozen=True, slots=True)
class Marks:
    """Segments by their archiver's marks; `led`: neither follows nor is being copied."""

    led: bool
    ready: frozenset[str]
    done: frozenset[str]
    histories: frozenset[str]  # marked as archived

    @staticmethod
    def together(marks: Iterable[Marks]) -> Marks:
        every = tuple(marks)
        return Marks(
            led=any(one.led for one in every),
            ready=frozenset().union(*(one.ready for one in every)),
            done=frozenset().union(*(one.done for one in every)),
            histories=frozenset().union(*(one.histories for one in every)),
        )


def ask(
    site: Site, member: str, *words: str, stdin: bytes = b"", within_s: float = _ANSWER_S
) -> dict[str, Any]:
    """Raises PlatformError, also for an answer that cannot be understood."""
    answer = site.run(member, [*AGENT, *words], stdin=stdin, within_s=within_s)
    try:
        told = json.loads(answer)
    except ValueError:
        told = None
    if not isinstance(told, dict):
        raise not_understood(member, words[0])
    return told


def not_understood(member: str, word: str) -> PlatformError:
    return PlatformError(
        f"{member} answers {word} with something that cannot be understood",
        next_step="see that its image is of this version of peakdrill",
    )


def hold(site: Site, member: str) -> None:
    ask(site, member, "hold", within_s=_HOLD_S)


def release(site: Site, member: str) -> None:
    ask(site, member, "release")


def wipe(site: Site, member: str) -> None:
    ask(site, member, "wipe", within_s=_HOLD_S)


def restore(site: Site, member: str, order: bytes) -> Restored:
    """`order` carries secrets, so it goes by stdin."""
    told = ask(site, member, "restore", stdin=order, within_s=_RESTORE_S)
    try:
        return Restored(
            backup_id=str(told["backup_id"]),
            reached_utc=str(told["reached_utc"]),
            complete=told["complete"] is True,
            told=str(told["told"]),
        )
    except KeyError as error:
        raise not_understood(member, "restore") from error


def archive(site: Site, member: str, word: str) -> str:
    """begin, mend, end or state; the state afterwards."""
    return str(ask(site, member, "archive", word).get("state", ""))


def is_held(site: Site, member: str) -> bool:
    held = ask(site, member, "held").get("held")
    if not isinstance(held, bool):
        raise not_understood(member, "held")
    return held


def open_archive(site: Site, member: str) -> None:
    ask(site, member, "open-archive")


def ship(site: Site, member: str, name: str) -> None:
    ask(site, member, "ship", name)


def marks(site: Site, member: str) -> Marks:
    told = ask(site, member, "segments")
    try:
        named = {kind: frozenset(map(str, told[kind])) for kind in ("ready", "done", "histories")}
        return Marks(led=told["led"] is True, **named)
    except (KeyError, TypeError) as error:
        raise not_understood(member, "segments") from error


def every_marks(site: Site, members: Sequence[str]) -> tuple[Marks, ...]:
    """Of those that can be asked. Raises PlatformError where one that cannot may have led last."""
    found: list[Marks] = []
    silent: list[str] = []
    for member in members:
        if site.is_running(member):
            found.append(marks(site, member))
        else:
            silent.append(member)
    if silent and not any(one.led for one in found):
        raise PlatformError(
            f"{', '.join(silent)} cannot be asked, and nobody else knows what was archived last",
            next_step="bring it back, then try again",
        )
    return tuple(found)
