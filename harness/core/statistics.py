"""What one run, and what many runs, can claim (measurement.md, section 7).

Only order statistics hold: bootstrap bounds on a P95 cover a quarter of what they promise at five
runs. So a clean series claims a quantile, zero losses claim a bound, and that is all.
"""

from __future__ import annotations

import math

from scipy.stats import beta

CONFIDENCE = 0.95


def clean_runs_claim(runs: int, confidence: float = CONFIDENCE) -> float:
    """The quantile that `runs` runs without a miss claim: (1 - confidence) ** (1 / runs).

    >>> [round(clean_runs_claim(n), 3) for n in (1, 5, 29, 59, 299)]
    [0.05, 0.549, 0.902, 0.95, 0.99]
    """
    return (1 - confidence) ** (1 / runs) if runs > 0 else 0.0


def clean_runs_needed(quantile: float, confidence: float = CONFIDENCE) -> int:
    """Runs without a miss before `quantile` can be claimed.

    >>> [clean_runs_needed(q) for q in (0.90, 0.95, 0.99)]
    [29, 59, 299]
    """
    if not 0 < quantile < 1:
        raise ValueError(f"a quantile lies between 0 and 1, not at {quantile}")
    return math.ceil(math.log(1 - confidence) / math.log(quantile))


def rule_of_three(trials: int) -> float:
    """Upper bound at 95% on a rate of which `trials` trials showed none: 3 / trials.

    >>> rule_of_three(3000)
    0.001
    """
    return min(1.0, 3 / trials) if trials > 0 else 1.0


def clopper_pearson(misses: int, runs: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Exact two-sided bounds on a rate of misses, at a number of runs fixed beforehand.

    Source: Clopper and Pearson, Biometrika 26 (1934).

    >>> [round(bound, 4) for bound in clopper_pearson(0, 59)]
    [0.0, 0.0606]
    """
    if not 0 <= misses <= runs:
        raise ValueError(f"{misses} misses in {runs} runs")
    tail = (1 - confidence) / 2
    low = float(beta.ppf(tail, misses, runs - misses + 1)) if misses else 0.0
    high = float(beta.ppf(1 - tail, misses + 1, runs - misses)) if misses < runs else 1.0
    return low, high
