"""A slow platform gets the time that it needs; a quick one is measured as before."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness import trading
from harness.core.plan import Limits, PlatformFacts, Size
from harness.core.recovery_time import CANARY_LIMIT_NS
from harness.core.targets import Targets
from harness.errors import PlatformError
from harness.evidence import canonical, layout
from harness.evidence.rundir import RunDirectory
from harness.planning import Pace, limits_of
from tests.core import simulate

PLAN = simulate.plan_of()


def limits(*, rate_per_s: float = 10.0, canary_per_s: float = 10.0, **asked: object) -> Limits:
    slow = tuple(
        replace(t, rate_per_s=rate_per_s, canary_per_s=canary_per_s) for t in PLAN.targets.workloads
    )
    targets: Targets = replace(PLAN.targets, workloads=slow)
    facts: PlatformFacts = PLAN.platform
    return limits_of(asked.pop("size", Size.SMOKE), targets, facts, **asked)


def test_a_baseline_lasts_until_the_slowest_workload_has_done_enough() -> None:
    assert limits().baseline_s == 10
    assert limits(size=Size.FULL).baseline_s == 45
    slow = limits(rate_per_s=0.15, canary_per_s=0.2)
    assert slow.baseline_s * (0.15 + 0.2) >= 30 + 2
    assert slow.baseline_s <= 100


def test_what_the_owner_says_of_its_pace_counts() -> None:
    found = limits(pace=Pace(server_timeout_s=30, canary_limit_s=2, command_s=120))
    assert (found.server_timeout_s, found.canary_limit_s) == (30, 2)
    assert (found.effect_s, found.heal_s) == (150, 210)


def test_of_a_platform_that_says_nothing_not_a_byte_of_the_plan_is_another() -> None:
    usual = limits()
    assert usual == limits(pace=Pace())
    assert (usual.effect_s, usual.heal_s, usual.server_timeout_s) == (30, 90, 5)
    assert round(usual.canary_limit_s * 1e9) == CANARY_LIMIT_NS
    assert b"canary_limit_s" not in canonical.dumps(usual)
    assert b"canary_limit_s" in canonical.dumps(limits(pace=Pace(canary_limit_s=2)))


@pytest.mark.parametrize("runbook", [False, True])
def test_a_runbook_keeps_its_own_limits(runbook: bool) -> None:
    found = limits(runbook=runbook, pace=Pace(command_s=20))
    assert found.effect_s == (180 if runbook else 50)
    assert found.heal_s == (180 if runbook else 110)


def test_what_is_not_prepared_in_time_is_told_as_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trading, "_PREPARE_S", 0.05)
    (tmp_path / layout.LOAD).mkdir()
    with pytest.raises(PlatformError, match="were not prepared within"):
        trading._prepare(tmp_path / "plan.json", RunDirectory(tmp_path))


def test_what_cannot_be_prepared_is_told_by_name(tmp_path: Path) -> None:
    (tmp_path / layout.LOAD).mkdir()
    with pytest.raises(PlatformError, match=r"could not be prepared: .*plan\.json"):
        trading._prepare(tmp_path / "plan.json", RunDirectory(tmp_path))
