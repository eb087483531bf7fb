"""A clock that is told to be skewed, and an undo that is kept from its node: planted, and let go."""

from __future__ import annotations

import doctest
import random
import time
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness.core.plan import PlatformFacts
from harness.core.selftest import caught_by, unfit
from harness.core.timeline import Mark, MarkName
from harness.core.verdict import Verdict
from harness.errors import FaultError
from harness.evidence import events, layout
from harness.evidence.check import check
from harness.faults import journal
from harness.progress import Silent
from harness.selftest import conduct, skewed, unhealed
from harness.session import Order
from tests.core.simulate import FACTS, Defects
from tests.evidence.stored_run import store


@dataclass
class Standing:
    """A platform that is whole, and has nothing broken."""

    directory: Path
    disposable: bool = True
    nodes: object = "some"

    def facts(self) -> PlatformFacts:
        return replace(FACTS, disposable=self.disposable)

    def whole(self) -> SimpleNamespace:
        return SimpleNamespace(whole=True, missing=())


def test_examples() -> None:
    assert doctest.testmod(skewed).failed == 0
    assert doctest.testmod(skewed).attempted


def test_even_clocks_change_nothing_and_a_fast_one_makes_the_run_invalid(tmp_path: Path) -> None:
    run = store(tmp_path / "runs")
    own = check(run).judgement
    even = skewed.judged_elsewhere(run, tmp_path / "even", too_fast=False)
    fast = skewed.judged_elsewhere(run, tmp_path / "fast", too_fast=True)
    assert own.verdict is even.verdict is Verdict.MET
    assert [w.rpo for w in even.workloads] == [w.rpo for w in own.workloads]
    assert unfit(even) == ()
    assert fast.verdict is Verdict.INVALID
    assert caught_by(fast, skewed.CONDITION)


def test_the_row_of_the_clock_is_caught_and_nothing_is_falsely_reported(tmp_path: Path) -> None:
    store(tmp_path, "20261122T030000Z0001", defects=Defects(lost=2))  # missed, whatever its clocks
    store(tmp_path, "20261122T030000Z0002", null=True)
    bench = conduct.Bench(None, Order("node-loss"), tmp_path, Silent(), random.Random(1))  # type: ignore[arg-type]
    found = conduct.in_clock(bench)
    assert [(row.defect, row.planted, row.caught) for row in found.rows] == [("skewed-clock", 1, 1)]
    assert found.false == ()


def test_where_no_run_stands_nothing_was_planted(tmp_path: Path) -> None:
    store(tmp_path, defects=Defects(lost=2))
    bench = conduct.Bench(None, Order("node-loss"), tmp_path, Silent(), random.Random(1))  # type: ignore[arg-type]
    found = conduct.in_clock(bench)
    assert [(row.planted, row.caught) for row in found.rows] == [(0, 0)]
    assert not found.trusted


def test_nothing_can_be_undone_until_the_run_is_over(tmp_path: Path) -> None:
    run, home = tmp_path / "run", tmp_path / "home"
    run.mkdir()
    home.mkdir()
    with unhealed.kept_from_healing(Standing(home), run) as why:  # type: ignore[arg-type]
        with journal.locked(home, within_s=5):
            """Before the effect whoever wants to may break and mend."""
        events.append(run / layout.EVENTS, Mark(MarkName.FAULT_ACTIVE, 1, 2, ""))
        assert _held_before_long(home)
    assert why == []
    with journal.locked(home, within_s=5):
        """Afterwards again."""


def _held_before_long(home: Path, within_s: float = 10.0) -> bool:
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        try:
            with journal.locked(home, within_s=0):
                """Not yet: it is asked for once the mark was seen."""
        except FaultError:
            return True
        time.sleep(0.3)
    return False


def test_a_fault_that_never_took_effect_was_not_planted(tmp_path: Path) -> None:
    with unhealed.kept_from_healing(Standing(tmp_path), tmp_path) as why:  # type: ignore[arg-type]
        pass
    assert why == ["the fault never took effect"]


def test_a_node_that_does_not_come_back_is_told_and_not_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unhealed, "_WHOLE_S", 0.0)
    standing = Standing(tmp_path)
    lacking = SimpleNamespace(whole=False, missing=("node b does not stream",))
    monkeypatch.setattr(Standing, "whole", lambda _: lacking)
    with pytest.raises(FaultError, match="node b does not stream"):
        unhealed.mend(standing)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("platform", "told"),
    [
        (Standing(Path(), nodes=None), "skipped: the platform lacks nodes"),
        (Standing(Path(), disposable=False), "skipped: a node would be lost for real"),
        (Standing(Path()), ""),
    ],
)
def test_a_node_is_only_lost_where_that_may_be(platform: Standing, told: str) -> None:
    why = unhealed.why_not_here(platform)  # type: ignore[arg-type]
    assert why.startswith(told)
    assert bool(why) is bool(told)
    if told:
        bench = conduct.Bench(platform, Order("node-loss"), Path(), Silent(), random.Random(1))  # type: ignore[arg-type]
        (row,) = conduct.in_undo(bench).rows
        assert row.skipped
        assert row.how == why
