"""Non-inferiority: its error for any distribution, its power, and what it does with odd times."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from harness.core.gate.noninferiority import (
    Appointed,
    Interval,
    Rule,
    compare,
    floor_ns,
    looks,
    quantiles,
    ranks,
    would_pass_at,
)
from harness.core.verdict import Verdict
from tests.gate.power_table import (
    CONFIDENCE,
    GATED,
    LAWS,
    MARGIN,
    RUNS,
    Draw,
    claim_rates,
    passes,
    rates,
    two_modes,
)

S = 1_000_000_000
RULE = Rule(MARGIN, S)
DOC = Path(__file__).resolve().parents[2] / "docs" / "gate.md"


@pytest.mark.parametrize("law", LAWS.values(), ids=LAWS.keys())
@pytest.mark.parametrize("runs", [14, 56])
def test_just_beyond_the_margin_it_passes_no_more_often_than_stated(law: Draw, runs: int) -> None:
    """Every recovery takes 1.2501 times as long: the edge of what may not pass, at every look."""
    rng = np.random.default_rng(1)
    trials = 20_000
    candidate, baseline = law(rng, (trials, runs)) * (1 + MARGIN + 1e-4), law(rng, (trials, runs))
    rate = passes(candidate, baseline).mean()
    assert rate <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / trials)


@pytest.mark.parametrize("runs", [14, 56, 112])
def test_a_slow_mode_that_comes_more_often_is_not_passed(runs: int) -> None:
    """Slow in 10% of drills, then in just over 20%: the median stays, the gate's quantile is 25 s."""
    rng = np.random.default_rng(2)
    trials = 20_000
    candidate, baseline = (
        two_modes(0.2001)(rng, (trials, runs)),
        two_modes(0.1)(rng, (trials, runs)),
    )
    rate = passes(candidate, baseline).mean()
    assert rate <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / trials)
    often = passes(two_modes(0.4)(rng, (trials, runs)), baseline).mean()
    assert often < 0.01


@pytest.mark.parametrize("law", LAWS.values(), ids=LAWS.keys())
def test_thirty_percent_slower_does_not_pass(law: Draw) -> None:
    rng = np.random.default_rng(3)
    candidate, baseline = law(rng, (20_000, 14)) * 1.3, law(rng, (20_000, 14))
    assert passes(candidate, baseline).mean() <= 0.05


def test_an_identical_candidate_with_times_like_the_season_s_passes() -> None:
    """A fail-over by a time-out: 18 to 20.5 s. The table of docs/gate.md has other spreads."""
    rng = np.random.default_rng(4)
    candidate, baseline = rng.uniform(18, 20.5, (2, 20_000, 14))
    assert passes(candidate, baseline).mean() > 0.999


def test_the_vectorised_rule_is_the_product_s() -> None:
    rng = np.random.default_rng(6)
    candidate, baseline = rng.lognormal(3, 0.12, (2, 200, 28))
    expected = passes(candidate, baseline)
    found = []
    for new, old in zip(candidate, baseline, strict=True):
        highs, lows = [Interval(0, t * S) for t in new], [Interval(t * S, t * S) for t in old]
        found.append(
            any(
                all(
                    compare(highs, lows, quantile=q, look=look, rule=RULE).verdict is Verdict.MET
                    for q in quantiles(GATED)
                )
                for look in looks(GATED, CONFIDENCE, 14)
                if look.runs <= 28
            )
        )
    assert found == expected.tolist()
    assert 0 < sum(found) < 200, "both happen"


def test_the_looks_spend_no_more_than_the_error() -> None:
    for gated, first in ((0.8, 14), (0.9, 29), (0.95, 59), (0.5, 5)):
        appointed = looks(gated, CONFIDENCE, first)
        assert sum(look.error for look in appointed) <= 0.05
        for look in appointed:
            for quantile in quantiles(gated):
                up, down = ranks(look.runs, look.runs, quantile, look.error)
                above = sum(_pmf(look.runs, k, quantile) for k in range(up, look.runs + 1))
                below = sum(_pmf(look.runs, k, quantile) for k in range(down))
                assert above + below <= look.error * (1 + 1e-9)


def _pmf(runs: int, hits: int, quantile: float) -> float:
    logs = math.lgamma(runs + 1) - math.lgamma(hits + 1) - math.lgamma(runs - hits + 1)
    return math.exp(logs + hits * math.log(quantile) + (runs - hits) * math.log1p(-quantile))


