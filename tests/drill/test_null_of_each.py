"""Nothing is done, and the effect of each scenario is looked for all the same: none is seen.

As a null drill asks it, without the load: that a drill then ends as invalid, and begins no
runbook, is the same for all. test_ransomware.py shows it, and the selftest does.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.attack.leaked import folder_of
from harness.core.evidence import Use
from harness.evidence import layout
from harness.evidence.lines import read_lines
from harness.faults.experiment import find_experiment
from harness.faults.injection import injection
from harness.platforms.embedded import EmbeddedPlatform
from tests.conftest import missing_in_the_end

pytestmark = [pytest.mark.platform, pytest.mark.timeout(300)]


@pytest.mark.parametrize(
    ("fault", "where"),
    [
        ("logical-corruption", {}),
        ("archive-gap", {}),
        ("page-corruption", {"node": "primary", "table": "product_template"}),
        ("credential-compromise", {}),
        ("ransomware", {}),
    ],
)
def test_null_the_check_sees_no_effect_on_a_whole_platform(
    platform: EmbeddedPlatform, tmp_path: Path, fault: str, where: dict[str, str]
) -> None:
    run = tmp_path / "r1"
    run.mkdir()
    with injection(find_experiment("null"), {"fault": fault, **where}, platform, run) as null:
        null.inject()
        assert not null.await_effect(within_s=60)
        assert f"no {fault} was seen" in null.why
    assert read_lines(run / layout.USES, Use) == ()
    assert not folder_of(platform.directory).exists()
    assert list((platform.directory / "undo").glob("*.json")) == []
    assert missing_in_the_end(platform) == ()
