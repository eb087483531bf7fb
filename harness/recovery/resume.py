"""Going on with a runbook whose drill is over or dead: without a load, and without evidence.

A platform in the middle of a restore must not stay there. `peakdrill undo` and the next start
come here before they undo any fault: an undo is observed on a platform that answers.
"""

from __future__ import annotations

from collections.abc import Callable

from harness.errors import PlatformError
from harness.platforms.capabilities import Platform
from harness.recovery.engine import carry_out
from harness.recovery.facts import FOLDER, Course, file_of, load
from harness.recovery.ground import Ground
from harness.recovery.registry import runbook_of


def pending(platform: Platform) -> tuple[Course, ...]:
    """Every recovery that has begun and not ended well. Raises PlatformError for a damaged one."""
    return tuple(load(file) for file in sorted((platform.directory / FOLDER).glob("*.json")))


def told(course: Course) -> str:
    """Where it stands, in words."""
    return f"{course.runbook} of run {course.run_id} at its step {course.at}"


def resume(platform: Platform, say: Callable[[str], None]) -> list[str]:
    """Go on with each, from its first step that is not done; say what was finished.

    May be repeated. Raises PlatformError for what did not come to its end; it stays pending.
    """
    finished: list[str] = []
    problems: list[str] = []
    for course in pending(platform):
        say(f"resuming {told(course)}")
        file = file_of(platform.directory, course.run_id)
        ground = Ground.of(platform, course, file=file, say=say, witnessed=False)
        why = carry_out(runbook_of(course.runbook), ground)
        if why:
            problems.append(f"{course.runbook} of run {course.run_id}: {why}")
        else:
            finished.append(f"{course.runbook} of run {course.run_id} was finished")
    if problems:
        raise PlatformError(
            f"a recovery could not be finished: {'; '.join(problems)}",
            next_step="look at the platform's logs, then `peakdrill undo` again; "
            "or `peakdrill platform down`",
        )
    return finished
