"""The schedule that the live view holds: the same as the whole, and no longer than the view."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from harness.core.schedule import arrivals_ns, canary_ns, stretches_ns
from harness.watching.live import _Ahead
from tests.core import simulate

PLAN = simulate.plan_of()
TARGET = PLAN.targets.workloads[0]
CODE, S = TARGET.workload.code, 10**9
RATE = TARGET.rate_per_s * PLAN.peak
LONG_S = 900.0


def whole() -> np.ndarray:
    due = arrivals_ns(
        rate_per_s=RATE, shape=PLAN.shape, until_s=LONG_S, seed=PLAN.seed, workload_code=CODE
    )
    canaries = canary_ns(rate_per_s=TARGET.canary_per_s, until_s=LONG_S, workload_code=CODE)
    return np.sort(np.concatenate([due, canaries]))


WHOLE = whole()


@given(st.lists(st.integers(0, 700), min_size=1, max_size=8), st.integers(1, 120))
def test_what_is_in_view_is_what_the_whole_schedule_says(looks: list[int], kept: int) -> None:
    ahead = _Ahead.of(PLAN, TARGET)
    for now in sorted(looks):
        since, until = (now - kept) * S, (now + 60) * S
        found = ahead.within(since, until)
        seen = found[(found >= since) & (found < until)]
        assert np.array_equal(seen, WHOLE[(since <= WHOLE) & (until > WHOLE)])
        assert found[0] >= since if len(found) else True


def test_a_long_load_holds_no_more_than_a_short_one() -> None:
    ahead = _Ahead.of(PLAN, TARGET)
    held = [len(ahead.within((now - 40) * S, (now + 60) * S)) for now in range(100, 20_000, 400)]
    assert max(held) < 10 * min(held)


@given(st.floats(0.1, 50), st.integers(0, 300), st.integers(1, 8))
def test_a_canary_s_later_grid_is_the_end_of_the_whole(rate: float, since: int, code: int) -> None:
    asked = {"rate_per_s": rate, "until_s": 301.0, "workload_code": code}
    every = canary_ns(**asked)
    assert np.array_equal(canary_ns(**asked, since_s=since), every[every >= since * S])


def test_stretches_are_the_whole_but_for_its_end() -> None:
    asked = {"rate_per_s": 30.0, "shape": PLAN.shape, "until_s": 400.0, "seed": 5}
    parts = list(stretches_ns(**asked, workload_code=1))
    assert len(parts) > 1
    every = arrivals_ns(**asked, workload_code=1)
    together = np.concatenate(parts)
    assert 0 <= len(together) - len(every) <= 1
    assert np.array_equal(np.sort(together)[: len(every)], every)
    assert list(stretches_ns(**{**asked, "rate_per_s": 0.0}, workload_code=1)) == []
