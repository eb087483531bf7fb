"""A loss that makes no cell is said beside the answer, whatever the cells come to."""

from __future__ import annotations

import pytest

from harness.core.operation import Workload
from harness.core.readiness.cells import Claim
from harness.core.readiness.standing import State
from harness.core.verdict import Verdict
from tests.readiness.readiness_samples import (
    SEASON,
    found,
    lost,
    part,
    run,
    scenario,
    slow,
    targets,
)

READY_NOW = "2027-11-20T12:00:00Z"
CLEAN = run("2027-11-19T10:00:00Z")
BEFORE = "2027-11-18T10:00:00Z"
SAID = "Beside it, a run of 2027.9.0 lost or damaged acknowledged records"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"configuration": "b" * 64}, "another configuration"),
        ({"tenant": "north"}, "tenant north"),
        ({"fault": "null"}, "another experiment, null"),
        ({"name": "retired"}, "there is no such scenario any more"),
    ],
)
def test_a_loss_of_the_release_outside_the_matrix_is_said(changes: dict, why: str) -> None:
    lossy = run(BEFORE, lost(), **changes)
    made = found([lossy, CLEAN], now=READY_NOW)
    assert made.verdict is Verdict.MET
    assert made.answer.startswith(f"Ready for {SEASON.name}")
    assert SAID in made.answer
    (note,) = [note for note in made.notes if lossy.run_id in note]
    assert note.endswith(
        f"order-capture) lost or damaged acknowledged records, and makes no cell: {why}."
    )


def test_a_workload_that_the_targets_name_no_more_hides_no_loss() -> None:
    few = Claim(scenario(), targets([Workload.POINT_OF_SALE]))
    made = found([run(BEFORE, lost()), CLEAN], [few], now=READY_NOW)
    assert SAID in made.answer
    assert any("the season counts no such loss" in note for note in made.notes)


def test_a_loss_across_the_stores_counts_as_one() -> None:
    across = run(
        BEFORE, proven_loss=True, configuration="b" * 64, verdict=Verdict.MISSED,
        checks=(("stores-agree", Verdict.MISSED), ("recovery", Verdict.MET)),
    )  # fmt: skip
    assert SAID in found([across, CLEAN], now=READY_NOW).answer


def test_what_stands_in_a_cell_is_not_said_twice() -> None:
    made = found([run(BEFORE, lost()), CLEAN], now=READY_NOW)
    assert made.count(State.MISSED) == 1
    assert "Beside it" not in made.answer


@pytest.mark.parametrize(
    "other",
    [
        run(BEFORE, lost(), release="2027.8.0", configuration="b" * 64),  # another release's
        run(BEFORE, slow(), configuration="b" * 64),  # late, and nothing lost
        run(BEFORE, part(lost=2), configuration="b" * 64),  # as its limits allow
    ],
)
def test_nothing_else_is_a_loss_of_the_release(other) -> None:
    assert "Beside it" not in found([other, CLEAN], now=READY_NOW).answer
