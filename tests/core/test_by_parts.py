"""Long columns are looked at part by part: wherever a part ends, what is found is the same."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.core import run_times
from harness.core.records import any_of
from harness.core.recovery_point import PostedBefore
from harness.core.series import series
from harness.core.windows import longest_gap, within
from tests.core import simulate

INSTANTS = st.lists(st.integers(-50, 200), max_size=40).map(sorted)


@pytest.fixture(scope="module")
def simulated():
    return simulate.evidence(outage_s=4.0, after_s=12.0)


@pytest.mark.parametrize("at_once", [1, 2, 13, 400])
def test_a_series_is_the_same_by_parts_of_any_size(simulated, monkeypatch, at_once: int) -> None:
    plan, evidence = simulated
    whole = series(plan, evidence)
    monkeypatch.setattr(run_times, "AT_ONCE", at_once)
    for one, other in zip(series(plan, evidence), whole, strict=True):
        for name in ("scheduled", "offered", "good", "shed", "latency_p50_ms", "latency_p99_ms"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


@settings(max_examples=200, deadline=None)
@given(INSTANTS, st.integers(-10, 150), st.integers(0, 90), st.sampled_from([1, 2, 3, 1000]))
def test_the_longest_gap_is_that_of_all_neighbours(instants, begin, length, at_once) -> None:
    kept = within(np.array(instants, dtype=np.int64), begin, begin + length)
    assert kept.tolist() == [n for n in instants if begin <= n < begin + length]
    parts = [kept[first : first + at_once] for first in range(0, len(kept) + 1, at_once)]
    found = longest_gap(parts, begin, begin + length)
    every = np.array([begin, *kept.tolist(), begin + length])
    assert found == int(np.diff(every).max(initial=0))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 6), st.booleans()), max_size=30))
def test_a_record_is_marked_by_any_of_its_rows(rows) -> None:
    record = np.array([r for r, _ in rows], dtype=np.intp)
    mask = np.array([m for _, m in rows], dtype=np.bool_)
    wanted = [any(m for r, m in rows if r == k) for k in range(7)]
    assert any_of(7, record, mask).tolist() == wanted


def test_no_report_is_short_of_nothing(simulated) -> None:
    _, evidence = simulated
    nothing = evidence.operations.where(np.zeros(len(evidence.operations), dtype=bool))
    assert len(PostedBefore(nothing, {}).short()) == 0
