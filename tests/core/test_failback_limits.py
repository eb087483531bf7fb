"""The limit on the way back, by intervals made by hand: to the nanosecond, and the longest by name."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.core.evidence import Evidence
from harness.core.failback import failback_watch, gate_failback
from harness.core.operation import Workload
from harness.core.scenario import RecoverySpec
from harness.core.timeline import Mark, MarkName, Timeline
from harness.core.verdict import RecoveryTime, Verdict
from tests.core.judged_runs import run

S = 10**9
SPEC = RecoverySpec("failback", 30)
ORDERS, TILLS, STOCK = Workload.ORDER_CAPTURE, Workload.POINT_OF_SALE, Workload.STOCK_RESERVATION


def seen(*, ended_s: float | None = 20.0) -> Evidence:
    marks = [Mark(MarkName.FAILBACK_BEGUN, 100 * S, 100 * S + 5)]
    if ended_s is not None:
        at = 100 * S + round(ended_s * S)
        marks.append(Mark(MarkName.FAILBACK_ENDED, at, at + 7))
    return replace(run()[1], timeline=Timeline(tuple(marks)), load_stopped_ns=200 * S)


def back(high_s: float | None = 1.0, *, watched_ns: int = 60 * S, **more: object) -> RecoveryTime:
    """Away for about a second; or never well again."""
    high_ns = None if high_s is None else round(high_s * S)
    made = RecoveryTime(
        target_ns=30 * S, low_ns=0, high_ns=high_ns, recovered=high_ns is not None,
        observed_until_ns=watched_ns, resolution_ns=0, widened_by_ns=0, first_bad_ns=1,
        outage_low_ns=0, outage_high_ns=high_ns,
    )  # fmt: skip
    return replace(made, **more)  # type: ignore[arg-type]


def test_it_was_watched_from_its_begin_to_the_end_of_the_load() -> None:
    watch = failback_watch(seen(), 10 * S, 3)
    assert watch is not None
    assert (watch.fault_earliest_ns, watch.fault_latest_ns) == (100 * S, 100 * S + 5)
    assert (watch.until_ns, watch.window_ns, watch.lag_ns) == (200 * S, 10 * S, 3)
    early = failback_watch(replace(seen(), load_stopped_ns=0), 10 * S, 3)
    assert early is not None
    assert early.until_ns == 100 * S + 5


@pytest.mark.parametrize(
    ("watched_ns", "verdict"), [(30 * S, Verdict.MISSED), (30 * S - 1, Verdict.INCONCLUSIVE)]
)
def test_who_is_away_when_the_limit_has_passed_has_missed_it(
    watched_ns: int, verdict: Verdict
) -> None:
    away = back(None, watched_ns=watched_ns)
    assert gate_failback(SPEC, seen(), [(ORDERS, away)]).verdict is verdict
    unended = gate_failback(SPEC, seen(ended_s=None), [(ORDERS, back(watched_ns=watched_ns))])
    assert unended.verdict is verdict


def test_who_is_well_at_the_end_for_less_than_a_window_has_not_missed_it() -> None:
    found = gate_failback(SPEC, seen(), [(ORDERS, back(None, well_at_end=True))])
    assert found.verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(
    ("ended_s", "verdict"),
    [(29.9, Verdict.MET), (30.0, Verdict.INCONCLUSIVE), (30.1, Verdict.MISSED)],
)
def test_the_last_step_counts_as_the_last_workload_does(ended_s: float, verdict: Verdict) -> None:
    """Its high end is widened by the width of both marks, so at 30 s it may be either."""
    found = gate_failback(SPEC, seen(ended_s=ended_s), [(ORDERS, back()), (TILLS, back(2.0))])
    assert found.verdict is verdict
    slow = [(ORDERS, back()), (TILLS, back(31.0, low_ns=31 * S))]
    assert gate_failback(SPEC, seen(), slow).verdict is Verdict.MISSED


def test_the_longest_outage_is_named_and_one_without_an_end_is_longer_than_any() -> None:
    known = [(ORDERS, back(3.0)), (TILLS, back(9.0)), (STOCK, back(1.0))]
    assert "longest outage, point-of-sale" in gate_failback(SPEC, seen(), known).reason
    endless = [*known, (Workload.FINANCE, back(None))]
    assert "longest outage, finance-reporting" in gate_failback(SPEC, seen(), endless).reason
    none = [(ORDERS, back(first_bad_ns=None)), (TILLS, back(first_bad_ns=None))]
    assert gate_failback(SPEC, seen(), none).reason.endswith("no workload was away")
    one = [(ORDERS, back(first_bad_ns=None)), (TILLS, back(2.0))]
    assert "longest outage, point-of-sale" in gate_failback(SPEC, seen(), one).reason


def test_a_way_back_of_no_workload_was_never_begun() -> None:
    assert gate_failback(SPEC, seen(), []).verdict is Verdict.INCONCLUSIVE
