"""What is looked at once the load has stopped: the steps of a runbook, and protection."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness.core import checks
from harness.core.proofs import Proof, StepRecord
from harness.core.scenario import runbook
from harness.core.timeline import Mark, MarkName
from harness.evidence import events, layout
from harness.evidence.lines import append_step, read_lines
from harness.evidence.rundir import RunDirectory
from harness.inspection import archive, protection
from harness.inspection import runbook as steps_inspected
from harness.inspection.registry import inspections_of
from harness.inspection.scene import Scene
from harness.platforms.capabilities import Backup, Reach, Wholeness
from harness.recovery.steps import Runbook, Step, nothing
from tests.core import simulate

BOOK = Runbook(
    "two", "Two", tuple(Step(name, f"The {name}", nothing, lambda _: None) for name in ("a", "b"))
)


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    run = RunDirectory.create(tmp_path, "r1").path
    scenario = replace(simulate.SCENARIO, recovery=runbook("two", within_s=60))
    platform = SimpleNamespace(whole=lambda: Wholeness(whole=True), backups=None)
    return Scene(platform, run, "r1", scenario, simulate.TARGETS, "2026-11-22T03:00:00Z")


def proofs(scene: Scene) -> list[tuple[bool | None, str]]:
    return [(p.ok, p.told) for p in read_lines(scene.run / layout.PROOFS, Proof)]


def test_every_step_is_proven_or_not(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps_inspected, "runbook_of", lambda _: BOOK)
    append_step(scene.run, StepRecord("other", "b", "", "", "", 1, 2, True, "of another runbook"))
    append_step(scene.run, StepRecord("two", "a", "", "", "", 1, 2, True, "done"))
    steps_inspected.steps_were_seen(scene)
    assert proofs(scene) == [(True, "The a: done"), (False, "The b: never begun")]
    append_step(scene.run, StepRecord("two", "b", "", "", "", 1, 2, False, "no room"))
    steps_inspected.steps_were_seen(scene)
    assert proofs(scene)[2:] == [(True, "The a: done"), (False, "The b: no room")]


@pytest.mark.parametrize("seen", [True, False])
@pytest.mark.parametrize("now", [True, False])
def test_protected_is_seen_and_lasts(scene: Scene, seen: bool, now: bool) -> None:
    def mark(name: MarkName, at_s: float) -> None:
        at_ns = round(at_s * 1e9)
        events.append(scene.run / layout.EVENTS, Mark(name, at_ns, at_ns))

    mark(MarkName.FAULT_ACTIVE, 10)
    if seen:
        mark(MarkName.PROTECTED, 52.5)
    whole = Wholeness(now, () if now else ("the standby does not stream",))
    platform = SimpleNamespace(whole=lambda: whole, backups=None)
    protection.is_protected(replace(scene, platform=platform))
    ((ok, told),) = proofs(scene)
    assert ok is (seen and now)
    assert ("42.5 s after the fault" in told) is seen
    assert ("the standby does not stream" in told) is (not now)


@pytest.mark.parametrize("stopped", [True, False])
def test_an_archive_that_stores_nothing_protects_nothing(scene: Scene, stopped: bool) -> None:
    events.append(scene.run / layout.EVENTS, Mark(MarkName.FAULT_ACTIVE, 1, 1))
    events.append(scene.run / layout.EVENTS, Mark(MarkName.PROTECTED, 2, 2))
    closed: list[str] = []
    backups = SimpleNamespace(
        close_archive=lambda: closed.append("a segment"),
        archive_is_stopped=lambda: bool(closed) and stopped,
    )
    platform = SimpleNamespace(whole=lambda: Wholeness(whole=True), backups=backups)
    protection.is_protected(replace(scene, platform=platform))
    ((ok, told),) = proofs(scene)
    assert ok is not stopped
    assert ("reported as archived, and are not" in told) is stopped


@pytest.mark.parametrize(
    ("last", "missing", "ok"),
    [("0" * 24, (), True), ("0" * 24, ("1" * 24,), False), ("", (), None)],
)
def test_an_archive_without_a_segment_shows_nothing(
    scene: Scene, last: str, missing: tuple[str, ...], ok: bool | None
) -> None:
    backups = SimpleNamespace(
        close_archive=lambda: None,
        candidates=lambda: (Backup("b1", "", "2", True),),
        reach=lambda name: Reach(name, "0" * 24, last, missing, "", 0),
        archive_is_stopped=lambda: False,
    )
    archive.is_continuous(replace(scene, platform=SimpleNamespace(backups=backups)))
    assert [found for found, _ in proofs(scene)] == [ok]


def test_only_what_a_scenario_asks_for_is_looked_at() -> None:
    assert list(inspections_of([checks.rto, checks.rpo])) == []
    (found,) = inspections_of([checks.rto, checks.runbook_done])
    assert found == (checks.runbook_done, "runbook", steps_inspected.steps_were_seen)


def test_every_inspection_serves_a_check_that_proofs_can_decide() -> None:
    for check, topic, _ in inspections_of(checks.ALL.values()):
        assert check.kinds, topic
