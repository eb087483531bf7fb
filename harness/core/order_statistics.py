"""Bounds on a quantile by order statistics: they hold for every distribution, and no other do.

No shape is assumed, so a failover that takes 5 s or 25 s is as good as any. A drill that did not
recover is infinity; an upper bound reads high ends, a lower bound low ends. The p-quantile is the
smallest value that at least a share p of drills stays within. Source: David and Nagaraja, Order
Statistics, 7.1; with ties and gaps the stated errors are upper limits.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from scipy.stats import binom

NOT_RECOVERED = math.inf


def upper_error(runs: int, quantile: float, rank: int) -> float:
    """The most that "the quantile is at most the rank-th smallest of `runs`" can err by.

    >>> round(upper_error(14, 0.8, 14), 4)
    0.044
    """
    return float(binom.sf(rank - 1, runs, quantile))


def lower_error(runs: int, quantile: float, rank: int) -> float:
    """The most that "the quantile is at least the rank-th smallest of `runs`" can err by.

    >>> round(lower_error(14, 0.8, 7), 4)
    0.0024
    """
    return float(binom.cdf(rank - 1, runs, quantile))


def upper_rank(runs: int, quantile: float, error: float) -> int | None:
    """The smallest rank that bounds the quantile from above within `error`; None: too few runs.

    >>> upper_rank(14, 0.8, 0.05), upper_rank(13, 0.8, 0.05), upper_rank(59, 0.95, 0.05)
    (14, None, 59)
    """
    if runs < 1:
        return None
    first = max(1, int(binom.isf(error, runs, quantile)))
    ranks = range(max(1, first - 1), runs + 1)
    return next((r for r in ranks if upper_error(runs, quantile, r) <= error), None)


def lower_rank(runs: int, quantile: float, error: float) -> int | None:
    """The largest rank that bounds the quantile from below within `error`; None: too few runs.

    >>> lower_rank(14, 0.8, 0.006), lower_rank(3, 0.8, 0.006)
    (7, None)
    """
    if runs < 1:
        return None
    last = min(runs, int(binom.ppf(error, runs, quantile)) + 1)
    return next((r for r in range(last, 0, -1) if lower_error(runs, quantile, r) <= error), None)


def ranked(values: Sequence[float], rank: int | None, *, without: float) -> float:
    """The rank-th smallest value, or `without` where there is no rank.

    >>> ranked((3.0, 1.0, 2.0), 2, without=0.0), ranked((3.0,), None, without=0.0)
    (2.0, 0.0)
    """
    return without if rank is None else sorted(values)[rank - 1]


def sample_quantile(values: Sequence[float], quantile: float) -> float:
    """The quantile of the values themselves. It bounds nothing: a description, never a claim.

    >>> sample_quantile((5.0, 5.0, 5.0, 5.0, 25.0), 0.8), sample_quantile((1.0, 2.0), 0.5)
    (5.0, 1.0)
    """
    return sorted(values)[max(0, math.ceil(quantile * len(values) - 1e-9) - 1)]