def at_once(candidate: list[Interval], baseline: list[Interval], quantile: float = 0.5) -> Verdict:
    look = Appointed(len(candidate), 0.05)
    return compare(candidate, baseline, quantile=quantile, look=look, rule=RULE).verdict


def test_proven_slower_is_missed_and_the_ends_are_read_against_the_candidate() -> None:
    fast = [Interval(19 * S, 20 * S)] * 14
    assert at_once([Interval(26 * S, 27 * S)] * 14, fast) is Verdict.MISSED
    wide = [Interval(19 * S, 27 * S)] * 14
    assert at_once(wide, fast) is Verdict.INCONCLUSIVE, "high ends of the candidate"
    assert at_once(fast, [Interval(10 * S, 20 * S)] * 14) is Verdict.INCONCLUSIVE, "low ends"
    assert at_once(fast, fast) is Verdict.MET


def test_not_recovered_is_infinity_and_infinity_never_passes() -> None:
    fast, gone = [Interval(19 * S, 20 * S)] * 14, [Interval(60 * S)] * 14
    assert at_once(gone, fast) is Verdict.MISSED
    assert at_once(gone, gone) is Verdict.INCONCLUSIVE, "infinity is not within infinity"
    assert at_once([Interval()] * 14, fast) is Verdict.INCONCLUSIVE, "told nothing, proves nothing"
    one_gone = [Interval(60 * S), *fast[1:]]
    assert at_once(one_gone, fast, 0.8) is Verdict.INCONCLUSIVE


def test_a_workload_that_was_never_away_neither_divides_by_zero_nor_fails_by_its_resolution() -> (
    None
):
    never = [Interval(0, round(0.36 * S)) for _ in range(14)]
    assert at_once(never, never) is Verdict.MET
    away = [Interval(5 * S, 6 * S)] * 14
    assert at_once(away, never) is Verdict.MISSED
    assert RULE.allowed_ns(0) == S
    assert floor_ns(0.2) > floor_ns(10) == floor_ns(0) == S


def test_an_estimate_names_the_look_that_would_pass() -> None:
    rng = np.random.default_rng(8)
    times = np.sort(rng.lognormal(3, 0.13, 14)) * S
    same = [Interval(t, t) for t in times]
    appointed = looks(GATED, CONFIDENCE, 14)[1:]
    found = would_pass_at(same, same, gated=GATED, appointed=appointed, rule=RULE)
    assert found in {look.runs for look in appointed}
    slower = [Interval(t * 1.4, t * 1.4) for t in times]
    assert would_pass_at(slower, same, gated=GATED, appointed=appointed, rule=RULE) is None
    assert would_pass_at([], same, gated=GATED, appointed=appointed, rule=RULE) is None
    with pytest.raises(ValueError, match=r"bound no 0\.8 quantile"):
        compare(same[:3], same, quantile=0.8, look=Appointed(14, 0.05), rule=RULE)


def test_the_table_of_the_docs_is_what_the_command_prints() -> None:
    """Its rows are there, in their order; two of them are made anew, with a tolerance."""
    told = [line for line in DOC.read_text().splitlines() if line.startswith("| ")]
    table = {
        tuple(cells[:2]): cells[2:]
        for cells in ([c.strip() for c in line.strip("|").split("|")] for line in told)
    }
    for name, law in LAWS.items():
        for runs in RUNS:
            assert (name, str(runs)) in table
        made = rates(law, RUNS[0], trials=4_000)
        shown = [float(cell.removesuffix("%")) for cell in table[name, str(RUNS[0])]]
        assert [100 * rate for rate in made.values()] == pytest.approx(shown, abs=3.0)


def test_the_docs_say_how_often_a_claim_passes() -> None:
    told = [line for line in DOC.read_text().splitlines() if line.startswith("| ")]
    table = {c[0].strip(): c[1:] for c in (line.strip("|").split("|") for line in told)}
    for missed in (0.0, 0.01, 0.2):
        shown = [float(cell.strip().removesuffix("%")) for cell in table[f"{missed:.1%}"]]
        made = [100 * rate for rate in claim_rates(missed, trials=4_000)]
        assert made == pytest.approx(shown, abs=3.0)
