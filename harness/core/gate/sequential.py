"""Looking after every run: a test martingale for the rate of misses, valid at every instant.

The evidence against "at least a rate p0 of drills misses" is the likelihood of what was seen under
smaller rates, over its likelihood at p0. If p0 or more of the drills do miss, whatever came before,
its expectation never grows, so by Ville's inequality it ever reaches 1 / error with a chance of at
most `error`: one may look after every run, stop, and go on. Half of the stake is on "no drill ever
misses", which makes clean runs quick; half is spread evenly over the rates below p0, so that a
miss can be outweighed. Sources: Ville 1939; Ramdas et al., Statistical Science 38 (2023).
"""

from __future__ import annotations

import math
from functools import lru_cache

from scipy.special import betainc, betaincc, betaln

from harness.core.gate.miss_rate import fewest

_NEVER = 0.5  # the stake on "no drill ever misses"
_LARGEST = 700.0  # of a logarithm, before exp overflows


def evidence_for(misses: int, runs: int, quantile: float) -> float:
    """Evidence that more than `quantile` of the drills are met. Passes at 1 / (1 - confidence).

    >>> evidence_for(0, 0, 0.8)
    1.0
    >>> round(evidence_for(0, 16, 0.8), 1), round(evidence_for(1, 16, 0.8), 2)
    (22.9, 1.15)
    """
    rate = 1 - quantile
    if rate <= 0:
        return 0.0
    spread = _over(betainc, misses, runs, rate) / rate
    never = math.exp(min(_LARGEST, -runs * math.log(quantile))) if misses == 0 else 0.0
    return _NEVER * never + (1 - _NEVER) * spread


def evidence_against(misses: int, runs: int, quantile: float) -> float:
    """Evidence that fewer than `quantile` of the drills are met: all stakes on greater rates.

    >>> evidence_against(0, 0, 0.8)
    1.0
    >>> round(evidence_against(3, 3, 0.8), 1)
    39.0
    """
    return _over(betaincc, misses, runs, 1 - quantile) / quantile


def decided(misses: int, runs: int, quantile: float, confidence: float) -> bool:
    """The stop rule."""
    return evidence_for(misses, runs, quantile) * (1 - confidence) >= 1


def refuted(misses: int, runs: int, quantile: float, confidence: float) -> bool:
    """The stop rule of the other side."""
    return evidence_against(misses, runs, quantile) * (1 - confidence) >= 1


@lru_cache(maxsize=4096)
def more_clean_runs(misses: int, runs: int, quantile: float, confidence: float) -> int | None:
    """Clean runs in a row before the stop rule holds.

    >>> more_clean_runs(0, 0, 0.8, 0.95), more_clean_runs(1, 14, 0.8, 0.95)
    (16, 22)
    """
    return fewest(lambda more: decided(misses, runs + more, quantile, confidence))


def _over(side: object, misses: int, runs: int, rate: float) -> float:
    """The likelihood over the rates on one side of `rate`, evenly, over that at `rate` itself."""
    assert callable(side)
    hits = runs - misses
    share = float(side(misses + 1, hits + 1, rate))
    if share <= 0:
        return 0.0
    log = (
        float(betaln(misses + 1, hits + 1)) + math.log(share)
        - misses * math.log(rate) - hits * math.log1p(-rate)
    )  # fmt: skip
    return math.exp(min(_LARGEST, log))
