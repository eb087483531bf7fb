"""What evidence tells of a run that is held, and of one that is stored or whose schedule is planned."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from harness.core.due import DUE
from harness.core.evidence import Evidence, ReadBack
from harness.core.in_time import ARRIVAL
from harness.core.operation import Kind, Workload
from harness.core.schedule import Planned, Shape, arrivals_ns, canary_ns
from tests.core import simulate
from tests.core.portioned import InLists, in_portions

ORDERS, TILLS, FINANCE = Workload.ORDER_CAPTURE, Workload.POINT_OF_SALE, Workload.FINANCE
STEADY = Shape("steady", ((0.0, 1.0),))


@pytest.fixture(scope="module")
def held() -> Evidence:
    return simulate.evidence(outage_s=4.0, after_s=12.0)[1]


@pytest.mark.parametrize("keys", [None, 60])
def test_the_reports_of_a_run_are_its_reports(held: Evidence, keys: int | None) -> None:
    found = (held if keys is None else in_portions(held, keys)).reports
    every = held.operations
    assert found.seq.tolist() == every.seq[every.kind == Kind.REPORT].tolist()
    assert len(found) > 3
    assert set(found.kind.tolist()) == {Kind.REPORT}


def test_what_is_held_is_one_portion_and_what_is_stored_is_as_many_as_it_says(
    held: Evidence,
) -> None:
    assert held.count == 1
    (portion,) = held.portions()
    assert portion.calls is portion.chains
    assert portion.calls is held.operations
    assert set(portion.found) == set(held.looks) == {"first", "second"}
    stored = in_portions(held, 60)
    assert stored.stored is not None
    assert stored.count == len(stored.stored) == len(list(stored.portions())) > 3
    for number in (0, 2):
        assert stored.portion(number).calls.seq.tolist() == (
            stored.stored.portion(number).calls.seq.tolist()
        )


@pytest.mark.parametrize("dtype", [DUE, ARRIVAL])
def test_rows_are_set_aside_only_where_a_run_is_too_long_to_be_held(
    held: Evidence, dtype: np.dtype
) -> None:
    assert held.aside(dtype) is None
    room = in_portions(held, 60).aside(dtype)
    assert isinstance(room, InLists)
    room.add(np.zeros(2, dtype=dtype), np.array([7, 7]))
    assert len(room.of(7)) == 2


def test_the_looks_are_those_that_were_taken_by_their_own_names(held: Evidence) -> None:
    first = held.first
    assert isinstance(first, ReadBack)
    seen = replace(held, second=None, restored=replace(first, name="restored"))
    assert {name: look.name for name, look in seen.looks.items()} == {
        "first": "first", "restored": "restored",
    }  # fmt: skip
    assert replace(seen, first=None, restored=None).looks == {}


def test_a_schedule_is_what_is_at_hand_or_what_was_planned_or_nothing(held: Evidence) -> None:
    at_hand = {ORDERS: np.array([5, 9]), TILLS: np.array([], dtype=np.int64)}
    canaries = {ORDERS: np.array([7])}
    planned = {
        w: Planned(3.0, 2.0, STEADY, 20.0, seed=4, workload_code=w.code) for w in (ORDERS, FINANCE)
    }
    seen = replace(held, arrivals_ns=at_hand, canaries_ns=canaries, planned=planned)

    def due(workload: Workload, *, of_canaries: bool) -> list[int]:
        parts = seen.due(workload, canaries=of_canaries)
        return [int(d) for part in parts for d in part]

    assert due(ORDERS, of_canaries=False) == [5, 9]
    assert due(ORDERS, of_canaries=True) == [7]
    assert due(TILLS, of_canaries=False) == due(TILLS, of_canaries=True) == []
    assert due(FINANCE, of_canaries=False) == arrivals_ns(
        rate_per_s=3.0, shape=STEADY, until_s=20.0, seed=4, workload_code=FINANCE.code
    ).tolist()  # fmt: skip
    assert due(FINANCE, of_canaries=True) == canary_ns(
        rate_per_s=2.0, until_s=20.0, workload_code=FINANCE.code
    ).tolist()  # fmt: skip
    assert len(due(FINANCE, of_canaries=False)) > len(due(FINANCE, of_canaries=True)) > 30
