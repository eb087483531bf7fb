"""Losses that the release proved, and that stand in no cell: none of them is lost from sight.

Another configuration, another tenant or a workload without a target makes them no part of the
matrix. For the gate they are losses of the release all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from harness.core.outcome import Outcome
from harness.core.readiness.cells import PLATFORM, Cell, Subject


def losses_elsewhere(
    runs: Sequence[Outcome],
    cells: Sequence[Cell],
    subject: Subject,
    unlike: Callable[[Outcome], str],
) -> tuple[str, ...]:
    """A sentence each, the newest first. `unlike`: why a run makes no cell, "" where it does."""
    shown = {(cell.scenario, cell.column) for cell in cells if cell.proven_loss}
    told = []
    for run in reversed(runs):
        columns = [str(w.workload) for w in run.workloads if w.proven_loss]
        if run.release != subject.release or not (columns or run.proven_loss):
            continue
        why = unlike(run)
        left = [c for c in columns or [PLATFORM] if why or (run.scenario, c) not in shown]
        if left:
            told.append(
                f"{run.run_id} ({run.scenario}, {', '.join(left)}) lost or damaged acknowledged "
                f"records, and makes no cell: {why or 'the season counts no such loss'}."
            )
    return tuple(told)


def told_first(losses: Sequence[str], release: str) -> tuple[str, ...]:
    """What the answer must not leave out; nothing where there is nothing."""
    if not losses:
        return ()
    runs = "a run" if len(losses) == 1 else f"{len(losses)} runs"
    whose = f"{runs} of {release or 'the unnamed release'}"
    return (f"Beside it, {whose} lost or damaged acknowledged records; see the notes.",)
