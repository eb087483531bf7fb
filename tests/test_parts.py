"""Every test is in one part of the suite, and CI, which runs the parts one by one, runs them all."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from tests.conftest import HALVES, part_of

ROOT = Path(__file__).resolve().parent.parent
MARKERS = ("platform", "drill", "alone", "browser")
BEARERS = [set(b) for n in range(len(MARKERS) + 1) for b in itertools.combinations(MARKERS, n)]


def part(bears: set[str]) -> str:
    item = SimpleNamespace(get_closest_marker=lambda name: name if name in bears else None)
    return part_of(cast("pytest.Item", item))


@pytest.mark.parametrize("bears", BEARERS, ids=lambda b: "+".join(sorted(b)) or "none")
def test_a_test_is_in_one_half_and_in_one_part_of_it(bears: set[str]) -> None:
    mine = part(bears)
    assert [half for half in ("shared", "alone") if mine in HALVES[half]] == [
        "alone" if bears & {"platform", "alone"} else "shared"
    ]
    assert [half for half in ("shared", "patient", "timed") if mine in HALVES[half]] == [mine]


def test_whatever_trades_or_times_on_a_platform_has_the_machine_to_itself() -> None:
    assert part({"platform"}) == "patient"
    for bears in ({"platform", "drill"}, {"platform", "alone"}, {"alone"}):
        assert part(bears) == "timed"


def test_ci_runs_each_part_of_make_test_once() -> None:
    makefile = (ROOT / "Makefile").read_text()
    (before, recipe) = re.findall(r"^test: (.*?)  ##.*\n\t(.*)", makefile, re.MULTILINE)[0]
    whole = [*before.split(), *re.findall(r"\$\(MAKE\) (\S+)", recipe)]
    halves = {f"test-{half}": [f"test-{p}" for p in parts] for half, parts in HALVES.items()}
    wanted = [part for word in whole for part in halves.get(word, [word])]
    with_clusters = (ROOT / ".ci" / "run").read_text().partition("trap nothing_left EXIT")
    assert with_clusters[1]
    said = re.findall(r"\bmake ([a-z\- ]+)", with_clusters[2])
    made = [word for words in said for word in words.split()]
    assert sorted(w for w in made if w in wanted) == sorted(w for w in wanted if w in made)
    assert set(wanted) - set(made) == {"install-dev"}, "installed before anything else"
    assert {"test-clusters-ci", "test-clusters-drills"} <= set(made)
