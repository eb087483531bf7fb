"""Whole drills on a stack in a cluster, measured from outside it: judged as on every platform.

One scenario at a time: `pytest -m kubernetes FILE -k node-loss`. No time is asserted. On a machine
that is busy with something else the baseline is not healthy, and the test fails by that reason.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from harness.core.proofs import Proof, StepRecord
from harness.evidence import layout
from harness.evidence.lines import read_lines
from harness.platforms.kubernetes.platform import KubernetesPlatform
from harness.recovery import failback, point_in_time, reinitialise, rotate
from harness.recovery.steps import Runbook
from tests.conftest import missing_in_the_end

pytestmark = [pytest.mark.kubernetes, pytest.mark.timeout(600)]

ROOT = Path(__file__).resolve().parents[2]
BYSTANDER = Path(__file__).with_name("bystander_loss.py")
VERDICTS = {0: "met", 1: "missed", 3: "inconclusive", 4: "invalid"}  # 5 and 2 are no verdicts
VIOLATIONS = ("ghost", "unexpected", "duplicate", "altered", "partial", "resurrected")
LIMIT_S = 500
WATCHED_S = 50  # a smoke run watches for a minute: a target within it is met or missed


@dataclass(frozen=True)
class Case:
    """A scenario, its runbooks, and of what kind of check the run must hold proofs."""

    scenario: str
    runbooks: tuple[Runbook, ...] = ()
    proved: tuple[str, ...] = ()
    goes_back: bool = False  # by intent: what was written after the damage may be lost for good
    waits: bool = False  # for the node: what has one copy is back after the fault, not before


CASES = {
    "node-loss": Case("node-loss"),
    "bystander": Case(str(BYSTANDER), waits=True),
    "page-corruption": Case(
        "page-corruption", (reinitialise.RUNBOOK, failback.RUNBOOK), ("nothing-corrupt",)
    ),
    "logical-corruption": Case(
        "logical-corruption", (point_in_time.RUNBOOK,),
        ("restored-wanted", "archive-continuous", "calls-replayed", "documents-sound"),
        goes_back=True,
    ),
    "credential-compromise": Case(
        "credential-compromise", (rotate.RUNBOOK,), ("secrets-hidden", "audit-agrees")
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Ended:
    """A drill that has ended."""

    code: int
    report: dict[str, object]
    run: Path

    @property
    def workloads(self) -> dict[str, dict[str, dict[str, object]]]:
        found = self.report["workloads"]
        assert isinstance(found, dict)
        assert found
        return found

    def unfit(self) -> list[str]:
        """What of the instrument was not fit to judge, each with its figures."""
        fitness = self.report["fitness"]
        assert isinstance(fitness, dict)
        return [f"{c['name']}: {c['measured']}" for c in fitness["conditions"] if not c["fit"]]

    def voided(self) -> list[str]:
        """Checks that unfitness has left without a word."""
        told = [f for w in self.workloads.values() for f in w["findings"]]
        told += self.report["findings"]
        return [f"{f['check']}: {f['reason']}" for f in told if f["verdict"] == "invalid"]


@pytest.fixture
def drill(stack: KubernetesPlatform, stack_file: Path, tmp_path: Path) -> Callable[..., Ended]:
    """By the command line, as a user; on the session's stack, which is whole before and after."""
    assert missing_in_the_end(stack) == ()

    def ran(scenario: str, *words: str | Path) -> Ended:
        out = tmp_path / "runs"
        order = ("--on", "kubernetes", "--platform", stack_file, "--size", "smoke", "--json")
        done = peakdrill("run", scenario, *order, "--out", out, *words)
        assert done.stdout, f"exit {done.returncode}: {done.stderr}"
        report = json.loads(done.stdout)
        assert VERDICTS.get(done.returncode) == report["verdict"], done.stderr
        run = out / report["run_id"]
        assert peakdrill("check", run).returncode == done.returncode
        assert missing_in_the_end(stack) == ()
        return Ended(done.returncode, report, run)

    return ran


def peakdrill(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "harness.cli", *words], cwd=ROOT, capture_output=True, text=True,
        timeout=LIMIT_S, check=False,
    )  # fmt: skip


def within_reach(folder: Path) -> Path:
    """The example's targets, none of them later than a smoke run looks."""
    told = yaml.safe_load((ROOT / "targets.yaml").read_text())
    for target in told["workloads"].values():
        target["rto_s"] = min(target["rto_s"], WATCHED_S)
    file = folder / "targets.yaml"
    file.write_text(yaml.safe_dump(told))
    return file


@pytest.mark.parametrize("name", CASES)
def test_a_drill_ends_with_a_verdict_by_evidence(
    drill: Callable[..., Ended], tmp_path: Path, name: str
) -> None:
    case = CASES[name]
    ended = drill(case.scenario, *(("--targets", within_reach(tmp_path)) if case.waits else ()))
    assert ended.unfit() == []
    assert ended.voided() == []
    assert ended.report["verdict"] in ("met", "missed"), ended.report["reasons"]
    went_to_their_ends(ended.run, *case.runbooks)
    proved(ended.run, *case.proved)
    for workload, found in ended.workloads.items():
        rpo = found["rpo"]
        assert rpo["acked"], f"{workload}: nothing was written"
        assert {kind: rpo[kind] for kind in VIOLATIONS if rpo[kind]} == {}, workload
        assert not rpo["lost"] or case.goes_back, f"{workload}: {rpo['examples']}"


def test_where_nothing_is_broken_no_effect_is_seen(drill: Callable[..., Ended]) -> None:
    ended = drill("page-corruption", "--experiment", str(ROOT / "experiments" / "null.yaml"))
    assert (ended.code, ended.report["verdict"]) == (4, "invalid")
    assert [told.split(":")[0] for told in ended.unfit()] == ["effect"]
    assert not (ended.run / layout.STEPS).exists()
    for workload, found in ended.workloads.items():
        assert not found["rpo"]["lost"], f"{workload}: {found['rpo']['examples']}"


def went_to_their_ends(run: Path, *runbooks: Runbook) -> None:
    records = read_lines(run / layout.STEPS, StepRecord)
    assert [r.told for r in records if not r.done] == []
    wanted = [(book.name, step.name) for book in runbooks for step in book.steps]
    assert [(r.runbook, r.name) for r in records] == wanted


def proved(run: Path, *wanted: str) -> None:
    """Something was looked at for each check, and every look found it sound."""
    proofs = read_lines(run / layout.PROOFS, Proof)
    assert set(wanted) <= {proof.check for proof in proofs}
    assert [proof.told for proof in proofs if not proof.ok] == []
