"""The schedule is made a stretch at a time, and is to the nanosecond the one made at once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core import schedule
from harness.core.schedule import Shape, arrivals_ns

STEADY = Shape("steady", ((0.0, 1.0),))


def at_once(*, rate_per_s: float, shape: Shape, until_s: float, seed: int, workload_code: int):
    """As it was first written: the whole integral, then the whole inversion."""
    knots = np.array([p[0] for p in shape.points if p[0] < until_s] + [until_s])
    grid = np.unique(np.concatenate([np.arange(0.0, until_s, 0.001), knots]))
    rate = rate_per_s * shape.at(grid)
    total = np.concatenate([[0.0], np.cumsum((rate[1:] + rate[:-1]) / 2 * np.diff(grid))])
    count = int(np.floor(total[-1]))
    random = np.random.Generator(np.random.PCG64([seed, workload_code]))
    due = np.arange(count) + random.random(count)
    return np.sort(np.floor(np.interp(due, total, grid) * 1e9).astype(np.int64))


shapes = st.lists(
    st.tuples(st.floats(0.001, 30.0), st.floats(0.05, 4.0)), max_size=5, unique_by=lambda p: p[0]
).map(lambda more: Shape("any", ((0.0, 1.0), *sorted(more))))


@settings(max_examples=150, deadline=None)
@given(
    rate=st.floats(0.01, 2000.0), shape=shapes, until_s=st.floats(0.0004, 40.0),
    seed=st.integers(0, 2**31), steps=st.sampled_from([1, 2, 7, 100, 1000, 1 << 17]),
)  # fmt: skip
def test_wherever_it_is_cut_it_is_the_same_schedule(rate, shape, until_s, seed, steps) -> None:
    if until_s / 0.001 / steps > 3000:
        steps = 100
    asked = {
        "rate_per_s": rate, "shape": shape, "until_s": until_s, "seed": seed, "workload_code": 3,
    }  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(schedule, "_STEPS_AT_ONCE", steps)
        found = arrivals_ns(**asked)
    assert found.dtype == np.int64
    assert np.array_equal(found, at_once(**asked))


@pytest.mark.parametrize("until_s", [1.0, 0.3, 131.072, 262.144, 131.0720001, 400.0, 1000.0])
@pytest.mark.parametrize("rate", [1 / 3, 10.0, 997.0])
def test_round_ends_and_the_real_stretch(until_s: float, rate: float) -> None:
    asked = {"rate_per_s": rate, "shape": STEADY, "until_s": until_s, "seed": 7, "workload_code": 1}
    assert np.array_equal(arrivals_ns(**asked), at_once(**asked))


def test_a_flash_sale_over_many_stretches() -> None:
    flash = Shape("flash", ((0.0, 1.0), (300.0, 1.0), (301.5, 9.0), (420.0, 9.0), (450.0, 0.7)))
    asked = {"rate_per_s": 60.0, "shape": flash, "until_s": 700.25, "seed": 11, "workload_code": 2}
    assert np.array_equal(arrivals_ns(**asked), at_once(**asked))
