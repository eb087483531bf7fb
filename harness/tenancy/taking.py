"""The platform that an order is drilled on: taken for one drill, and let go of afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.errors import Refused
from harness.platforms import find
from harness.platforms.capabilities import Platform
from harness.progress import Progress
from harness.recovery.resume import pending, told
from harness.tenancy import lock, mending
from harness.tenancy.adoption import adopted, is_theirs
from harness.tenancy.left_behind import mend_what_outlives


@contextmanager
def platform_for(
    on: str, platform_file: Path | None, progress: Progress, *, agreed: bool = False
) -> Iterator[Platform]:
    """The platform that is up, mended first; else one of its own, ended afterwards."""
    if is_theirs(on, platform_file):
        with adopted(on, platform_file, progress) as theirs:
            yield theirs
        return
    running = mending.mended(progress.say, on, platform_file)
    if running is not None:
        _refuse_another_kind(on, platform_file, running)
        with lock.alone(running):
            try:
                yield running
            finally:
                _name_what_is_pending(running, progress)
        return
    progress.phase(f"starting the {on} platform", 60)
    platform = find.start(on, platform_file, agreed=agreed, progress=progress)
    try:
        lock.move_in(platform)
        with lock.alone(platform):
            yield platform
    finally:
        progress.phase("ending the platform", 30)
        mend_what_outlives(platform, progress.say)
        platform.down()


def _name_what_is_pending(running: Platform, progress: Progress) -> None:
    """A recovery that did not come to its end stays for the next start, or for a person."""
    for course in pending(running):
        progress.say(f"not finished: {told(course)}; `peakdrill undo` goes on with it")


def _refuse_another_kind(on: str, platform_file: Path | None, running: Platform) -> None:
    """A drill never runs on another platform than the one that was ordered."""
    if platform_file is None:
        return
    if not find.kind(on, platform_file).is_as(platform_file, running):
        raise Refused(
            f"the platform that is up is not set up as {platform_file} says",
            next_step="peakdrill platform down, then run again",
        )
