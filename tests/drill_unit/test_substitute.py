"""An experiment that is run for the scenario's own proves another claim, and is told by its name."""

from __future__ import annotations

import shutil
from pathlib import Path

from harness.core.verdict import Verdict
from harness.evidence.outcome import outcome_of
from harness.session import Order, plan_only
from tests.cli.stand_ins import judgement

ROOT = Path(__file__).resolve().parents[2]
OWN = ROOT / "experiments" / "node-loss.yaml"


def fault_of(order: Order) -> str:
    """What the history would call the fault of such a run."""
    made = plan_only(order)
    kept = outcome_of(
        made, judgement(Verdict.MET), begun_utc="2026-11-27T22:00:00Z", evidence_digest=""
    )
    return kept.fault


def test_the_scenarios_own_experiment_is_the_fault_however_it_is_named() -> None:
    assert fault_of(Order("node-loss")) == "node-loss"
    assert fault_of(Order("node-loss", experiment_file=Path("node-loss"))) == "node-loss"
    assert fault_of(Order("node-loss", experiment_file=OWN)) == "node-loss"


def test_a_substitute_is_told_apart(tmp_path: Path) -> None:
    assert fault_of(Order("node-loss", experiment_file=Path("null"))) == "null"
    edited = tmp_path / "node-loss.yaml"
    shutil.copy(OWN, edited)
    assert fault_of(Order("node-loss", experiment_file=edited)) == "another node-loss"
