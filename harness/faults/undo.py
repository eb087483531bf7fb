"""Mending what an injection broke: the journal's other half.

The experiment's rollback, `peakdrill undo` and the next start all call `replay`. It is harmless
when nothing is broken, may be repeated, and may be called by several processes at once. An entry
is removed only after its undo was *observed*; what could not be mended stays in the journal.
Nothing that goes wrong on the way, a mark that cannot be written included, keeps the rest broken.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from harness.core.timeline import Mark, MarkName
from harness.errors import FaultError, PeakdrillError
from harness.faults import journal
from harness.faults.deeds import Deed, deed_of
from harness.faults.journal import Entry
from harness.platforms.capabilities import Platform

Witness = Callable[[Mark], None]
_POLL_S = 0.1
HEAL_S = 180.0


def replay(
    platform: Platform,
    *,
    run_id: str | None = None,
    within_s: float = HEAL_S,
    witness: Witness | None = None,
    spare: Callable[[Entry], bool] = lambda _: False,
) -> list[str]:
    """Undo every pending deed, and say what was mended; an empty list when there was nothing.

    With `run_id` only that run's: a rollback must not end the fault of somebody else's drill.
    What is to be spared stays in the journal, for a later undo.
    `witness` receives FAULT_RELEASED when the undo has begun and FAULT_HEALED when the last part
    was observed to be back. Raises FaultError for what could not be mended within `within_s`.
    """
    if not (platform.directory / journal.FOLDER).is_dir():
        return []  # nothing was ever armed here, or the platform itself is gone
    with journal.locked(platform.directory, within_s=within_s + 10.0):
        entries, damaged = journal.scan(platform.directory)
        entries = tuple(e for e in entries if run_id in {None, e.run_id} and not spare(e))
        problems = [f"{file} cannot be read" for file in damaged]
        begun = _begin_all(platform, entries, problems, witness)
        mended = _await_all(platform, begun, problems, within_s)
        if mended and not problems:
            _tell(witness, mended[-1].mark, problems)
    if problems:
        raise FaultError(
            "not everything went well while mending: " + "; ".join(problems),
            next_step="look at the platform's logs, then `peakdrill undo` again",
        )
    return [m.what for m in mended]


@dataclass(frozen=True, slots=True)
class _Mended:
    what: str
    mark: Mark


def _begin_all(
    platform: Platform, entries: tuple[Entry, ...], problems: list[str], witness: Witness | None
) -> list[Entry]:
    begun: list[Entry] = []
    earliest_ns = time.monotonic_ns()
    for entry in entries:
        try:
            undoing_of(entry).begin(platform, entry)
        except Exception as error:  # noqa: BLE001  whatever it is, the others are still undone
            problems.append(f"{entry.fault} of run {entry.run_id}: {error}")
        else:
            begun.append(entry)
    if begun:
        note = "; ".join(undoing_of(entry).describe(entry) for entry in begun)
        mark = Mark(MarkName.FAULT_RELEASED, earliest_ns, time.monotonic_ns(), note)
        _tell(witness, mark, problems)
    return begun


def _tell(witness: Witness | None, mark: Mark, problems: list[str]) -> None:
    try:
        if witness is not None:
            witness(mark)
    except PeakdrillError as error:
        problems.append(error.what)


def _await_all(
    platform: Platform, entries: list[Entry], problems: list[str], within_s: float
) -> list[_Mended]:
    mended: list[_Mended] = []
    deadline_ns = time.monotonic_ns() + round(within_s * 1e9)
    for entry in entries:
        what = undoing_of(entry).describe(entry)
        mark = _await_undone(platform, entry, deadline_ns)
        if mark is None:
            problems.append(f"{what}: not observed within {within_s:g} s")
            continue
        journal.remove(entry)
        mended.append(_Mended(what, mark))
    return mended


def _await_undone(platform: Platform, entry: Entry, deadline_ns: int) -> Mark | None:
    """The interval in which the undo was first seen to be complete, None after the deadline."""
    undoing = undoing_of(entry)
    unseen_ns = time.monotonic_ns()
    while True:
        asked_ns = time.monotonic_ns()
        try:
            undone = undoing.is_undone(platform, entry)
        except Exception:  # noqa: BLE001  a part that cannot be asked is not back
            undone = False
        if undone:
            note = undoing.describe(entry)
            return Mark(MarkName.FAULT_HEALED, unseen_ns, time.monotonic_ns(), note)
        if asked_ns >= deadline_ns:
            return None
        unseen_ns = asked_ns
        time.sleep(_POLL_S)


def undoing_of(entry: Entry) -> Deed:
    """How this entry is undone. Raises FaultError for a fault of another version."""
    try:
        return deed_of(entry.fault)
    except FaultError:
        raise FaultError(
            f"undo journal: nobody here knows how to undo {entry.fault!r} ({entry.file})",
            next_step="use the version of peakdrill that made it",
        ) from None
