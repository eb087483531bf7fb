"""From a scenario's recovery to the runbook that carries it out, within a drill."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

from harness.core.plan import Plan
from harness.core.scenario import RecoverySpec
from harness.core.timeline import MarkName
from harness.errors import Interrupted
from harness.evidence.rundir import RunDirectory
from harness.interrupts import unbroken
from harness.platforms.capabilities import Platform
from harness.progress import Progress
from harness.recovery.engine import RECOVERY, carry_out
from harness.recovery.facts import Course, file_of
from harness.recovery.ground import Ground
from harness.recovery.registry import AUTOMATIC, runbook_of
from harness.recovery.steps import Runbook
from harness.sightings import note_interruption


class Watch(Protocol):
    """What a runbook needs of the load: a look whether it still trades, and who tells of it."""

    @property
    def progress(self) -> Progress: ...
    def pulse(self) -> None: ...


def recover(
    spec: RecoverySpec,
    plan: Plan,
    platform: Platform,
    run: RunDirectory,
    load: Watch,
    *,
    between: tuple[MarkName, MarkName] = RECOVERY,
) -> bool:
    """Carry out the runbook; True when every step was seen, or nobody repairs anything.

    Raises Interrupted once the rest of the runbook was carried out all the same: a platform in
    the middle of a restore is worse than a late answer to Ctrl-C.
    """
    if spec.runbook == AUTOMATIC:
        return True
    book = runbook_of(spec.runbook)
    course = Course(book.name, plan.run_id, str(run.path), dict(spec.parameters), plan.targets)
    file = file_of(platform.directory, plan.run_id)
    ground = Ground.of(platform, course, file=file, say=load.progress.say)
    try:
        why = carry_out(
            book,
            ground,
            within_s=spec.within_s,
            progress=load.progress,
            pulse=load.pulse,
            between=between,
        )
    except Interrupted as error:
        note_interruption(run, error)
        _finish(book, ground, load.progress)
        raise
    if why:
        load.progress.say(f"the runbook {book.name} ended early: {why}")
    return not why


def _finish(book: Runbook, ground: Ground, progress: Progress) -> None:
    """The steps that are left, beside the evidence: the run has ended."""
    with unbroken():
        progress.say(f"stopped in the middle of {book.name}: it is finished before all else")
        why = carry_out(book, replace(ground, witnessed=False), progress=progress)
        told = f"was not finished ({why}): `peakdrill undo` goes on with it" if why else "finished"
        progress.say(f"{book.name}: {told}")
