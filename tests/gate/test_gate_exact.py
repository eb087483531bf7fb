"""Figures and words of the gate, exactly: what a person reads, and where each bound lies."""

from __future__ import annotations

import itertools
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.stats import binom

from harness.core.gate import comparable, miss_rate, noninferiority, sequential
from harness.core.gate.decision import decide
from harness.core.gate.next_drill import drills_to_make
from harness.core.gate.noninferiority import Appointed, Interval, Rule, compare
from harness.core.verdict import Verdict
from tests.gate.gate_cases import (
    ORDERS,
    TILLS,
    S,
    clean,
    lost,
    question,
    recovering,
    run,
    terms,
    workload,
)

MET, MISSED, OPEN, INVALID = (
    Verdict.MET, Verdict.MISSED, Verdict.INCONCLUSIVE, Verdict.INVALID,
)  # fmt: skip


def test_how_many_more_were_lost_or_missed_is_told() -> None:
    one = decide(question(), [*clean(3), lost(4)]).reasons[0]
    two = decide(question(), [*clean(3), lost(4), lost(5)]).reasons[0]
    assert ", and 1 more" in two
    assert " more" not in one.partition("takes that back")[2]


def test_too_many_misses_are_told_with_what_they_refute() -> None:
    found = decide(question(), [run(n, MISSED) for n in range(14)])
    assert found.verdict is MISSED
    bad = [cell for cell in found.scenarios[0].cells if cell.verdict is MISSED]
    assert len(bad) >= 1
    for cell in bad:
        assert ": fewer than 80% meet their target, at 95% confidence" in cell.reason
        assert "at least" not in cell.reason
        assert "needed" not in cell.reason
    good = [cell for cell in found.scenarios[0].cells if cell.verdict is MET]
    assert good
    for cell in good:
        assert "at least" in cell.reason
        assert "fewer than" not in cell.reason
    assert len(bad) == 1
    assert "more" not in found.reasons[0]
    two = (workload(ORDERS, MISSED), workload(TILLS, MISSED))
    both = decide(question(), [run(n, MISSED, workloads=two) for n in range(14)])
    assert both.reasons[0].endswith("; and 1 more")


def test_smoke_runs_are_said_to_be_smoke_and_full_ones_are_not() -> None:
    assert decide(question(), clean(14)).smoke
    full = decide(question(terms(size="full")), clean(14, size="full"))
    assert not full.smoke
    assert full.verdict is MET
    assert "smoke" not in full.reasons[0]


@pytest.mark.parametrize(
    ("fates", "drills", "to_repeat"),
    [("c", 1, 0), ("cu", 1, 2), ("cuu", 1, 1), ("cuuu", 2, 0), ("cuuuu", 2, 2), ("uuc", 1, 0)],
)
def test_an_unfit_run_has_two_repeats_and_is_then_a_drill_of_unknown_end(
    fates: str, drills: int, to_repeat: int
) -> None:
    made = [run(n, INVALID if fate == "u" else MET) for n, fate in enumerate(fates)]
    found = comparable.series(made)
    assert len(found.drills) == drills
    assert found.to_repeat == to_repeat
    assert len(found.unfit) == fates.count("u")


def test_after_a_miss_the_plan_has_too_few_left_to_pass() -> None:
    found = decide(question(), [*clean(10), run(10, MISSED)])
    (only,) = found.scenarios
    assert only.lacking
    assert only.lacking > 3
    assert drills_to_make(found, only) == 0


def test_after_a_look_that_decides_nothing_the_next_one_is_told() -> None:
    base = [18 + 0.2 * n for n in range(14)]
    new, old = recovering([s * 1.25 for s in base]), recovering(base, release="old")
    compared = decide(question(baseline="old"), [*new, *old]).scenarios[0].comparisons[0]
    assert compared.verdict is OPEN
    assert (compared.runs, compared.more, compared.baseline_more) == (14, 14, 14)


def test_more_drills_are_never_made_than_the_plan_has_left() -> None:
    found = decide(question(), clean(10))
    (only,) = found.scenarios
    assert drills_to_make(found, only) == 4
    begun = decide(question(runs=3), clean(10))
    assert drills_to_make(begun, begun.scenarios[0], {"node-loss": 10}) == 3
    assert drills_to_make(begun, begun.scenarios[0], {"node-loss": 8}) == 1
    assert drills_to_make(begun, begun.scenarios[0], {"node-loss": 7}) == 0


