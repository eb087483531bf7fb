"""What every deed does first: see that it is wanted, and bring its undo to disk."""

from __future__ import annotations

import time

from harness.chaos.standing import Standing, is_released
from harness.core.timeline import Mark, MarkName
from harness.errors import FaultError
from harness.faults import journal

LOCK_S = 10.0


def refuse_in_vain(here: Standing, *, beside: str = "") -> None:
    """Raises FaultError when nobody waits for this fault any more, or something is still broken.

    `beside`: a fault of this very run that the new one is meant to come on top of.
    """
    if is_released():
        raise FaultError("the harness has let go (or is dead): nothing was broken")
    for left in journal.pending(here.platform.directory):
        if left.run_id == here.run_id and left.fault == beside:
            continue
        raise FaultError(
            f"run {left.run_id} left {left.fault} undone: nothing more was broken",
            next_step="peakdrill undo",
        )


def arm(here: Standing, fault: str, parameters: dict[str, str], *, mark: bool = True) -> None:
    """The undo on disk, and the mark that says so. With `mark=False` (a deed beside the one that
    was marked, in the same run) the journal alone.
    """
    earliest_ns = time.monotonic_ns()
    journal.write(here.platform.directory, fault, parameters, here.run_id)
    if not mark:
        return
    note = ", ".join(f"{key} {value}" for key, value in sorted(parameters.items()))
    here.witness(
        Mark(MarkName.FAULT_ARMED, earliest_ns, time.monotonic_ns(), f"undo on disk: {note}")
    )
