"""What a killed drill left behind is mended: by the next start, and by `peakdrill undo`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from harness.errors import PeakdrillError
from harness.faults.undo import replay
from harness.platforms import find
from harness.platforms.capabilities import Platform
from harness.recovery.resume import resume
from harness.tenancy import lock
from harness.tenancy.left_behind import mend_in_cluster, mend_what_outlives


def mended(
    say: Callable[[str], None], on: str = "", platform_file: Path | None = None
) -> Platform | None:
    """The platform that is up, after undoing what a killed drill left behind; None without one.

    Of one kind where `on` names it, and of those the one that the file describes.

    A recovery in its middle is finished first: an undo is observed on a platform that answers.
    One that a killed drill had started for itself is ended. Harmless when all is well. Raises
    Refused while a drill that lives has the platform: its fault is not ours to undo.
    """
    running = find.running(on, platform_file)
    return None if running is None else _mended(running, say)


def mend_every(say: Callable[[str], None]) -> bool:
    """The same for all that are up, of every kind. Whether one is left.

    What goes wrong with one (a cluster that is gone, say) spares the others; it is raised then.
    """
    left, problems = False, []
    for kind in find.OURS:
        try:
            for running in find.kind(kind).every():
                left |= _mended(running, say) is not None
        except PeakdrillError as error:
            problems.append(error)
    if problems:
        raise problems[0]
    return left


def _mended(running: Platform, say: Callable[[str], None]) -> Platform | None:
    with lock.alone(running):
        if not lock.is_abandoned(running):
            _mend(running, say)
            return running
        mend_what_outlives(running, say)
        running.down()  # and with it whatever else was broken
    say("ended the platform of a drill that was killed")
    return None


def _mend(running: Platform, say: Callable[[str], None]) -> None:
    """Finish the recovery, then undo the fault; what goes wrong with the one spares the other."""
    try:
        for what in resume(running, say):
            say(f"resumed: {what}")
    finally:
        try:
            for what in replay(running):
                say(f"mended: {what}")
        finally:  # also what a journal that is lost had kept
            mend_in_cluster(running, say)
