"""A release against its baseline: not slower to recover than the declared margin allows.

The claim is about quantiles, and holds for every distribution: the upper bound of the candidate's
quantile lies within the allowance for the lower bound of the baseline's same quantile. Each bound
may err with its part of the error, so both hold together. Two quantiles must both pass: the median,
which moves when every recovery is slower, and the gate's own, which moves when the slow ones come
more often and leave the median where it was. All must pass, over workloads too, so nothing is
corrected for their number: a release that is worse in one of them passes all of them no more often
than it passes that one (intersection-union).

Looks are appointed: at n runs of each, then at 2n, 4n ..., always the first ones. The first takes
nine tenths of the error and the later ones half of the rest each, so that going on until it passes
does not buy a pass.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from harness.core.order_statistics import (
    NOT_RECOVERED,
    lower_rank,
    ranked,
    sample_quantile,
    upper_error,
    upper_rank,
)
from harness.core.verdict import Verdict

MEDIAN = 0.5
_NS_PER_S = 1_000_000_000
_BIN_NS = _NS_PER_S  # the judge's bins: an outage that fills none is told from none only by chance
_CANARY_LIMIT_S = 0.25
_FIRST_LOOK = 0.9  # of the error
_MOST_LOOKS = 7


@dataclass(frozen=True, slots=True)
class Interval:
    """One drill's recovery time in ns; `high_ns` infinite where the service was not back.

    Of a drill that did not tell one, the widest there is: nothing is proven by it.
    """

    low_ns: float = 0.0
    high_ns: float = NOT_RECOVERED


@dataclass(frozen=True, slots=True)
class Rule:
    """What is claimed of one workload. `floor_ns`: see `floor_ns`."""

    margin: float
    floor_ns: float

    def allowed_ns(self, baseline_ns: float) -> float:
        """How long the candidate may take; it grows with the baseline's, as the proof needs it to.

        >>> Rule(0.25, 1.0).allowed_ns(20.0), Rule(0.25, 1.0).allowed_ns(0.0)
        (25.0, 1.0)
        """
        return max(baseline_ns * (1 + self.margin), baseline_ns + self.floor_ns)


@dataclass(frozen=True, slots=True)
class Appointed:
    """The first `runs` of each, and the error that this look may spend."""

    runs: int
    error: float


@dataclass(frozen=True, slots=True)
class Compared:
    """One quantile at one look. `limit_ns` is what the baseline's lower bound allows."""

    quantile: float
    runs: int
    verdict: Verdict
    upper_ns: float  # of the candidate; infinite: not recovered
    limit_ns: float
    candidate_ns: float  # the runs' own quantile, high ends: a description, and no bound
    baseline_ns: float  # the same of the baseline, low ends


def floor_ns(canary_per_s: float) -> int:
    """What a drill cannot resolve, and so never counts as slower: no share of zero is a margin.

    A bin of the judge (1 s), or the longest gap of the canary's grid and its own limit where that
    is more. It comes from the plan, not from the runs.

    >>> floor_ns(10.0), floor_ns(0.2)
    (1000000000, 5250000000)
    """
    if canary_per_s <= 0:
        return _BIN_NS
    return max(_BIN_NS, round((1 / canary_per_s + _CANARY_LIMIT_S) * _NS_PER_S))


def quantiles(gated: float) -> tuple[float, ...]:
    """The median and the gate's own; one where they are the same."""
    return (MEDIAN, gated) if gated > MEDIAN else (gated,)


@lru_cache(maxsize=1024)
def ranks(above: int, below: int, quantile: float, error: float) -> tuple[int, int] | None:
    """Which order statistics bound: of `above` runs from above, of `below` runs from below.

    The upper bound takes half of the error where that is enough for one, else what it needs; the
    lower bound has the rest. That rests on the numbers of runs alone, never on what they showed.

    >>> ranks(14, 14, 0.8, 0.05), ranks(14, 14, 0.5, 0.05), ranks(13, 99, 0.8, 0.05)
    ((14, 7), (12, 4), None)
    """
    up = upper_rank(above, quantile, error / 2) or upper_rank(above, quantile, error)
    if up is None:
        return None
    down = lower_rank(below, quantile, error - upper_error(above, quantile, up))
    return None if down is None else (up, down)


@lru_cache(maxsize=64)
def looks(gated: float, confidence: float, first: int) -> tuple[Appointed, ...]:
    """The appointed looks: the first at `first` runs of each, or where bounds begin to exist.

    >>> [look.runs for look in looks(0.8, 0.95, 14)[:4]], looks(0.9, 0.95, 29)[0].runs
    ([14, 28, 56, 112], 30)
    """
    error = 1 - confidence
    appointed: list[Appointed] = []
    runs, share = max(first, 1), _FIRST_LOOK
    for _ in range(_MOST_LOOKS):
        while any(ranks(runs, runs, q, error * share) is None for q in quantiles(gated)):
            runs += 1
        appointed.append(Appointed(runs, error * share))
        runs, share = 2 * runs, (1 - _FIRST_LOOK) / 2 if len(appointed) == 1 else share / 2
    return tuple(appointed)


def compare(
    candidate: Sequence[Interval],
    baseline: Sequence[Interval],
    *,
    quantile: float,
    look: Appointed,
    rule: Rule,
) -> Compared:
    """One quantile at one look, at which both have enough runs.

    Met: proven no slower than allowed. Missed: proven slower than that. Else inconclusive.
    """
    new, old = candidate[: look.runs], baseline[: look.runs]
    found = ranks(len(new), len(old), quantile, look.error)
    if found is None:
        raise ValueError(f"{len(new)} and {len(old)} runs bound no {quantile:g} quantile")
    highs, lows = [i.high_ns for i in new], [i.low_ns for i in old]
    upper = ranked(highs, found[0], without=NOT_RECOVERED)
    limit = rule.allowed_ns(ranked(lows, found[1], without=0.0))
    # the claim turned round: as a bound from above, the baseline's; from below, the candidate's
    old_upper = ranked([i.high_ns for i in old], found[0], without=NOT_RECOVERED)
    new_lower = ranked([i.low_ns for i in new], found[1], without=0.0)
    verdict = Verdict.INCONCLUSIVE
    if math.isfinite(upper) and upper <= limit:
        verdict = Verdict.MET
    elif new_lower > rule.allowed_ns(old_upper):
        verdict = Verdict.MISSED
    return Compared(
        quantile,
        look.runs,
        verdict,
        upper,
        limit,
        sample_quantile(highs, quantile),
        sample_quantile(lows, quantile),
    )


def would_pass_at(
    candidate: Sequence[Interval],
    baseline: Sequence[Interval],
    *,
    gated: float,
    appointed: Sequence[Appointed],
    rule: Rule,
) -> int | None:
    """An estimate: the look that passes if both go on exactly as they did; None: none of these."""
    highs, lows = [i.high_ns for i in candidate], [i.low_ns for i in baseline]
    if not highs or not lows:
        return None
    for look in appointed:
        found = [ranks(look.runs, look.runs, q, look.error) for q in quantiles(gated)]
        if all(
            pair is not None
            and math.isfinite(upper := sample_quantile(highs, pair[0] / look.runs))
            and upper <= rule.allowed_ns(sample_quantile(lows, pair[1] / look.runs))
            for pair in found
        ):
            return look.runs
    return None
