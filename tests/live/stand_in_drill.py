"""A drill without a platform, as a process of its own: it tells, trades, and can be aborted.

    python -m tests.live.stand_in_drill RUN_DIRECTORY [runbook]

It marks its fault as active and hangs; when stopped, it releases, heals and ends as a drill does.
With `runbook` it is in the middle of one when it is stopped, and finishes that first.
"""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from pathlib import Path

from harness.core.timeline import MarkName
from harness.errors import Interrupted
from harness.evidence import events, layout
from harness.evidence.rundir import RunDirectory
from harness.interrupts import asked_by, interruptible, unbroken
from harness.progress import Silent
from harness.sightings import note_interruption
from harness.watching.live_telling import reason_asked, telling
from tests.core import simulate

RUNBOOK_S = 1.5


def main(out: Path, *, runbook: bool) -> int:
    plan = replace(simulate.plan_of(), run_id=out.name)
    run = RunDirectory(out)
    file = run / layout.EVENTS
    with (
        interruptible(),
        asked_by(reason_asked(plan.run_id)),
        telling(Silent(), plan, run.path, clock=time.monotonic_ns) as told,
    ):
        try:
            told.phase("watching it come back", 60)
            for name in (MarkName.LOAD_BEGUN, MarkName.FAULT_ARMED, MarkName.FAULT_ACTIVE):
                events.stamp(file, name)
            try:
                time.sleep(120)
            except Interrupted as error:
                if runbook:
                    note_interruption(run, error)
                    with unbroken():
                        told.say("stopped in the middle of toy: it is finished before all else")
                        time.sleep(RUNBOOK_S)
                raise
        except Interrupted as error:
            note_interruption(run, error)
            events.stamp(file, MarkName.FAULT_RELEASED)
            time.sleep(0.3)
            events.stamp(file, MarkName.FAULT_HEALED)
            told.end("invalid", f"Not judged: the run was interrupted: {error.what}")
            print(error.what)
            return 4
    return 5


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), runbook="runbook" in sys.argv[2:]))
