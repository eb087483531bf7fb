"""The test martingale: a martingale by arithmetic, and valid however one stops."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.integrate import quad

from harness.core.gate import sequential


@pytest.mark.parametrize("quantile", [0.8, 0.9, 0.95])
@pytest.mark.parametrize(("misses", "runs"), [(0, 0), (0, 9), (1, 20), (7, 30)])
def test_it_is_a_fair_game_at_the_edge_and_a_losing_one_beyond(
    misses: int, runs: int, quantile: float
) -> None:
    for rate in (1 - quantile, (1 - quantile) * 1.5, 0.9):
        now = sequential.evidence_for(misses, runs, quantile)
        after_miss = sequential.evidence_for(misses + 1, runs + 1, quantile)
        after_clean = sequential.evidence_for(misses, runs + 1, quantile)
        expected = rate * after_miss + (1 - rate) * after_clean
        if rate == 1 - quantile:
            assert expected == pytest.approx(now, rel=1e-9)
        else:
            assert expected < now
    against = sequential.evidence_against
    rate = 1 - quantile
    stays = rate * against(misses + 1, runs + 1, quantile)
    stays += (1 - rate) * against(misses, runs + 1, quantile)
    assert stays == pytest.approx(against(misses, runs, quantile), rel=1e-9)


@pytest.mark.parametrize(("misses", "runs"), [(0, 12), (2, 25), (4, 4)])
def test_it_is_the_integral_that_it_claims_to_be(misses: int, runs: int) -> None:
    def likelihood(p: float) -> float:
        return p**misses * (1 - p) ** (runs - misses) / (0.2**misses * 0.8 ** (runs - misses))

    below, above = quad(likelihood, 0, 0.2)[0] / 0.2, quad(likelihood, 0.2, 1)[0] / 0.8
    never = 0.8**-runs if misses == 0 else 0.0
    assert sequential.evidence_for(misses, runs, 0.8) == pytest.approx((never + below) / 2)
    assert sequential.evidence_against(misses, runs, 0.8) == pytest.approx(above)


@pytest.mark.parametrize("quantile", [0.8, 0.95])
def test_whoever_stops_when_it_suits_him_passes_no_more_often_than_stated(quantile: float) -> None:
    """Looked at after every one of 400 runs, at the rate at which the claim is just false."""
    rng = np.random.default_rng(5)
    trials, most = 20_000, 400
    misses = np.cumsum(rng.random((trials, most)) < 1 - quantile, axis=1)
    ever = np.zeros(trials, bool)
    refuted = np.zeros(trials, bool)
    for runs in range(1, most + 1):
        seen = np.arange(misses[:, runs - 1].max() + 1)
        passes = np.array([sequential.decided(int(m), runs, quantile, 0.95) for m in seen])
        fails = np.array([sequential.refuted(int(m), runs, quantile, 0.95) for m in seen])
        ever |= passes[misses[:, runs - 1]]
        refuted |= fails[misses[:, runs - 1]]
    allowed = 0.05 + 3 * math.sqrt(0.05 * 0.95 / trials)
    assert 0 < ever.mean() <= allowed
    assert refuted.mean() <= allowed


def test_clean_runs_decide_and_the_number_is_exact() -> None:
    needed = sequential.more_clean_runs(0, 0, 0.8, 0.95)
    assert needed == 16
    assert sequential.decided(0, 16, 0.8, 0.95)
    assert not sequential.decided(0, 15, 0.8, 0.95)
    more = sequential.more_clean_runs(1, 5, 0.8, 0.95)
    assert sequential.decided(1, 5 + more, 0.8, 0.95)
    assert not sequential.decided(1, 4 + more, 0.8, 0.95)
    assert sequential.more_clean_runs(400, 400, 0.8, 0.95) is not None
    assert sequential.evidence_for(0, 100_000, 0.8) > 1e100
    assert sequential.evidence_for(5_000, 5_000, 0.8) == 0.0
    assert sequential.evidence_against(5_000, 5_000, 0.8) > 1e100
