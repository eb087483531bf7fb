"""The selftest on a real platform, smaller than its smoke: stores, a lost worker, clocks."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.core.selftest import together
from harness.platforms.embedded import EmbeddedPlatform
from harness.progress import Silent
from harness.selftest import conduct, skewed, unhealed
from harness.selftest.lies import SAID
from harness.selftest.saboteurs import SABOTEURS
from harness.session import Order

pytestmark = [pytest.mark.platform, pytest.mark.drill, pytest.mark.timeout(600)]


def test_everything_planted_is_caught_and_nothing_else(
    platform: EmbeddedPlatform, tmp_path: Path
) -> None:
    bench, _ = conduct.new_bench(platform, Order("node-loss"), tmp_path, Silent(), seed=7)
    (lost,) = [s for s in SABOTEURS if s.defect == "lost-load-worker"]
    (null,) = [s for s in SABOTEURS if s.deed is None]
    found = together(
        [
            conduct.in_stores(bench),
            conduct.in_instrument(bench, lost),
            conduct.in_instrument(bench, null),
            conduct.in_clock(bench),
        ]
    )
    assert {row.defect for row in found.rows} == {
        *SAID, lost.defect, null.defect, skewed.DEFECT,
    }  # fmt: skip
    assert found.trusted, (found.rows, found.false)


@pytest.mark.campaign
def test_a_fault_that_does_not_heal_is_caught_and_mended(
    platform: EmbeddedPlatform, tmp_path: Path
) -> None:
    bench, _ = conduct.new_bench(platform, Order("node-loss"), tmp_path, Silent(), seed=7)
    found = conduct.in_undo(bench)
    assert [(row.defect, row.planted, row.caught) for row in found.rows] == [
        (unhealed.DEFECT, 1, 1)
    ]
    assert found.false == ()
    assert platform.whole().whole, platform.whole().missing
