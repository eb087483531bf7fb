"""The injection's states, over every sequence of marks."""

from __future__ import annotations

import doctest
from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from harness.core.timeline import Mark, MarkName, Timeline
from harness.faults import state as module
from harness.faults.state import FAULT_MARKS, TRANSITIONS, State, advance, state_of

ORDER = [
    MarkName.FAULT_ARMED,
    MarkName.FAULT_ACTIVE,
    MarkName.FAULT_RELEASED,
    MarkName.FAULT_HEALED,
]


def _after(marks: tuple[MarkName, ...]) -> State:
    return state_of(Timeline(tuple(Mark(name, 0, 0) for name in marks)))


def test_the_one_good_path() -> None:
    assert [_after(tuple(ORDER[:n])) for n in range(5)] == [
        State.IDLE, State.ARMED, State.ACTIVE, State.RELEASED, State.HEALED,
    ]  # fmt: skip


def test_every_short_sequence_is_a_prefix_of_the_good_path_or_spoiled() -> None:
    for length in range(6):
        for marks in product(sorted(FAULT_MARKS), repeat=length):
            is_prefix = list(marks) == ORDER[:length]
            assert (_after(marks) is not State.SPOILED) == is_prefix, marks


@given(st.lists(st.sampled_from(sorted(MarkName)), max_size=30))
def test_no_state_is_reached_without_the_ones_before_it(marks: list[MarkName]) -> None:
    fault_marks = [m for m in marks if m in FAULT_MARKS]
    state = _after(tuple(marks))
    if state is State.ACTIVE:
        assert fault_marks == ORDER[:2]
    if state is State.HEALED:
        assert fault_marks == ORDER


@given(st.sampled_from(sorted(MarkName)))
def test_spoiled_is_for_good(mark: MarkName) -> None:
    assert advance(State.SPOILED, mark) is State.SPOILED


def test_the_table_leads_into_no_state_twice() -> None:
    assert len(set(TRANSITIONS.values())) == len(TRANSITIONS)
    assert State.SPOILED not in TRANSITIONS.values()  # it is the default, not an entry


def test_the_examples_hold() -> None:
    found = doctest.testmod(module)
    assert (found.attempted > 0, found.failed) == (True, 0)
