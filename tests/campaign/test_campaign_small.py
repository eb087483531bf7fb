"""A small crash campaign on a real platform: the experiment, a load worker, and the harness."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.platforms.embedded import EmbeddedPlatform
from tests.campaign.strikes import Strike, Victim
from tests.campaign.striking import strike

pytestmark = [pytest.mark.platform, pytest.mark.drill, pytest.mark.timeout(600)]


@pytest.mark.parametrize(
    ("victim", "mark", "wait_s"),
    [
        (Victim.EXPERIMENT, "fault-active", 1.0),
        (Victim.LOAD, "baseline-ended", 0.5),
        (Victim.HARNESS, "fault-released", 0.2),
    ],
)
def test_whoever_dies_nothing_is_broken_missing_or_passed(
    platform: EmbeddedPlatform, tmp_path: Path, victim: Victim, mark: str, wait_s: float
) -> None:
    one = Strike(0, "node-loss", victim, mark, wait_s, 0.5)
    found = strike(one, platform, tmp_path)
    assert found.struck
    assert found.problems == ()
