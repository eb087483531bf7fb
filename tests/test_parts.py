"""Every test is in one half of the suite, and CI runs what everybody runs."""

from __future__ import annotations

import itertools
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from tests.conftest import wants_the_machine

ROOT = Path(__file__).resolve().parent.parent
MARKERS = ("platform", "drill", "alone", "browser")
BEARERS = [set(b) for n in range(len(MARKERS) + 1) for b in itertools.combinations(MARKERS, n)]


@pytest.mark.parametrize("bears", BEARERS, ids=lambda b: "+".join(sorted(b)) or "none")
def test_whatever_breaks_a_platform_or_times_has_the_machine_to_itself(bears: set[str]) -> None:
    item = SimpleNamespace(get_closest_marker=lambda name: name if name in bears else None)
    alone = wants_the_machine(cast("pytest.Item", item))
    assert alone == bool(bears & {"platform", "alone"})


def test_ci_runs_make_test_and_the_clusters() -> None:
    with_clusters = (ROOT / ".ci" / "run").read_text().partition("trap clusters_down EXIT")[2]
    assert "make test ||" in with_clusters
    assert "make test-clusters-ci ||" in with_clusters
