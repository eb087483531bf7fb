"""From a run directory to what a clause may rest on."""

from __future__ import annotations

from pathlib import Path

from harness.core.evidence import Evidence
from harness.core.judge import judge
from harness.evidence import canonical
from harness.evidence.controls import Shown
from harness.evidence.load import open_run
from harness.evidence.outcome import outcome_of
from harness.evidence.rundir import Head


def shown_of(directory: Path, *, sound: bool) -> Shown:
    """Judged again; nothing is taken from a report. Raises PeakdrillError."""
    plan, evidence, digest = open_run(directory)
    begun = canonical.loads(Head, directory / "head.json").begun_utc
    outcome = outcome_of(plan, judge(plan, evidence), begun_utc=begun, evidence_digest=digest)
    return Shown(
        run_id=outcome.run_id,
        begun_utc=begun,
        scenario=outcome.scenario,
        fault=outcome.fault,
        runbook=plan.scenario.recovery.runbook,
        platform=outcome.platform,
        heading=outcome.heading,
        unproven=outcome.unproven,
        size=outcome.size,
        verdict=outcome.verdict,
        checks=outcome.checks,
        looks=_looks(evidence),
        sound=sound,
    )


def _looks(evidence: Evidence) -> int:
    """How often the stores were read back whole after the recovery."""
    return sum(1 for look in (evidence.first, evidence.second) if look and look.complete)
