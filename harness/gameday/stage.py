"""The platform of the day: brought up once, looked at between scenarios, measured, ended."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from harness.core.gameday.plan import BACKUPS_FRESH, GameDay, GoCheck, PlannedScenario
from harness.errors import PeakdrillError, Refused
from harness.platforms import find
from harness.platforms.capabilities import Platform, Wholeness
from harness.progress import Progress
from harness.tenancy import mending
from harness.tenancy.left_behind import mend_what_outlives

CLEAN_ROOM = "clean-room"
WHOLE_WITHIN_S = 180.0
_POLL_S = 1.0


@dataclass(frozen=True, slots=True)
class Seen:
    """Whether a check holds, and the sentence that says why."""

    holds: bool
    told: str


def is_disposable(day: GameDay) -> bool:
    """By the word of the platform that would be drilled."""
    return find.facts_of(day.on, _file(day)).disposable


def up(day: GameDay, progress: Progress) -> bool:
    """A platform that lives through the day. True when it was brought up for it."""
    if mending.mended(progress.say) is not None:
        return False
    find.start(day.on, _file(day), progress=progress)
    return True


def down() -> None:
    """End the platform that is up. Harmless when there is none."""
    running = find.running()
    if running is not None:
        mend_what_outlives(running, lambda _: None)
        running.down()


def whole(say: Callable[[str], None], *, within_s: float = WHOLE_WITHIN_S) -> Wholeness:
    """What a drill left is mended, and the platform is waited for: whole, or why not."""
    until = time.monotonic() + within_s
    try:
        running = mending.mended(say)
    except PeakdrillError as error:
        return Wholeness(False, (error.what,))
    if running is None:
        return Wholeness(False, ("no platform is up",))
    while not (seen := _look(running)).whole and time.monotonic() < until:
        time.sleep(_POLL_S)
    return seen


def measure(check: GoCheck, now: dt.datetime, say: Callable[[str], None]) -> Seen:
    """A go/no-go check that needs nobody's opinion. What cannot be measured does not hold."""
    if check.kind == BACKUPS_FRESH:
        return _backups(check, now)
    seen = whole(say, within_s=30.0)
    return Seen(seen.whole, "the platform is whole" if seen.whole else "; ".join(seen.missing))


def needs_its_own(planned: PlannedScenario) -> bool:
    """A clean room is entered once a platform: what runs in one has a platform to itself."""
    from harness.inputs.scenario_file import load_scenario

    return load_scenario(planned.scenario).scenario.recovery.runbook == CLEAN_ROOM


def refuse_shared(day: GameDay) -> None:
    """A platform that is not the day's own is never replaced. Raises Refused."""
    needing = [s.step for s in day.scenarios if needs_its_own(s)]
    if needing and len(day.scenarios) > 1:
        raise Refused(
            f"{', '.join(needing)} needs a platform of its own, and the one that is up is not the "
            "day's to replace",
            next_step="peakdrill platform down: the day brings its own up",
        )


def _look(running: Platform) -> Wholeness:
    try:
        return running.whole()
    except PeakdrillError as error:
        return Wholeness(False, (error.what,))


def _backups(check: GoCheck, now: dt.datetime) -> Seen:
    running = find.running()
    if running is None or running.backups is None:
        return Seen(False, "the platform shows no backups")
    try:
        newest = next(iter(running.backups.candidates()), None)
    except PeakdrillError as error:
        return Seen(False, error.what)
    if newest is None:
        return Seen(False, "there is no base backup")
    if not newest.taken_utc:
        return Seen(False, f"the newest backup {newest.backup_id} does not say when it was taken")
    taken = dt.datetime.fromisoformat(newest.taken_utc)
    age_h = (now - (taken if taken.tzinfo else taken.replace(tzinfo=dt.UTC))).total_seconds() / 3600
    told = f"the newest backup {newest.backup_id} is {max(0.0, age_h):.1f} h old"
    return Seen(age_h <= check.within_h, f"{told}, allowed are {check.within_h:g} h")


def _file(day: GameDay) -> Path | None:
    return Path(day.platform_file) if day.platform_file else None
