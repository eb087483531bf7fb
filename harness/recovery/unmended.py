"""What a recovery was to mend, and has not: asked before our own undo mends it.

A fault is released before the inspections look. Its undo copies a damaged node anew, or puts rows
back from their originals; whatever is found sound afterwards would else be our own doing.
"""

from __future__ import annotations

import time

import psycopg

from harness.core import checks
from harness.core.plan import Plan
from harness.core.proof_findings import proof_checks
from harness.core.proofs import Proof
from harness.errors import PeakdrillError
from harness.evidence import lines
from harness.evidence.rundir import RunDirectory
from harness.faults import journal
from harness.faults.deeds import deed_of
from harness.platforms.capabilities import Platform
from harness.recovery.registry import AUTOMATIC


def note_unmended(plan: Plan, platform: Platform, run: RunDirectory) -> None:
    """A proof against the runbook for each damage that is still there when it has ended."""
    if plan.scenario.recovery.runbook == AUTOMATIC:
        return
    judged = [c for c in plan.scenario.checks if c.name == checks.runbook_done.name]
    for check in (judged or proof_checks(plan))[:1]:
        for entry in journal.pending(platform.directory):
            if entry.run_id == plan.run_id and not deed_of(entry.fault).held:
                ok, told = _is_mended(platform, entry)
                proof = Proof(
                    check.name, check.kinds[0], entry.fault, ok, told, time.monotonic_ns()
                )
                lines.append_proof(run.path, proof)


def _is_mended(platform: Platform, entry: journal.Entry) -> tuple[bool | None, str]:
    what = f"when the recovery had ended, {entry.fault}"
    try:
        left = deed_of(entry.fault).holds(platform, entry)
    except (PeakdrillError, psycopg.Error) as error:
        why = error.what if isinstance(error, PeakdrillError) else type(error).__name__
        return None, f"{what} could not be looked for: {why}"
    if left:
        return False, f"{what} was still there: what mended it was the drill's own undo"
    return True, f"{what} was gone"
