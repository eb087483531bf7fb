"""The gate on the season of real drills: its figures from the raw verdicts, by another way.

Nothing of the gate's arithmetic is used to check it: the stored verdict.json is read as JSON,
binomials are summed term by term, and what passes is counted path by path.
"""

from __future__ import annotations

import json
import math
from fractions import Fraction

import pytest
from scipy.stats import binomtest

from harness.core.gate.comparable import Terms, WorkloadTerms
from harness.core.gate.decision import decide
from harness.core.gate.values import GateDecision, Question, ScenarioGate
from harness.core.policy import GatePolicy
from harness.core.verdict import Verdict
from tests.season import data
from tests.season.conduct import BASELINE, CANDIDATE, SLOWER

POLICY = GatePolicy()  # 80% of drills, 95% confidence, a margin of 25%
S = 1_000_000_000
NODE_LOSS = "node-loss"
RAW = {run.name: json.loads(run.files["verdict.json"]) for run in data.runs()}
PLANS = {run.name: json.loads(run.files["plan.json"]) for run in data.runs()}


def terms() -> Terms:
    """Of the season's node-loss drills, as any of them has it."""
    some = next(o for o in data.outcomes() if o.scenario == NODE_LOSS)
    return Terms(
        scenario=NODE_LOSS,
        fault=some.fault,
        platform=some.platform,
        kind=some.kind,
        size=some.size,
        peak=some.peak,
        tenant=some.tenant,
        configuration=None,
        workloads=tuple(
            WorkloadTerms(w.workload, w.rate_per_s, w.rto_target_ns, w.rpo_target_ns, S)
            for w in some.workloads
        ),
    )


def decided(release: str, baseline: str = "") -> tuple[GateDecision, ScenarioGate]:
    found = decide(
        Question(release=release, terms=(terms(),), policy=POLICY, baseline=baseline),
        data.outcomes(),
    )
    return found, found.scenarios[0]


def raw(release: str) -> list[dict]:
    """The stored verdicts of a release's node-loss drills that were fit to judge, oldest first."""
    names = [n for n, plan in sorted(PLANS.items()) if plan.get("release") == release]
    found = [RAW[n] for n in names if RAW[n]["scenario"] == NODE_LOSS]
    return [verdict for verdict in found if verdict["verdict"] not in {"invalid", "error"}]


def drills(release: str) -> list[dict | None]:
    """What counts, in order: a drill that was not fit three times in a row is one without a word."""
    names = [n for n, plan in sorted(PLANS.items()) if plan.get("release") == release]
    found: list[dict | None] = []
    unfit = 0
    for verdict in (RAW[n] for n in names if RAW[n]["scenario"] == NODE_LOSS):
        unfit = unfit + 1 if verdict["verdict"] in {"invalid", "error"} else 0
        if not unfit:
            found.append(verdict)
        elif unfit == 3:
            found.append(None)
            unfit = 0
    return found


def of_workload(verdict: dict, name: str) -> dict:
    return next(w for w in verdict["workloads"] if w["workload"] == name)


def at_most(misses: int, runs: int, rate: Fraction) -> float:
    terms_ = (
        math.comb(runs, k) * rate**k * (1 - rate) ** (runs - k) for k in range(misses + 1)
    )  # fmt: skip
    return float(sum(terms_))


def runs_that_pass(not_clean: int) -> int:
    """The appointed look for so many misses, path by path: 14 first, then half of the rest each."""
    quantile = Fraction(4, 5)
    runs = next(n for n in range(1, 99) if quantile**n <= Fraction(1, 20))
    paths = {k: Fraction(math.comb(runs, k)) * (1 - quantile) ** k * quantile ** (runs - k)
             for k in range(not_clean + 2)}  # fmt: skip
    left = Fraction(1, 20) - paths.pop(0)
    for allowed in range(1, not_clean + 1):
        further = next(n for n in range(1, 999) if paths[allowed] * quantile**n <= left / 2)
        for _ in range(further):
            paths = {
                k: p * quantile + paths.get(k - 1, 0) * (1 - quantile) for k, p in paths.items()
            }
        left -= paths.pop(allowed)
        runs += further
    return runs


