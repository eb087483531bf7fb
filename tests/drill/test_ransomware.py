"""Ransomware, whole: on a platform of its own, since afterwards it lives in another environment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.attack.leaked import CLASSES
from harness.core.proofs import Proof, StepRecord
from harness.core.timeline import MarkName
from harness.evidence import events, layout, lines
from harness.evidence.load import load_record
from harness.recovery.clean_room import RUNBOOK

pytestmark = [pytest.mark.platform, pytest.mark.drill, pytest.mark.timeout(560)]

ROOT = Path(__file__).resolve().parents[2]
LOSSES = ("lost", "ghost", "unexpected", "duplicate", "altered", "partial", "resurrected")


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict, Path]:
    """The report and the run directory of one honest smoke drill."""
    home = tmp_path_factory.mktemp("ransomware")
    done = subprocess.run(
        [sys.executable, "-m", "harness.cli", "run", "ransomware", "--size", "smoke", "--json",
         "--out", str(home / "runs")],
        cwd=ROOT, env={**os.environ, "PEAKDRILL_HOME": str(home / "home")}, check=False,
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=540,
    )  # fmt: skip
    assert done.stdout, done.stderr
    report = json.loads(done.stdout)
    return report, home / "runs" / report["run_id"]


def proofs(run: Path, check: str, kind: str) -> tuple[Proof, ...]:
    found = lines.read_lines(run / layout.PROOFS, Proof)
    return tuple(proof for proof in found if (proof.check, proof.kind) == (check, kind))


def test_it_opens_again_in_an_environment_that_is_clean(judged) -> None:
    """By its proofs: whether the instrument was fit is the business of the machine that day."""
    _, run = judged
    against = [p for p in lines.read_lines(run / layout.PROOFS, Proof) if not p.ok]
    assert against == []
    tried = {p.subject for p in proofs(run, "environment-clean", "clean")}
    assert tried == {"environment", *CLASSES}


def test_every_step_was_seen_in_its_order_and_serving_is_not_protected(judged) -> None:
    _, run = judged
    steps = lines.read_lines(run / layout.STEPS, StepRecord)
    assert [step.name for step in steps] == [step.name for step in RUNBOOK.steps]
    assert all(step.done for step in steps)
    timeline = events.read(run / layout.EVENTS).timeline
    order = [
        MarkName.FAULT_ACTIVE, MarkName.DETECTED, MarkName.INGRESS_CLOSED, MarkName.RESTORED,
        MarkName.REPLAYED, MarkName.APPROVED, MarkName.INGRESS_OPENED, MarkName.PROTECTED,
    ]  # fmt: skip
    marks = [timeline.first(name) for name in order]
    assert all(marks)
    instants = [mark.latest_ns for mark in marks]
    assert instants == sorted(instants)
    approved = timeline.first(MarkName.APPROVED)
    assert "simulated" in approved.note


def test_the_lock_held_and_the_poisoned_backup_was_refused(judged) -> None:
    _, run = judged
    objects = proofs(run, "backups-locked", "object")
    assert objects
    assert all(proof.ok for proof in objects)
    attempts = " ".join(proof.told for proof in proofs(run, "backups-locked", "attack"))
    for what in ("delete the version", "shorten its retention", "overwrite", "suspend versioning"):
        assert what in attempts
    assert any("/wals/" in proof.subject for proof in objects)
    (refused,) = proofs(run, "backup-chosen", "refused")  # the newest
    (chosen,) = proofs(run, "backup-chosen", "backup")
    assert "refused" in refused.told
    assert "passes every check" in chosen.told
    assert chosen.subject < refused.subject  # the poisoned one looks newer
    assert "backup key's copy secrets/backup-key is lost" in chosen.told


def test_what_was_lost_is_counted_and_the_rest_is_there(judged) -> None:
    report, run = judged
    record = load_record(run)
    assert record.judgement.restoration
    for told in report["workloads"].values():
        for kind in ("altered", "partial", "ghost", "duplicate", "resurrected"):
            assert told["rpo"][kind] == 0, (kind, told["rpo"])


def test_without_the_deed_nothing_is_seen_and_nothing_is_lost(site) -> None:
    """The whole null drill, of the longest of all: what it breaks is nothing, and so is what it finds.

    That no other scenario's effect is seen where nothing was done: test_null_of_each.py.
    """
    null = str(ROOT / "experiments" / "null.yaml")
    code, report, run = site.drill("ransomware", "--experiment", null)
    assert code == 4
    assert report["verdict"] == "invalid"
    assert "no effect" in report["reasons"][0].lower()
    assert not (run / layout.STEPS).exists()
    for name, workload in report["workloads"].items():
        found = {kind: workload["rpo"][kind] for kind in LOSSES}
        assert not any(found.values()), f"{name}: {found}"
        assert workload["rpo"]["acked"] > 0
    site.judge_again(run, 4)
