"""What is held of a run's times: a stretch, however long it was; and whatever a ledger says of them."""

from __future__ import annotations

import tracemalloc

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core import run_times, schedule
from harness.core.arrivals import Arrivals
from harness.core.due import DUE, DueInTime
from harness.core.in_time import ARRIVAL, LEAST_NS, MOST_NS, InTime, Timed
from harness.core.measures import Measures
from harness.core.operation import Workload
from harness.core.run_times import RunTimes
from harness.core.schedule import Planned, Shape, arrivals_ns, canary_ns
from harness.core.windows import BIN_NS
from tests.core import simulate
from tests.core.judged_runs import run
from tests.core.portioned import InLists, in_portions
from tests.core.test_portions import told

GARBAGE = st.one_of(
    st.integers(LEAST_NS, MOST_NS - 1), st.integers(0, 9).map(lambda n: n * BIN_NS),
    st.sampled_from([LEAST_NS, LEAST_NS + 1, -1, 0, MOST_NS - 1]),
)  # fmt: skip


def good(at: npt.NDArray) -> Arrivals:
    yes = np.ones(len(at), np.bool_)
    return Arrivals(yes.view(np.uint8), ~yes, at, at, yes, yes, at, ~yes)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.lists(GARBAGE, max_size=12), st.booleans(), GARBAGE, GARBAGE)
def test_an_instant_that_no_clock_ever_told_is_in_its_place_too(
    instants: list[int], held: bool, begin: int, end: int
) -> None:
    at = np.array(instants, dtype=np.int64)
    times = InTime(BIN_NS, 3, None if held else InLists(ARRIVAL))
    due = DueInTime(BIN_NS, 3, None if held else InLists(DUE))
    for part in (at[::2], at[1::2]):
        times.add(good(part))
        due.add(1, part)
    inside = sorted(n for n in instants if begin <= n < end)
    assert times.of(1).within(begin, end).intended_ns.tolist() == inside
    assert due.of(1).within(begin, end).tolist() == inside
    assert times.of(1).count(begin, end) == due.of(1).count(begin, end) == len(inside)
    assert times.of(1).served(begin, end).tolist() == inside
    assert times.of(1).served_after(begin) == min((n for n in instants if n > begin), default=None)
    assert times.of(1).served_before(end) == max((n for n in instants if n < end), default=None)


RAMP = Shape("ramp", ((0.0, 1.0), (3.0, 4.0), (11.5, 0.25)))


@settings(max_examples=80, deadline=None, derandomize=True)
@given(
    st.sampled_from([0.0, 0.03, 1.7, 40.0, 900.0]), st.sampled_from([0.0, 0.2, 3.0]),
    st.sampled_from([-1.0, 0.0, 0.0004, 2.5, 13.77]), st.integers(0, 9), st.sampled_from([3, 64, 1000]),
)  # fmt: skip
def test_a_planned_schedule_is_the_schedule_some_at_a_time(
    rate: float, canary: float, until_s: float, seed: int, steps: int
) -> None:
    plan = Planned(rate, canary, RAMP, until_s, seed, 2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(schedule, "_STEPS_AT_ONCE", steps)
        patch.setattr(schedule, "_CANARIES_S", 1 + steps % 4)
        parts, few = list(plan.arrivals_ns()), list(plan.canaries_ns())
        whole = arrivals_ns(
            rate_per_s=rate, shape=RAMP, until_s=until_s, seed=seed, workload_code=2
        )
    assert [at for part in parts for at in part.tolist()] == whole.tolist()
    wanted = canary_ns(rate_per_s=canary, until_s=until_s, workload_code=2)
    assert [at for part in few for at in part.tolist()] == wanted.tolist()


@pytest.mark.parametrize("at_once", [1, 90, 10**7])
def test_a_run_is_judged_the_same_by_stretches_of_any_length(
    monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    plan, evidence = simulate.evidence(outage_s=4.0, after_s=12.0)
    whole = told(plan, evidence)
    monkeypatch.setattr(run_times, "AT_ONCE", at_once)
    assert told(plan, evidence) == whole
    assert told(plan, in_portions(evidence, 40)) == whole


class Nowhere:
    """What is set aside here is forgotten."""

    def add(self, rows: npt.NDArray, stretch: npt.NDArray) -> None:
        assert len(rows) == len(stretch)


def test_what_is_held_of_an_hour_does_not_grow_with_its_arrivals() -> None:
    held = []
    for portions in (4, 32):
        tracemalloc.start()
        times = InTime(64 * BIN_NS, 0, Nowhere())  # type: ignore[arg-type]
        every = 3600 * BIN_NS // (portions * 4096)
        for n in range(portions):
            times.add(good((np.arange(4096) + n * 4096) * every))
        held.append(tracemalloc.get_traced_memory()[0])
        tracemalloc.stop()
        assert len(times.of(1)) == portions * 4096
    assert held[1] - held[0] < 28 * 4096  # not even one of the other portions


def test_few_stretches_are_kept_as_they_were_read() -> None:
    reads: list[int] = []

    class Counted(InLists):
        def of(self, stretch: int) -> npt.NDArray:
            reads.append(stretch)
            return super().of(stretch)

    times = InTime(1, 0, Counted(ARRIVAL))
    times.add(good(np.arange(9)))
    of = times.of(1)
    for _ in range(3):
        assert of.served(2, 5).tolist() == [2, 3, 4]
    assert len(reads) == 3
    assert [len(part) for part in of.parts()] == [1] * 9
    assert of.served(0, 1).tolist() == [0]
    assert len(reads) == 3 + 9 + 1


def test_a_run_is_timed_once_and_by_its_own_workload() -> None:
    plan, evidence = run()
    measures = Measures(plan, evidence)
    assert measures.times is measures.times
    of = measures.times.arrivals(Workload.ORDER_CAPTURE)
    every = sum(len(part) for part in measures.times.parts(LEAST_NS, MOST_NS))
    assert len(of) == every > 0
    assert len(RunTimes(plan, evidence, []).arrivals(Workload.FINANCE)) == 0
    assert len(Timed.of(Arrivals.nothing())) == 0
