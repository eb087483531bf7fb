"""A whole drill: every class is taken away while the shop trades."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.attack.leaked import CLASSES, folder_of
from harness.core.evidence import Use
from harness.core.proofs import Proof, StepRecord
from harness.core.verdict import Verdict
from harness.evidence import layout
from harness.evidence.lines import read_lines
from harness.evidence.load import load_record
from harness.recovery import rotate
from tests.conftest import missing_in_the_end
from tests.drill.conftest import VERDICTS

pytestmark = [pytest.mark.platform, pytest.mark.drill, pytest.mark.timeout(500)]

LOSSES = ("lost", "ghost", "unexpected", "duplicate", "altered", "partial", "resurrected")


def test_every_leaked_credential_is_taken_away_and_nothing_is_lost(site) -> None:
    code, report, run = site.drill("credential-compromise")
    assert VERDICTS[code] == report["verdict"]
    every_class_is_shut(run)
    the_runbook_went_to_its_end(run)
    proofs_are_sound(run)
    for name, workload in report["workloads"].items():
        found = {kind: workload["rpo"][kind] for kind in LOSSES}
        assert not any(found.values()), f"{name}: {found}"
        assert workload["rpo"]["acked"] > 0
        assert workload["rto"]["recovered"]
    nothing_is_left(site)
    no_secret_in(run, site)
    assert site.peakdrill("check", str(run))[0] == code


def every_class_is_shut(run: Path) -> None:
    judged = load_record(run).judgement.access
    assert {found.credential for found in judged} == set(CLASSES)
    uses = read_lines(run / layout.USES, Use)
    for found in judged:
        assert found.verdict is Verdict.MET, found.reason
        last = max(
            (u for u in uses if u.credential == found.credential and u.accepted),
            key=lambda u: u.done_ns,
        )
        after = [u for u in uses if u.credential == found.credential and u.begun_ns > last.done_ns]
        assert sum(u.told.startswith("denied: ") for u in after) >= 3


def the_runbook_went_to_its_end(run: Path) -> None:
    steps = read_lines(run / layout.STEPS, StepRecord)
    assert [s.name for s in steps] == [s.name for s in rotate.RUNBOOK.steps]
    assert all(s.done for s in steps)
    (cost,) = [s.told for s in steps if s.name == "count"]
    assert "orders (order-capture) turned away" in cost


def proofs_are_sound(run: Path) -> None:
    proofs = read_lines(run / layout.PROOFS, Proof)
    assert [p.told for p in proofs if not p.ok] == []
    assert {p.subject for p in proofs if p.check == "audit-agrees"} == set(CLASSES)
    kinds = {p.kind for p in proofs if p.check == "secrets-hidden"}
    assert kinds == {"log", "process", "evidence"}


def nothing_is_left(site) -> None:
    assert not folder_of(site.platform.directory).exists()
    assert list((site.platform.directory / "undo").glob("*.json")) == []
    assert missing_in_the_end(site.platform) == ()


def no_secret_in(run: Path, site) -> None:
    """Old or new, in the whole run with its reports: written without the inspection's own code."""
    secrets = {secret.encode() for _, secret in site.platform.secrets.known()}
    assert len(secrets) > 2 * len(CLASSES) - 2  # of most classes an old and a new one
    for path in run.rglob("*"):
        if path.is_file():
            body = path.read_bytes()
            assert not [1 for secret in secrets if secret in body], f"{path.name} holds a secret"
