"""Whole drills on containers, by the command line as a user runs them; judged as everywhere."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.core.proofs import Proof, StepRecord
from harness.evidence import layout
from harness.evidence.lines import read_lines
from harness.evidence.load import load_record
from harness.platforms.containers.platform import ContainersPlatform
from harness.recovery.point_in_time import RUNBOOK

pytestmark = [pytest.mark.containers, pytest.mark.timeout(600)]

ROOT = Path(__file__).resolve().parents[2]
VIOLATIONS = ("lost", "ghost", "unexpected", "duplicate", "altered", "partial", "resurrected")
VERDICTS = {0: "met", 1: "missed", 3: "inconclusive", 4: "invalid"}  # 5 and 2 are no verdicts
LIMIT_S = 500


@dataclass(frozen=True)
class Ended:
    """A drill that has ended."""

    code: int
    report: dict[str, object]
    run: Path


def peakdrill(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "harness.cli", *words], cwd=ROOT, capture_output=True, text=True,
        timeout=LIMIT_S, check=False,
    )  # fmt: skip


@pytest.fixture
def drill(whole: ContainersPlatform, tmp_path: Path) -> Callable[[str], Ended]:
    """On the session's platform, which is whole before and after."""

    def ran(scenario: str) -> Ended:
        out = tmp_path / "runs"
        order = ("--on", "containers", "--size", "smoke", "--json", "--out", out)
        done = peakdrill("run", scenario, *order)
        assert done.stdout, f"exit {done.returncode}: {done.stderr}"
        report = json.loads(done.stdout)
        assert VERDICTS[done.returncode] == report["verdict"], done.stderr
        run = out / report["run_id"]
        assert peakdrill("check", run).returncode == done.returncode
        return Ended(done.returncode, report, run)

    return ran


def test_the_loss_of_the_primary_costs_time_and_no_order(drill: Callable[[str], Ended]) -> None:
    ended = drill("node-loss")
    workloads = ended.report["workloads"]
    assert isinstance(workloads, dict)
    for name, workload in workloads.items():
        found = {kind: workload["rpo"][kind] for kind in VIOLATIONS}
        assert not any(found.values()), f"{name}: {found}"
        assert workload["rpo"]["acked"] > 0
    away = workloads["order-capture"]["rto"]
    assert 1 < away["low_s"] <= away["high_s"]  # a leader's lock outlives it
    assert away["recovered"]


def test_a_bad_release_is_undone_by_going_back(drill: Callable[[str], Ended]) -> None:
    """What was seen is asked of the proofs: a busy machine may void the verdict, not them."""
    ended = drill("logical-corruption")
    steps = read_lines(ended.run / layout.STEPS, StepRecord)
    assert [step.name for step in steps] == [step.name for step in RUNBOOK.steps]
    assert [step.told for step in steps if not step.done] == []
    proofs = read_lines(ended.run / layout.PROOFS, Proof)
    for check in ("restored-wanted", "archive-continuous", "calls-replayed", "documents-sound"):
        found = [proof for proof in proofs if proof.check == check]
        assert found, f"nothing was looked at for {check}"
        assert [proof.told for proof in found if not proof.ok] == []
    restorations = load_record(ended.run).judgement.restoration
    assert restorations
    assert [r.workload for r in restorations if r.spoiled] == []
