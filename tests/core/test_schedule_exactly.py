"""The open-loop schedule against its own definition: arrival n lies where the integral is in [n, n + 1)."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core.operation import Workload
from harness.core.schedule import Shape, arrivals_ns, canary_ns

S = 10**9
FLAT = Shape("flat", ((0.0, 1.0),))
RAMP = Shape("ramp", ((0.0, 0.5), (4.0, 2.5), (6.0, 1.0)))


def integral(shape: Shape, until_s: float) -> float:
    """Of the multiplier, trapezoid by trapezoid between its own points."""
    knots = [p[0] for p in shape.points if p[0] < until_s] + [until_s]
    heights = shape.at(np.array(knots))
    return float(np.trapezoid(heights, knots))


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from([FLAT, RAMP]), st.floats(0.5, 60), st.floats(0.5, 12), st.integers(0, 2**32),
    st.integers(1, 6),
)  # fmt: skip
def test_every_arrival_is_due_in_its_own_unit_of_the_integral(
    shape: Shape, rate: float, until_s: float, seed: int, code: int
) -> None:
    due = arrivals_ns(rate_per_s=rate, shape=shape, until_s=until_s, seed=seed, workload_code=code)
    assert len(due) == pytest.approx(rate * integral(shape, until_s), abs=1.001)
    assert len(due) <= rate * integral(shape, until_s) + 1e-6
    assert ((due >= 0) & (due <= until_s * S)).all()
    for n, at_ns in enumerate(due[:40].tolist()):
        assert n - 0.01 <= rate * integral(shape, max(at_ns / S, 1e-12)) < n + 1.01


def test_two_workloads_and_two_seeds_are_not_in_step() -> None:
    def due(seed: int, code: int) -> list[int]:
        return arrivals_ns(
            rate_per_s=10, shape=FLAT, until_s=5, seed=seed, workload_code=code
        ).tolist()

    assert due(1, 1) == due(1, 1)
    assert due(1, 1) != due(2, 1)
    assert due(1, 1) != due(1, 2)
    assert len(due(1, 1)) in {49, 50}  # the last one is due at the very end


@pytest.mark.parametrize(("rate", "until_s"), [(0, 5), (-1, 5), (5, 0), (5, -1), (0, 0)])
def test_nothing_is_due_without_a_rate_or_a_time(rate: float, until_s: float) -> None:
    due = arrivals_ns(rate_per_s=rate, shape=RAMP, until_s=until_s, seed=1, workload_code=1)
    canary = canary_ns(rate_per_s=rate, until_s=until_s, workload_code=1)
    for none in (due, canary):
        assert none.tolist() == []
        assert none.dtype == np.int64


@pytest.mark.parametrize("workload", list(Workload))
def test_a_canary_stands_on_a_grid_of_its_own(workload: Workload) -> None:
    due = canary_ns(rate_per_s=4.0, until_s=3.0, workload_code=workload.code)
    assert due[0] == S // 4 * workload.code // 8
    assert set(np.diff(due).tolist()) == {S // 4}
    assert due[-1] < 3 * S <= due[-1] + S // 4
