"""How many drills miss: what a number of runs says of that, and what a number fixed before asks.

`misses` are the runs that did not show their target met, whatever the reason. The bound is Clopper
and Pearson's, one-sided. It holds for a number of runs that was fixed beforehand. Whoever looks,
and then runs on after a miss, gets another chance to pass: `plan_of_looks` pays for these chances
out of what the first look leaves of the error, so that the whole stays within it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.stats import beta, binom

from harness.core.statistics import clean_runs_needed

MOST_RUNS = 100_000  # beyond it a number of runs is no advice
_MOST_LOOKS = 100


def at_most(misses: int, runs: int, confidence: float) -> float:
    """The upper bound on the rate of misses, one-sided.

    >>> round(at_most(0, 14, 0.95), 4), at_most(2, 2, 0.95), at_most(0, 0, 0.95)
    (0.1926, 1.0, 1.0)
    """
    _check(misses, runs)
    return float(beta.ppf(confidence, misses + 1, runs - misses)) if misses < runs else 1.0


def at_least(misses: int, runs: int, confidence: float) -> float:
    """The lower bound on the rate of misses, one-sided.

    >>> round(at_least(2, 2, 0.95), 4), at_least(0, 14, 0.95)
    (0.2236, 0.0)
    """
    _check(misses, runs)
    return float(beta.ppf(1 - confidence, misses, runs - misses + 1)) if misses else 0.0


def supported_quantile(misses: int, runs: int, confidence: float) -> float:
    """The share of drills that these runs claim; without a miss, (1 - confidence) ** (1 / runs).

    >>> round(supported_quantile(0, 14, 0.95), 4), round(supported_quantile(1, 22, 0.95), 4)
    (0.8074, 0.8019)
    """
    return 1 - at_most(misses, runs, confidence)


def supports(misses: int, runs: int, quantile: float, confidence: float) -> bool:
    """Whether so few misses would be rare if fewer than `quantile` of the drills were met.

    Asked of the binomial itself: a bound that is rounded twice can fall on the wrong side.
    """
    _check(misses, runs)
    return misses < runs and float(binom.cdf(misses, runs, 1 - quantile)) <= 1 - confidence


@lru_cache(maxsize=4096)
def more_clean_runs(misses: int, runs: int, quantile: float, confidence: float) -> int | None:
    """Clean runs that are lacking for `quantile`, in a series of that length fixed beforehand.

    >>> [more_clean_runs(0, 14, q, 0.95) for q in (0.80, 0.90, 0.95, 0.99)]
    [0, 15, 45, 285]
    >>> more_clean_runs(1, 14, 0.80, 0.95)
    8
    """
    return fewest(lambda more: supports(misses, runs + more, quantile, confidence))


def fewest(enough: Callable[[int], bool]) -> int | None:
    """The smallest number from 0 that is enough, where more is never worse; None beyond reason."""
    if enough(0):
        return 0
    high = 1
    while not enough(high):
        high *= 2
        if high > MOST_RUNS:
            return None
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


@dataclass(frozen=True, slots=True)
class Look:
    """An appointed look: met where at most `allowed` of the first `runs` are not clean."""

    runs: int
    allowed: int


@lru_cache(maxsize=64)
def plan_of_looks(quantile: float, confidence: float, first: int) -> tuple[Look, ...]:
    """Clopper-Pearson at `first` runs; then one look more for every miss more, each dearer.

    Every later look takes half of what is left of the error. The chance that any of them passes,
    where fewer than `quantile` of the drills are met, is at most 1 - confidence: at the rate
    1 - quantile it is added up here, path by path, and with more misses it is smaller.

    >>> [(look.runs, look.allowed) for look in plan_of_looks(0.8, 0.95, 14)[:3]]
    [(14, 0), (32, 1), (43, 2)]
    """
    rate, error = 1 - quantile, 1 - confidence
    first = max(first, clean_runs_needed(quantile, confidence))
    allowed = max(m for m in range(first) if supports(m, first, quantile, confidence))
    looks = [Look(first, allowed)]
    counted = np.arange(allowed + _MOST_LOOKS + 1)  # with more misses no look passes
    paths = binom.pmf(counted, first, rate)  # by misses; those that passed go
    left = error - float(paths[: allowed + 1].sum())
    paths[: allowed + 1] = 0
    while len(looks) < _MOST_LOOKS and left > 0:
        allowed += 1
        on_the_way, share = float(paths[allowed]), left / 2
        further = max(1, math.ceil(math.log(share / on_the_way) / math.log(quantile)))
        looks.append(Look(looks[-1].runs + further, allowed))
        paths = np.convolve(paths, binom.pmf(counted, further, rate))[: len(counted)]
        left -= float(paths[allowed])
        paths[allowed] = 0
    return tuple(looks)


def look_for(misses: int, looks: tuple[Look, ...]) -> Look | None:
    """The first look that `misses` may still pass."""
    return next((look for look in looks if misses <= look.allowed), None)


def _check(misses: int, runs: int) -> None:
    if not 0 <= misses <= runs:
        raise ValueError(f"{misses} misses in {runs} runs")