@pytest.mark.parametrize(("quantile", "confidence", "first"), [(0.8, 0.95, 14), (0.9, 0.95, 29)])
def test_the_looks_pass_a_bad_release_no_more_often_than_is_stated(
    quantile: float, confidence: float, first: int
) -> None:
    """Counted along every path: the chance that any look passes at the rate that must not pass."""
    looks = miss_rate.plan_of_looks(quantile, confidence, first)
    assert len(looks) == 100
    assert [look.allowed for look in looks] == list(
        range(looks[0].allowed, looks[0].allowed + len(looks))
    )
    assert all(b.runs > a.runs for a, b in itertools.pairwise(looks))
    rate, most = 1 - quantile, looks[-1].allowed + 40
    alive, passed, runs = np.zeros(most), 0.0, 0
    alive[0] = 1.0
    for look in looks:
        step = binom.pmf(np.arange(most), look.runs - runs, rate)
        alive, runs = np.convolve(alive, step)[:most], look.runs
        passed += float(alive[: look.allowed + 1].sum())
        alive[: look.allowed + 1] = 0
    assert passed <= 1 - confidence + 1e-9
    assert passed > 0.8 * (1 - confidence), "what may be spent is spent, or passing is dear"
    assert miss_rate.look_for(looks[1].allowed, looks) == looks[1]
    assert miss_rate.look_for(looks[-1].allowed + 1, looks) is None


def test_every_later_look_at_two_releases_spends_half_of_what_is_left() -> None:
    appointed = noninferiority.looks(0.8, 0.95, 14)
    spent = [look.error for look in appointed]
    assert sum(spent) <= 0.05 + 1e-12
    assert spent[0] > spent[1]
    for earlier, later in itertools.pairwise(spent[1:]):
        assert later == pytest.approx(earlier / 2)
    assert spent[1] == pytest.approx((0.05 - spent[0]) / 2)
    for earlier, later in itertools.pairwise(appointed):
        assert later.runs >= 2 * earlier.runs


def times(seconds: list[float]) -> list[Interval]:
    return [Interval(s * S, s * S) for s in seconds]


@pytest.mark.parametrize(("candidate_s", "verdict"), [(25.0, MET), (25.001, MISSED), (20.0, MET)])
def test_a_candidate_at_its_limit_exactly_is_no_slower_than_allowed(
    candidate_s: float, verdict: Verdict
) -> None:
    look = Appointed(14, 0.05)
    found = compare(
        times([candidate_s] * 14), times([20.0] * 14), quantile=0.8, look=look, rule=Rule(0.25, 1.0)
    )
    assert found.verdict is verdict
    assert found.limit_ns == 25 * S


def test_the_stop_rules_hold_from_their_bound_on_and_never_both() -> None:
    assert sequential.decided(0, 16, 0.8, 0.95)
    assert not sequential.decided(0, 15, 0.8, 0.95)
    assert next(n for n in range(1, 9) if sequential.refuted(n, n, 0.8, 0.95)) == 3
    assert sequential.refuted(3, 3, 0.8, 0.97)
    assert not sequential.refuted(3, 3, 0.8, 0.975)
    for runs in range(40):
        for misses in range(runs + 1):
            both = [f(misses, runs, 0.8, 0.95) for f in (sequential.decided, sequential.refuted)]
            assert both != [True, True]


@pytest.mark.parametrize(
    ("reasons", "told"),
    [
        ("", ""), ("a", "a"), ("abab", "a; b"), ("abc", "a; b; c"),
        ("abcd", "a; b; c; and 1 more reasons"), ("abcde", "a; b; c; and 2 more reasons"),
    ],
)  # fmt: skip
def test_the_reasons_for_which_no_run_is_left_are_told_once_and_up_to_three(
    reasons: str, told: str
) -> None:
    chosen = SimpleNamespace(excluded=[SimpleNamespace(why=why) for why in reasons])
    assert comparable.why_none(chosen) == told
