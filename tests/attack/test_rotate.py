"""The runbook on a platform of stubs: in order, each seen; and an old credential that still works."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness.core.proofs import Proof, StepRecord
from harness.core.timeline import MarkName
from harness.errors import PlatformError
from harness.evidence import events, layout
from harness.evidence.lines import read_lines
from harness.platforms.capabilities import AuditedUse, Wholeness
from harness.recovery import rotate
from harness.recovery.engine import carry_out
from harness.recovery.facts import Course
from harness.recovery.ground import Ground
from harness.recovery.steps import Runbook
from tests.core import simulate

CLASSES = tuple(name for name, _ in rotate.ORDER)


class Stub:
    """Secrets that rotate at once, and an audit that a test writes."""

    def __init__(self) -> None:
        self.rotated: list[str] = []
        self.uses: dict[str, int] = dict.fromkeys(CLASSES, 1)
        self.broken = ""

    def classes(self) -> tuple[str, ...]:
        return CLASSES

    def rotate(self, credential: str) -> None:
        if credential == self.broken:
            raise PlatformError(f"{credential} cannot be renewed")
        self.rotated.append(credential)

    def known(self) -> tuple[tuple[str, str], ...]:
        return (("queue", "a-word-that-no-process-shows-" + "4711"),)

    def last_use(self, credential: str, _marker: str) -> AuditedUse | None:
        at_ns = self.uses.get(credential)
        return None if at_ns is None else AuditedUse(credential, at_ns, 1, "stub log")


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> Stub:
    monkeypatch.setattr(rotate, "_QUIET_S", 0.1)
    return Stub()


def ground(stub: Stub, tmp_path: Path) -> Ground:
    run = tmp_path / "r1"
    (run / layout.RECOVERY).mkdir(parents=True)
    whole = Wholeness(whole=True)
    platform = SimpleNamespace(directory=tmp_path, secrets=stub, audit=stub, whole=lambda: whole)
    course = Course(rotate.RUNBOOK.name, "r1", str(run), {}, simulate.TARGETS)
    return Ground.of(platform, course, file=tmp_path / "course.json")


def hurried(limit_s: float = 0.5) -> Runbook:
    """The same steps, with less patience."""
    book = rotate.RUNBOOK
    return replace(book, steps=tuple(replace(step, limit_s=limit_s) for step in book.steps))


def test_every_class_is_rotated_in_its_order_and_marked(stub: Stub, tmp_path: Path) -> None:
    here = ground(stub, tmp_path)
    assert carry_out(rotate.RUNBOOK, here) == ""
    assert tuple(stub.rotated) == CLASSES
    timeline = events.read(here.run / layout.EVENTS).timeline
    assert tuple(m.note for m in timeline.all(MarkName.REVOKED)) == CLASSES
    names = [m.name for m in timeline.marks if m.name is not MarkName.STEP]
    assert names[:3] == [MarkName.RECOVERY_BEGUN, MarkName.DETECTED, MarkName.DECIDED]
    assert names[-1] is MarkName.RECOVERY_ENDED
    proofs = read_lines(here.run / layout.PROOFS, Proof)
    assert {(p.check, p.kind, p.ok) for p in proofs} == {("secrets-hidden", "process", True)}


def test_nothing_is_rotated_where_the_audit_is_blind(stub: Stub, tmp_path: Path) -> None:
    stub.uses.clear()
    here = ground(stub, tmp_path)
    assert carry_out(hurried(), here).startswith("detect: not observed")
    assert stub.rotated == []


def test_a_class_that_cannot_be_renewed_ends_the_runbook_by_name(
    stub: Stub, tmp_path: Path
) -> None:
    stub.broken = "database-role"
    here = ground(stub, tmp_path)
    assert (
        carry_out(rotate.RUNBOOK, here) == "rotate-database-role: database-role cannot be renewed"
    )
    assert stub.rotated == ["backup-writer", "queue"]
    last = read_lines(here.run / layout.STEPS, StepRecord)[-1]
    assert (last.name, last.done) == ("rotate-database-role", False)


def test_an_old_credential_that_is_used_after_all_is_not_overlooked(
    stub: Stub, tmp_path: Path
) -> None:
    stub.uses["queue"] = 1 << 62
    here = ground(stub, tmp_path)
    assert carry_out(hurried(), here).startswith("watch-audit: not observed")


def test_resumed_after_a_death_it_rotates_only_what_is_left(stub: Stub, tmp_path: Path) -> None:
    stub.broken = "api-key"
    here = ground(stub, tmp_path)
    assert carry_out(rotate.RUNBOOK, here)
    stub.broken = ""
    assert carry_out(rotate.RUNBOOK, here) == ""
    assert sorted(stub.rotated) == sorted(CLASSES)  # each once
