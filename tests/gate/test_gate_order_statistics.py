"""Bounds on a quantile: by enumeration of every sample of small distributions, nothing shared."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core.order_statistics import (
    lower_error,
    lower_rank,
    ranked,
    sample_quantile,
    upper_error,
    upper_rank,
)


def by_hand(runs: int, quantile: float, at_least: int) -> float:
    """P(at least so many of the runs lie below the quantile), summed term by term."""
    q = quantile
    terms = (math.comb(runs, k) * q**k * (1 - q) ** (runs - k) for k in range(at_least, runs + 1))
    return math.fsum(terms)


@pytest.mark.parametrize("quantile", [0.5, 0.8, 0.95])
@pytest.mark.parametrize("runs", [1, 5, 14, 33])
def test_errors_are_the_binomial_s(runs: int, quantile: float) -> None:
    for rank in range(1, runs + 1):
        assert upper_error(runs, quantile, rank) == pytest.approx(by_hand(runs, quantile, rank))
        below = 1 - by_hand(runs, quantile, rank)
        assert lower_error(runs, quantile, rank) == pytest.approx(below, abs=1e-12)


@settings(max_examples=80, deadline=None, derandomize=True)
@given(st.integers(1, 120), st.floats(0.05, 0.99), st.floats(0.001, 0.3))
def test_ranks_are_the_tightest_that_hold(runs: int, quantile: float, error: float) -> None:
    holding_up = [r for r in range(1, runs + 1) if by_hand(runs, quantile, r) <= error]
    holding_down = [r for r in range(1, runs + 1) if 1 - by_hand(runs, quantile, r) <= error]
    assert upper_rank(runs, quantile, error) == min(holding_up, default=None)
    assert lower_rank(runs, quantile, error) == max(holding_down, default=None)


DISTRIBUTIONS = {
    "two values, the quantile at the edge": {5.0: Fraction(4, 5), 25.0: Fraction(1, 5)},
    "two values, the slow one too often": {5.0: Fraction(3, 5), 25.0: Fraction(2, 5)},
    "some never come back": {5.0: Fraction(3, 4), math.inf: Fraction(1, 4)},
    "three values": {1.0: Fraction(1, 2), 2.0: Fraction(3, 10), 9.0: Fraction(1, 5)},
}


@pytest.mark.parametrize("law", DISTRIBUTIONS.values(), ids=DISTRIBUTIONS.keys())
@pytest.mark.parametrize("quantile", [0.5, 0.8])
def test_every_sample_enumerated_errs_no_more_than_stated(law, quantile: float) -> None:
    """All |values|^n samples, with their exact chances: ties, gaps and infinity included."""
    runs, error = 7, 0.25
    cumulative = itertools.accumulate(law.values())
    truth = next(v for v, c in zip(law, cumulative, strict=True) if c >= Fraction(str(quantile)))
    up, down = upper_rank(runs, quantile, error), lower_rank(runs, quantile, error)
    assert up is not None
    assert down is not None
    too_low = too_high = Fraction(0)
    for sample in itertools.product(law, repeat=runs):
        chance = math.prod((law[value] for value in sample), start=Fraction(1))
        too_low += chance * (ranked(sample, up, without=math.inf) < truth)
        too_high += chance * (ranked(sample, down, without=0.0) > truth)
    assert too_low <= upper_error(runs, quantile, up) + 1e-12 <= error + 1e-12
    assert too_high <= lower_error(runs, quantile, down) + 1e-12 <= error + 1e-12
    assert too_low + too_high > 0, "the enumeration reaches the edge"


def test_a_sample_s_own_quantile_is_numpy_s_inverse_of_the_empirical_law() -> None:
    values = np.random.default_rng(7).lognormal(size=41)
    for quantile in (0.1, 0.5, 0.8, 0.99):
        expected = np.quantile(values, quantile, method="inverted_cdf")
        assert sample_quantile(list(values), quantile) == expected


def test_nothing_bounds_nothing() -> None:
    assert upper_rank(0, 0.5, 0.5) is None
    assert lower_rank(0, 0.5, 0.5) is None
    assert ranked((), None, without=math.inf) == math.inf
