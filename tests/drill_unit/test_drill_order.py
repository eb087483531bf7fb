"""The method of a drill, with stand-ins for all that it touches: what happens, in what order."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness import drill as method
from harness.core import checks
from harness.core.proofs import Proof
from harness.core.scenario import runbook
from harness.errors import Interrupted, PlatformError
from harness.evidence import events, layout
from harness.evidence.lines import read_lines
from harness.evidence.rundir import RunDirectory
from harness.faults import journal
from harness.faults.state import State
from harness.inspection import inspect as inspecting
from harness.platforms.capabilities import Wholeness
from harness.progress import Silent
from harness.recovery import unmended
from tests.core import simulate

SCENARIO = replace(
    simulate.SCENARIO,
    recovery=runbook("point-in-time", within_s=60),
    failback=runbook("failback", within_s=60),
)


class Stage:
    """Every part of a drill, each writing down that it was called."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, out: Path) -> None:
        self.told: list[str] = []
        self.effect = self.well = self.seen = self.whole = True
        self.plan = replace(simulate.plan_of(), scenario=SCENARIO)
        self.run = RunDirectory.create(out, self.plan.run_id)
        self.platform = SimpleNamespace(
            whole=lambda: Wholeness(self.whole, ("not whole",)), directory=out
        )
        for name in ("trading", "guarded", "injecting", "witness"):
            monkeypatch.setattr(method, name, self.held(name))
        monkeypatch.setattr(method, "recover", self.recover)
        for name in ("inspect", "read_back", "conclude"):
            monkeypatch.setattr(method, name, self.noting(name, None))

    def held(self, name: str):
        guard = SimpleNamespace(watch_over=lambda _: None)
        parts = {"trading": self.load(), "injecting": self.fault(), "guarded": guard}

        @contextmanager
        def within(*_: object):
            yield parts.get(name)

        return within

    def noting(self, name: str, answer: object):
        def called(*_: object, **__: object) -> object:
            self.told.append(name)
            return answer() if callable(answer) else answer

        return called

    def load(self) -> SimpleNamespace:
        return SimpleNamespace(
            hold_baseline=self.noting("baseline", None),
            await_well=self.noting("well", lambda: self.well),
            hold_after=self.noting("hold", None),
            workers_lost=[],
            progress=Silent(),
            pulse=lambda: None,
        )

    def fault(self) -> SimpleNamespace:
        return SimpleNamespace(
            inject=self.noting("inject", None),
            await_effect=lambda _: self.effect,
            release=self.noting("release", None),
            await_healed=lambda _: True,
            state=State.ACTIVE,
            why="",
        )

    def recover(self, spec, *_: object, **how: object) -> bool:
        self.told.append(spec.runbook)
        return self.seen

    def perform(self) -> list[str]:
        method.drill(self.plan, self.platform, self.run, Silent())
        return self.told

    def marks(self) -> list[str]:
        timeline = events.read(self.run / layout.EVENTS).timeline
        return [f"{m.name}:{m.note}" for m in timeline.marks]


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    return Stage(monkeypatch, tmp_path)


def test_recovery_then_failback_then_inspection_then_read_back(stage: Stage) -> None:
    assert stage.perform() == [
        "baseline", "inject", "point-in-time", "well", "release", "hold",
        "failback", "hold", "inspect", "read_back", "conclude",
    ]  # fmt: skip
    assert stage.marks() == ["protected:", "observation-ended:before failback"]


def test_without_an_effect_nothing_is_recovered_nor_inspected(stage: Stage) -> None:
    stage.effect = False
    assert stage.perform() == ["baseline", "inject", "release", "hold", "read_back", "conclude"]


@pytest.mark.parametrize("left", [True, False, None])
def test_what_only_our_own_undo_mends_speaks_against_the_recovery(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, left: bool | None
) -> None:
    """The release mends it, and all that is inspected afterwards is sound."""

    def holds(*_: object) -> bool:
        assert "release" not in stage.told
        if left is None:
            raise PlatformError("node a cannot be walked")
        return left

    deed = SimpleNamespace(held=False, holds=holds)
    monkeypatch.setattr(unmended, "deed_of", lambda _: deed)
    run_id = stage.plan.run_id
    journal.write(stage.platform.directory, "page-corruption", {"node": "a"}, run_id)
    chosen = (*SCENARIO.checks, checks.nothing_corrupt, checks.runbook_done)
    stage.plan = replace(stage.plan, scenario=replace(SCENARIO, checks=chosen))
    stage.perform()
    (proof,) = read_lines(stage.run / layout.PROOFS, Proof)
    assert (proof.check, proof.subject) == ("runbook-done", "page-corruption")
    assert proof.ok is (None if left is None else not left)


@pytest.mark.parametrize("trouble", ["seen", "well", "whole"])
def test_there_is_no_way_back_from_a_recovery_that_failed(stage: Stage, trouble: str) -> None:
    setattr(stage, trouble, False)
    limits = replace(stage.plan.limits, heal_s=0)
    stage.plan = replace(stage.plan, limits=limits)
    told = stage.perform()
    assert "failback" not in told
    assert told[-3:] == ["inspect", "read_back", "conclude"]


def test_an_inspection_that_fails_says_so_and_spoils_no_other(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    (stage.run / "head.json").write_text(json.dumps({"begun_utc": "2026-11-22T03:00:00Z"}))

    def fails(_scene) -> None:
        raise PlatformError("the store does not answer")

    def breaks(_scene) -> None:
        raise KeyError("a secret perhaps")

    def looks(scene) -> None:
        scene.prove("protected-again", "protection", "platform", True, "whole")

    topics = [(checks.calls_replayed, "a", fails), (checks.audit_kept, "b", breaks)]
    topics.append((checks.protected_again, "c", looks))
    monkeypatch.setattr(inspecting, "inspections_of", lambda _: topics)
    inspecting.inspect(stage.plan, stage.platform, stage.run, Silent())
    proofs = read_lines(stage.run / layout.PROOFS, Proof)
    assert [(p.check, p.kind, p.ok) for p in proofs] == [
        ("calls-replayed", "calls", None),
        ("audit-kept", "audit", None),
        ("protected-again", "protection", True),
    ]
    assert proofs[0].told == "the inspection of a could not be made: the store does not answer"
    assert proofs[1].told == "the inspection of b could not be made: KeyError"


def test_an_interrupt_is_no_failed_inspection(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    (stage.run / "head.json").write_text(json.dumps({"begun_utc": "2026-11-22T03:00:00Z"}))

    def stopped(_scene) -> None:
        raise Interrupted("stopped by SIGINT")

    topics = [(checks.calls_replayed, "a", stopped)]
    monkeypatch.setattr(inspecting, "inspections_of", lambda _: topics)
    with pytest.raises(Interrupted):
        inspecting.inspect(stage.plan, stage.platform, stage.run, Silent())
