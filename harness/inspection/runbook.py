"""Was every step of the runbook seen?"""

from __future__ import annotations

from harness.core import checks
from harness.core.proofs import StepRecord
from harness.core.scenario import RecoverySpec
from harness.evidence import layout
from harness.evidence.lines import read_lines
from harness.inspection.scene import Inspection, Scene
from harness.recovery.registry import AUTOMATIC, runbook_of


def steps_were_seen(scene: Scene) -> None:
    """A proof a step, also for the steps that nobody came to."""
    records = read_lines(scene.run / layout.STEPS, StepRecord)
    for spec in (scene.scenario.recovery, scene.scenario.failback):
        if spec is not None and spec.runbook != AUTOMATIC:
            _prove(scene, spec, [r for r in records if r.runbook == spec.runbook])


def _prove(scene: Scene, spec: RecoverySpec, records: list[StepRecord]) -> None:
    for step in runbook_of(spec.runbook).steps:
        record = next((r for r in records if r.name == step.name), None)
        seen = record is not None and record.done
        told = f"{step.title}: {record.told if record else 'never begun'}"
        scene.prove(checks.runbook_done.name, "step", f"{spec.runbook}: {step.name}", seen, told)


INSPECTIONS: dict[str, Inspection] = {checks.runbook_done.name: steps_were_seen}
