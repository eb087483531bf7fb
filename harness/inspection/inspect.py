"""Carry out the inspections that a scenario's checks ask for."""

from __future__ import annotations

from harness.core.plan import Plan
from harness.errors import Interrupted, PeakdrillError
from harness.evidence.rundir import RunDirectory
from harness.inspection.registry import inspections_of
from harness.inspection.scene import Scene
from harness.json_text import parsed
from harness.platforms.capabilities import Platform
from harness.progress import Progress


def inspect(plan: Plan, platform: Platform, run: RunDirectory, progress: Progress) -> None:
    """Look at everything, one topic after the other. What could not be looked at says so.

    An inspection that raises leaves a proof that is never a pass, and the others go on.
    """
    begun_utc = str(parsed((run / "head.json").read_text())["begun_utc"])
    scene = Scene(platform, run.path, plan.run_id, plan.scenario, plan.targets, begun_utc)
    for check, topic, look in inspections_of(plan.scenario.checks):
        progress.phase(f"inspecting: {check.title}", None)
        try:
            look(scene)
        except Interrupted:
            raise
        except Exception as error:  # noqa: BLE001  whatever it is: what was not seen is not proven
            why = error.what if isinstance(error, PeakdrillError) else type(error).__name__
            told = f"the inspection of {topic} could not be made: {why}"
            scene.prove(check.name, check.kinds[0], topic, None, told)
