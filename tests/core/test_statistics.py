"""What runs can claim, against the binomial itself."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from harness.core.statistics import (
    clean_runs_claim,
    clean_runs_needed,
    clopper_pearson,
    rule_of_three,
)


@pytest.mark.parametrize(("quantile", "runs"), [(0.90, 29), (0.95, 59), (0.99, 299)])
def test_runs_needed_are_enough_and_one_fewer_is_not(quantile: float, runs: int) -> None:
    assert clean_runs_needed(quantile) == runs
    assert clean_runs_claim(runs) >= quantile > clean_runs_claim(runs - 1)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(1, 200), st.data())
def test_the_bounds_are_where_the_binomial_says(runs: int, data: st.DataObject) -> None:
    misses = data.draw(st.integers(0, runs))
    low, high = clopper_pearson(misses, runs)
    assert 0 <= low <= misses / runs <= high <= 1
    if misses:
        assert binom.sf(misses - 1, runs, low) == pytest.approx(0.025)
    if misses < runs:
        assert binom.cdf(misses, runs, high) == pytest.approx(0.025)


def test_the_rule_of_three_bounds_what_was_never_seen() -> None:
    for trials in (100, 1000, 10_000):
        assert (1 - rule_of_three(trials)) ** trials < 0.05
    assert rule_of_three(0) == rule_of_three(2) == 1.0


def test_nothing_claims_nothing() -> None:
    assert clean_runs_claim(0) == 0.0
    with pytest.raises(ValueError, match="between 0 and 1"):
        clean_runs_needed(1.0)
    with pytest.raises(ValueError, match="3 misses in 2 runs"):
        clopper_pearson(3, 2)
