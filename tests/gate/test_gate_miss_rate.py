"""The absolute claim: sums by hand, every path enumerated, and looking on after a miss simulated."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from scipy.stats import binomtest

from harness.core.gate import miss_rate
from harness.core.gate.miss_rate import look_for, plan_of_looks

PLANS = [(0.8, 0.95, 14), (0.8, 0.95, 22), (0.9, 0.95, 29), (0.95, 0.95, 59), (0.5, 0.8, 3)]


def summed(misses: int, runs: int, rate: Fraction) -> float:
    """P(at most so many misses), term by term."""
    return float(
        sum(math.comb(runs, k) * rate**k * (1 - rate) ** (runs - k) for k in range(misses + 1))
    )


@pytest.mark.parametrize(("misses", "runs"), [(0, 14), (1, 14), (3, 44), (13, 14), (14, 14)])
def test_the_bounds_are_scipy_s_exact_test(misses: int, runs: int) -> None:
    less = binomtest(misses, runs, alternative="less").proportion_ci(0.95, "exact")
    greater = binomtest(misses, runs, alternative="greater").proportion_ci(0.95, "exact")
    assert miss_rate.at_most(misses, runs, 0.95) == pytest.approx(less.high)
    assert miss_rate.at_least(misses, runs, 0.95) == pytest.approx(greater.low)


@pytest.mark.parametrize("quantile", [0.8, 0.9, 0.95])
@pytest.mark.parametrize("misses", [0, 1, 2, 5])
def test_the_number_that_lacks_is_exact(misses: int, quantile: float) -> None:
    more = miss_rate.more_clean_runs(misses, misses + 1, quantile, 0.95)
    assert more is not None
    runs, rate = misses + 1 + more, 1 - Fraction(str(quantile))
    assert summed(misses, runs, rate) <= 0.05 < summed(misses, runs - 1, rate)


def test_clean_runs_support_what_measurement_md_says() -> None:
    for runs in (1, 5, 14, 59):
        assert miss_rate.supported_quantile(0, runs, 0.95) == pytest.approx(0.05 ** (1 / runs))
    assert miss_rate.supported_quantile(0, 0, 0.95) == 0
    assert [miss_rate.more_clean_runs(0, 0, q, 0.95) for q in (0.9, 0.95, 0.99)] == [29, 59, 299]


def test_every_path_of_a_small_plan_is_enumerated() -> None:
    """2^n sequences of met and missed, at the rate at which the claim has just become false."""
    quantile, confidence = 0.5, 0.8
    looks = [look for look in plan_of_looks(quantile, confidence, 3) if look.runs <= 14]
    assert len(looks) > 2, "more than one look is on the way"
    passed = 0
    for path in itertools.product((0, 1), repeat=14):
        passed += any(sum(path[: look.runs]) <= look.allowed for look in looks)
    assert 0 < passed / 2**14 <= 1 - confidence


@pytest.mark.parametrize(("quantile", "confidence", "first"), PLANS)
def test_all_looks_together_err_no_more_than_stated(
    quantile: float, confidence: float, first: int
) -> None:
    """An independent account: exact fractions, path counts run by run, over the first ten looks."""
    looks = plan_of_looks(quantile, confidence, first)[:10]
    rate = 1 - Fraction(str(quantile))
    chance, passed, at = {0: Fraction(1)}, Fraction(0), {look.runs: look.allowed for look in looks}
    keep = looks[-1].allowed  # paths with more misses never pass here
    for number in range(1, looks[-1].runs + 1):
        following: dict[int, Fraction] = {}
        for misses, p in chance.items():
            following[misses] = following.get(misses, Fraction(0)) + p * (1 - rate)
            if misses < keep:
                following[misses + 1] = following.get(misses + 1, Fraction(0)) + p * rate
        chance = {m: Fraction(float(p)) for m, p in following.items()}  # short fractions
        for misses in [m for m in chance if m <= at.get(number, -1)]:
            passed += chance.pop(misses)
    assert 0.5 * (1 - confidence) < passed <= 1 - confidence
    assert looks[0].runs == max(first, miss_rate.more_clean_runs(0, 0, quantile, confidence) or 0)


def test_clopper_pearson_after_every_run_would_not_hold_and_the_plan_does() -> None:
    """The trap, simulated: going on after a miss until Clopper-Pearson agrees passes too often."""
    rng = np.random.default_rng(20261127)
    trials, most = 40_000, 120
    misses = np.cumsum(rng.random((trials, most)) < 0.2, axis=1)
    naive = np.zeros(trials, bool)
    for runs in range(1, most + 1):
        limit = max((m for m in range(runs) if miss_rate.supports(m, runs, 0.8, 0.95)), default=-1)
        naive |= misses[:, runs - 1] <= limit
    planned = np.zeros(trials, bool)
    for look in plan_of_looks(0.8, 0.95, 14):
        if look.runs <= most:
            planned |= misses[:, look.runs - 1] <= look.allowed
    assert naive.mean() > 0.08
    assert planned.mean() <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / trials)


def test_a_miss_is_outweighed_by_a_number_of_clean_runs() -> None:
    looks = plan_of_looks(0.8, 0.95, 14)
    assert [look_for(m, looks).runs for m in (0, 1, 2)] == [14, 32, 43]
    assert look_for(10_000, looks) is None
    assert look_for(1, plan_of_looks(0.8, 0.95, 22)).runs == 22, (
        "declared beforehand, it is allowed"
    )


def test_nonsense_is_refused() -> None:
    with pytest.raises(ValueError, match="3 misses in 2 runs"):
        miss_rate.at_most(3, 2, 0.95)
    assert miss_rate.fewest(lambda _: False) is None
