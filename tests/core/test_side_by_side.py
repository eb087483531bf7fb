"""Two releases side by side: like with like, order statistics, and the worst first."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.operation import Workload
from harness.core.side_by_side import side_by_side, spread
from harness.core.verdict import Verdict
from tests.history.outcomes_made import MET, ORDERS, lossy, timed

S = 1_000_000_000
INTERVALS = st.lists(
    st.tuples(st.integers(0, 100), st.integers(0, 20) | st.none()), min_size=1, max_size=12
).map(lambda found: [(low, None if width is None else low + width) for low, width in found])


@given(INTERVALS)
def test_the_spread_is_numpy_s_of_each_end(found: list[tuple[int, int | None]]) -> None:
    told = spread(found)
    lows = np.array([low for low, _ in found], dtype=float)
    highs = np.array([np.inf if high is None else high for _, high in found])
    for (low, high), quantile in ((told.least, 0), (told.median, 0.5), (told.most, 1)):
        assert low == np.quantile(lows, quantile, method="lower")
        expected = np.quantile(highs, quantile, method="higher")
        assert (np.inf if high is None else high) == expected


@given(INTERVALS, st.data())
def test_the_median_holds_whatever_the_true_times_are(found, data) -> None:
    true = [data.draw(st.integers(low, low + 30 if high is None else high)) for low, high in found]
    told = spread(found)
    low, high = told.median
    assert low <= np.quantile(true, 0.5, method="lower")
    assert high is None or np.quantile(true, 0.5, method="higher") <= high


def test_runs_that_cannot_judge_count_but_lend_no_time() -> None:
    unfit = replace(
        timed(1, 2, 1, verdict=Verdict.INVALID),
        workloads=(replace(ORDERS, verdict=Verdict.INVALID, rto_low_ns=1, rto_high_ns=2),),
    )
    (row,) = side_by_side([unfit, timed(20, 21, 2)], MET.release, "x").rows
    assert row.baseline.runs == 2
    assert row.baseline.rto.runs == 1
    assert row.baseline.rto.least == (20 * S, 21 * S)
    assert dict(row.baseline.verdicts) == {Verdict.MET: 1, Verdict.INVALID: 1}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"size": "full"}, "another size"),
        ({"configuration": "d" * 64}, "another configuration"),
        ({"platform": "kubernetes"}, "another platform"),
        ({"tenant": "brand-b"}, "another tenant"),
        ({"fault": "null"}, "another fault"),
        ({"kind": "odoo"}, "another application"),
        ({"workloads": (replace(ORDERS, rate_per_s=20.0),)}, "another absolute rate"),
        ({"workloads": (replace(ORDERS, rto_target_ns=1),)}, "another RTO target"),
        ({"workloads": (replace(ORDERS, rpo_target_ns=None),)}, "another RPO target"),
        ({"scenario": "ransomware"}, "no run of it"),
        ({"workloads": (replace(ORDERS, workload=Workload.FINANCE),)}, "no run of it"),
    ],
)
def test_what_is_unlike_shares_no_row(change: dict[str, object], told: str) -> None:
    other = replace(MET, run_id="other", release="new", **change)
    comparison = side_by_side([MET, other], MET.release, "new")
    assert len(comparison.rows) == 2
    assert not comparison.comparable
    assert all(told in row.why for row in comparison.rows)
    assert all((row.baseline is None) != (row.candidate is None) for row in comparison.rows)
    assert comparison.answer.startswith("Not comparable")


def test_another_season_with_the_same_targets_is_the_same_question() -> None:
    other = replace(MET, run_id="other", release="new", season="easter", seed=9)
    assert side_by_side([MET, other], MET.release, "new").comparable


def test_the_answer_says_the_worst_first() -> None:
    def answer(*after, before=(MET,)) -> str:
        runs = [replace(o, run_id=f"n{n}", release="new") for n, o in enumerate(after)]
        return side_by_side([*before, *runs], MET.release, "new").answer

    across = replace(MET, proven_loss=True, workloads=(), verdict=Verdict.MISSED)
    assert answer(MET, lossy(), MET).startswith("Not safe: 1 of 3 runs of new lost")
    assert answer(MET, across).startswith("Not safe: 1 of 2 runs of new lost")
    assert answer(replace(MET, verdict=Verdict.MISSED)).startswith("Not safe: new missed")
    assert answer().startswith("Not known: there is no run of new")
    assert "lost writes in 1 run." in answer(MET, before=(lossy(),))
    assert answer(MET).startswith("Not decided here")


def test_losses_are_added_up_and_never_averaged() -> None:
    runs = [lossy(replace(MET, run_id=f"r{n}"), lost=n) for n in (1, 2)]
    (row,) = side_by_side([*runs, MET], MET.release, "x").rows
    assert (row.baseline.lost, row.baseline.lossy_runs, row.baseline.runs) == (3, 2, 3)
    assert row.baseline.acked == 2700
