"""Sabotage on the real platform: one class is said to be rotated and is not. It is named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness.chaos import actions, attack
from harness.chaos.standing import Standing
from harness.core.access import access
from harness.core.evidence import Use
from harness.core.timeline import MarkName
from harness.core.verdict import Verdict
from harness.evidence import events, layout
from harness.evidence.lines import read_lines
from harness.platforms.embedded import EmbeddedPlatform
from harness.platforms.embedded.rotation import RotatedSecrets
from harness.recovery import rotate
from harness.recovery.engine import carry_out
from harness.recovery.facts import Course
from harness.recovery.ground import Ground
from tests.core import simulate
from tests.shop.stand import wait_until

pytestmark = [pytest.mark.platform, pytest.mark.timeout(300)]
LEFT_OUT = "queue"
REFUSALS = 4


@pytest.fixture
def run(platform: EmbeddedPlatform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run directory in which actions on the platform leave their marks."""
    directory = tmp_path / "sabotage"
    for folder in (layout.RECOVERY, layout.LEDGER, layout.ATTACK):
        (directory / folder).mkdir(parents=True)
    for module in (attack, actions):
        monkeypatch.setattr(module, "standing", lambda: Standing(platform, directory))
    return directory


def test_a_class_that_was_not_rotated_is_missed_by_name_and_the_others_met(
    platform: EmbeddedPlatform, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = RotatedSecrets.rotate

    def lazy(self: RotatedSecrets, credential: str) -> None:
        if credential != LEFT_OUT:
            honest(self, credential)

    monkeypatch.setattr(RotatedSecrets, "rotate", lazy)
    attack.leak()
    try:
        why = carry_out(patient_for(10.0), ground(platform, run))
        wait_until(lambda: all(refused(run, name) for name in others(platform)), "refusals")
    finally:
        actions.mend()
        attack._attackers.pop().communicate()
    assert why.startswith("watch-audit: not observed")  # the platform's own audit saw it too
    found = {judged.credential: judged for judged in judged_of(run)}
    assert set(found) == set(platform.secrets.classes())
    told = found[LEFT_OUT]
    assert told.verdict is Verdict.MISSED
    assert told.reason.startswith(f"{LEFT_OUT}: ")
    assert told.accepted_since_revoked > 0
    for name in others(platform):
        assert found[name].verdict is Verdict.MET, found[name].reason


def patient_for(limit_s: float):
    """The runbook, with this much patience for the audit to fall silent, which it will not."""
    steps = (
        replace(s, limit_s=limit_s) if s.name == "watch-audit" else s for s in rotate.RUNBOOK.steps
    )
    return replace(rotate.RUNBOOK, steps=tuple(steps))


def ground(platform: EmbeddedPlatform, run: Path) -> Ground:
    return Ground.of(platform, Course("rotate", run.name, str(run), {}, simulate.TARGETS))


def others(platform: EmbeddedPlatform) -> list[str]:
    return [name for name in platform.secrets.classes() if name != LEFT_OUT]


def refused(run: Path, name: str) -> bool:
    uses = [use for use in read_lines(run / layout.USES, Use) if use.credential == name]
    return len(uses) >= REFUSALS and all(u.told.startswith("denied: ") for u in uses[-REFUSALS:])


def judged_of(run: Path):
    """What the judge makes of the log and the marks."""
    timeline = events.read(run / layout.EVENTS).timeline
    released = timeline.first(MarkName.FAULT_RELEASED)
    assert released is not None
    return access(
        SimpleNamespace(
            uses=read_lines(run / layout.USES, Use),
            timeline=timeline,
            observation=SimpleNamespace(clock_error_ns=0),
            load_stopped_ns=released.latest_ns,
        )
    )