@pytest.mark.parametrize("release", [BASELINE, CANDIDATE, SLOWER])
def test_every_cell_s_figures_follow_from_the_raw_verdicts(release: str) -> None:
    _, scenario = decided(release)
    fit = raw(release)
    assert scenario.fit == len(fit) > 0
    for cell in (cell for cell in scenario.cells if cell.workload):
        told = [of_workload(verdict, cell.workload)["verdict"] for verdict in fit]
        runs, bad = len(told) + scenario.given_up, told.count("missed")
        open_ = sum(v not in {"met", "missed"} for v in told) + scenario.given_up  # void, too
        assert (cell.runs, cell.missed, cell.undecided) == (runs, bad, open_)
        exact = binomtest(bad + open_, runs, alternative="less").proportion_ci(0.95, "exact")
        assert cell.supported == pytest.approx(1 - exact.high)
        if not bad and not open_:
            assert cell.supported == pytest.approx(0.05 ** (1 / runs))
        assert cell.more == max(0, runs_that_pass(bad + open_) - runs)
        for quantile, more in cell.stronger:
            rate, total = 1 - Fraction(str(quantile)), runs + more
            assert at_most(bad + open_, total, rate) <= 0.05
            assert more == 0 or at_most(bad + open_, total - 1, rate) > 0.05
        refuted = binomtest(bad, runs, 0.2, alternative="greater").pvalue < 0.05
        expected = "missed" if refuted else "inconclusive" if cell.more else "met"
        assert cell.verdict.value == expected


@pytest.mark.parametrize("release", [BASELINE, CANDIDATE, SLOWER])
def test_losses_are_those_of_the_raw_verdicts_in_any_scenario(release: str) -> None:
    found, _ = decided(release)
    lost = {
        name
        for name, verdict in RAW.items()
        if PLANS[name].get("release") == release
        and (
            any(
                f["check"] == "rpo" and f["verdict"] == "missed"
                for w in verdict["workloads"]
                for f in w["findings"]
            )
            or any(
                f["check"] == "stores-agree" and f["verdict"] == "missed"
                for f in verdict["findings"]
            )
        )
    }
    assert {loss.run_id for loss in found.losses} == lost
    assert not lost or found.verdict is Verdict.MISSED


def by_hand(
    new: list[dict | None], old: list[dict | None], name: str, quantile: Fraction
) -> bool | None:
    """Whether the first fourteen of each show it; None: there are not fourteen of each."""
    runs, error = 14, 0.05 * 0.9
    if min(len(new), len(old)) < runs:
        return None
    highs, lows = [], []
    for into, verdicts, end, silent in (
        (highs, new, "high_ns", math.inf), (lows, old, "low_ns", 0.0),
    ):  # fmt: skip
        for verdict in verdicts[:runs]:
            rto = of_workload(verdict, name)["rto"] if verdict else None
            value = rto[end] if rto else None
            into.append(silent if value is None else value)

    def above(rank: int) -> float:
        return 1 - at_most(rank - 1, runs, quantile)

    ranks = range(1, runs + 1)
    up = next((r for r in ranks if above(r) <= error / 2), None)
    up = up or next(r for r in ranks if above(r) <= error)
    down = max(r for r in ranks if at_most(r - 1, runs, quantile) <= error - above(up))
    lower = sorted(lows)[down - 1]
    return sorted(highs)[up - 1] <= max(1.25 * lower, lower + S)


@pytest.mark.parametrize("release", [CANDIDATE, SLOWER])
def test_the_comparison_is_that_of_the_raw_recovery_times(release: str) -> None:
    _, scenario = decided(release, BASELINE)
    new, old = drills(release), drills(BASELINE)
    assert not scenario.refused
    for comparison in scenario.comparisons:
        shown = [
            by_hand(new, old, comparison.workload, Fraction(q)) for q in ("0.5", "0.8")
        ]  # fmt: skip
        if None in shown:
            assert comparison.verdict is Verdict.INCONCLUSIVE
            assert comparison.more == max(0, 14 - len(new))
        elif min(len(new), len(old)) < 28:
            assert (comparison.verdict is Verdict.MET) == all(shown)


def test_the_release_whose_leader_lock_outlives_its_holder_by_eight_seconds_more_is_not_passed() -> (
    None
):
    found, scenario = decided(SLOWER, BASELINE)
    assert found.verdict is not Verdict.MET
    assert found.exit_code in {1, 3}
    assert scenario.configuration != scenario.baseline_configuration
    assert any("another configuration than" in note for note in found.notes)


def test_the_same_platform_under_another_name_is_never_called_slower() -> None:
    found, scenario = decided(CANDIDATE, BASELINE)
    assert scenario.configuration == scenario.baseline_configuration
    assert all(c.verdict is not Verdict.MISSED for c in scenario.comparisons)
    assert found.verdict is not Verdict.INVALID
