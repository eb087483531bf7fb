"""Every condition of fitness at its limit: on it the run is fit, one step beyond it is not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from harness.core.arrivals import Arrivals, arrivals_of
from harness.core.evidence import Evidence
from harness.core.fitness import baseline, fitness, lag_of, window_ns
from harness.core.load_places import ClockHealth
from harness.core.operation import Workload
from harness.core.plan import Plan, Size
from harness.core.run_times import RunTimes
from harness.core.timeline import Mark, MarkName, Timeline
from harness.core.verdict import FitnessFinding
from tests.core import simulate
from tests.core.judged_runs import run

S, MS = 10**9, 10**6
PLAN, SEEN = run()
ARRIVALS = arrivals_of(SEEN.operations, PLAN.targets.limits_ns())
SHORTEST_NS = 60 * S  # of the orders' targets


def of(
    name: str,
    plan: Plan = PLAN,
    seen: Evidence = SEEN,
    arrivals: Arrivals = ARRIVALS,
    beyond: int = 0,
) -> FitnessFinding:
    (only,) = [
        f for f in fitness(plan, seen, RunTimes(plan, seen, [arrivals]), beyond) if f.name == name
    ]
    return only


def observed(**changed: object) -> Evidence:
    return replace(SEEN, observation=replace(SEEN.observation, **changed))  # type: ignore[arg-type]


def marked(*marks: Mark, without: tuple[MarkName, ...] = (), **changed: object) -> Evidence:
    kept = tuple(m for m in SEEN.timeline.marks if m.name not in without)
    return replace(SEEN, timeline=Timeline((*kept, *marks)), **changed)  # type: ignore[arg-type]


def test_an_honest_run_is_fit_in_everything_and_each_condition_is_told_once() -> None:
    found = fitness(PLAN, SEEN, RunTimes(PLAN, SEEN, [ARRIVALS]), 0)
    assert all(f.fit for f in found)
    assert len({f.name for f in found}) == len(found) == 15
    assert {f.name for f in found if f.voids_loss} == {"ledger", "read-back"}


@pytest.mark.parametrize(
    ("name", "changed", "told"),
    [
        ("uninterrupted", {"interrupted": "SIGINT"}, "SIGINT"),
        ("platform-whole", {"whole_before": False, "whole_before_why": "b is away"}, "b is away"),
        ("platform-whole", {"whole_before": False, "whole_before_why": ""}, "not whole"),
        ("effect", {"effect_observed": False}, "no effect was observed"),
        ("healed", {"heal_observed": False}, "the fault was not seen to be gone"),
        ("load-workers", {"workers_lost": ("worker 0", "worker 1")}, "worker 0; worker 1"),
    ],
)
def test_what_was_observed_of_the_instrument(
    name: str, changed: dict[str, object], told: str
) -> None:
    found = of(name, seen=observed(**changed))
    assert (found.fit, found.measured) == (False, told)
    assert of(name).fit
    assert of(name).measured != told


def test_without_an_effect_there_was_nothing_to_heal_and_nothing_repaired() -> None:
    seen = observed(effect_observed=False, heal_observed=False)
    assert of("healed", seen=seen) == FitnessFinding(
        "healed", True, "there was no fault to heal", "fault observed gone"
    )
    assert of("load-after", seen=seen).measured == "nothing was repaired"
    unmarked = marked(without=(MarkName.FAULT_ACTIVE,))
    assert not of("effect", seen=unmarked).fit


def test_a_fault_that_was_spoiled_was_not_held() -> None:
    found = of("fault-held", seen=marked(Mark(MarkName.FAULT_SPOILED, 1, 2, "it came back")))
    assert (found.fit, found.measured) == (False, "spoiled: it came back")


@pytest.mark.parametrize(
    ("window_s", "loop_s", "expected_s"),
    [
        (5.0, 0.0, 10),
        (12.5, 0.0, 13),
        (5.0, 4.0, 12),
        (5.0, 3.0, 10),
        (20.0, 5.0, 20),
        (5.0, 3.4, 11),
    ],
)
def test_the_window_is_three_of_the_slowest_loop_and_ten_seconds_at_least(
    window_s: float, loop_s: float, expected_s: int
) -> None:
    loops = (("a", loop_s), ("b", loop_s / 2)) if loop_s else ()
    plan = replace(
        PLAN, limits=replace(PLAN.limits, window_s=window_s), platform=replace(PLAN.platform, loops_s=loops)
    )  # fmt: skip
    assert window_ns(plan) == expected_s * S


REPAIRS = (MarkName.FAULT_HEALED, MarkName.RECOVERY_ENDED, MarkName.FAILBACK_ENDED)


@pytest.mark.parametrize("name", REPAIRS)
@pytest.mark.parametrize(("after_ns", "fit"), [(0, True), (-1, False), (1, True)])
def test_load_goes_on_for_a_window_after_the_last_repair(
    name: MarkName, after_ns: int, fit: bool
) -> None:
    need = window_ns(PLAN)
    at = SEEN.load_stopped_ns - need - after_ns
    early = tuple(Mark(other, at - 9 * S, at - 8 * S) for other in REPAIRS)
    found = of("load-after", seen=marked(*early, Mark(name, at - S, at), without=REPAIRS))
    assert found.fit is fit
    assert found.limit.endswith(" s of load after the repair")
    late = Mark(name, SEEN.load_stopped_ns, SEEN.load_stopped_ns + S)
    assert of("load-after", seen=marked(late, without=REPAIRS)).measured == "0.0 s"
    assert of("load-after", seen=marked(without=REPAIRS)).fit


def test_the_baseline_is_from_its_mark_to_its_end_within_the_load() -> None:
    names = (MarkName.BASELINE_BEGUN, MarkName.BASELINE_ENDED, MarkName.FAULT_ACTIVE)
    b, e = SEEN.load_begun_ns, SEEN.load_stopped_ns

    def stretch(*marks: Mark) -> tuple[int, int]:
        begin, end = baseline(marked(*marks, without=names))
        return begin - b, end - b

    begun, ended = Mark(names[0], b + 1, b + 3), Mark(names[1], b + 8, b + 9)
    fault = Mark(names[2], b + 6, b + 7)
    assert stretch(begun, ended, fault) == (3, 8)
    assert stretch(begun, fault) == (3, 6)
    assert stretch(ended) == (0, 8)
    assert stretch(begun) == (3, 3)
    assert stretch() == (0, 0)
    assert stretch(Mark(names[0], b - 9, b - 5), Mark(names[1], e + 5, e + 9)) == (0, e - b)


@pytest.mark.parametrize(("size", "need_s"), [(Size.SMOKE, 10), (Size.FULL, 30)])
@pytest.mark.parametrize(("beyond_ns", "fit"), [(0, True), (-1, False)])
def test_the_baseline_is_long_enough(size: Size, need_s: int, beyond_ns: int, fit: bool) -> None:
    end = SEEN.load_begun_ns + 40 * S
    begin = end - need_s * S - beyond_ns
    marks = Mark(MarkName.BASELINE_BEGUN, begin, begin), Mark(MarkName.BASELINE_ENDED, end, end)
    seen = marked(*marks, without=(MarkName.BASELINE_BEGUN, MarkName.BASELINE_ENDED),
                  load_stopped_ns=end + 90 * S, arrivals_ns={}, canaries_ns={})  # fmt: skip
    nothing = ARRIVALS.where(np.zeros(len(ARRIVALS), dtype=np.bool_))
    found = of("baseline", replace(PLAN, size=size), seen, nothing)
    assert found.fit is fit
    assert found.limit == f"healthy for {need_s} s"
    assert found.measured.endswith("every workload well" if fit else "s of baseline")


def test_a_sick_baseline_is_told_with_its_counts_over_the_last_of_it() -> None:
    begin, end = baseline(SEEN)
    since = end - 10 * S
    inside = (ARRIVALS.intended_ns >= since) & (ARRIVALS.intended_ns < end)
    first = np.flatnonzero(inside)[: np.count_nonzero(inside) // 2]
    good = ARRIVALS.good.copy()
    good[first] = False
    total = int(inside.sum())
    due = RunTimes(PLAN, SEEN, []).due(Workload.ORDER_CAPTURE).count(since, end)
    found = of("baseline", arrivals=replace(ARRIVALS, good=good))
    assert not found.fit
    assert found.measured == f"order-capture: {total - len(first)} good of {total} ({due} due)"
    before = ARRIVALS.intended_ns < since
    earlier = replace(ARRIVALS, good=ARRIVALS.good & ~before)
    assert of("baseline", arrivals=earlier).fit, "what lies before it does not count"
    after = replace(ARRIVALS, good=ARRIVALS.good & (ARRIVALS.intended_ns < end))
    assert of("baseline", arrivals=after).fit
    assert begin <= since


@pytest.mark.parametrize(("count", "fit"), [(30, True), (29, False), (0, False)])
def test_thirty_operations_of_a_workload_are_enough(count: int, fit: bool) -> None:
    begin, end = baseline(SEEN)
    inside = (ARRIVALS.intended_ns >= begin) & (ARRIVALS.intended_ns < end)
    keep = ~inside
    keep[np.flatnonzero(inside)[:count]] = True
    found = of("operations", arrivals=ARRIVALS.where(keep))
    assert (found.fit, found.measured) == (fit, f"{count} in order-capture, the fewest")
    assert of("operations", simulate.plan_of()).measured.startswith("0 in "), "of every workload"


def ledgers(**changed: object) -> Evidence:
    return replace(SEEN, ledgers=tuple(replace(g, **changed) for g in SEEN.ledgers))  # type: ignore[arg-type]


@pytest.mark.parametrize(("lag_ns", "fit"), [(600 * MS, True), (600 * MS + 1, False)])
def test_the_generator_s_lag_is_a_hundredth_of_the_shortest_target(lag_ns: int, fit: bool) -> None:
    seen = ledgers(lag_p999_ns=lag_ns)
    assert of("generator-lag", seen=seen).fit is fit
    assert lag_of(seen) == lag_ns
    assert lag_of(replace(SEEN, ledgers=())) == 0
    (orders,) = PLAN.targets.workloads
    quick = replace(PLAN, targets=replace(PLAN.targets, workloads=(replace(orders, rto_s=1.0),)))
    assert of("generator-lag", quick, ledgers(lag_p999_ns=50 * MS)).fit, "50 ms at least"
    assert not of("generator-lag", quick, ledgers(lag_p999_ns=50 * MS + 1)).fit


def test_what_the_generator_dropped_is_what_it_says_or_what_the_ledger_lacks() -> None:
    worker = SEEN.ledgers[0]
    two = replace(SEEN, ledgers=(replace(worker, dropped=2), replace(worker, dropped=3)))
    assert of("schedule", seen=two).measured == "5 arrivals dropped"
    cut = SEEN.load_stopped_ns - S
    before, last = (
        np.flatnonzero(m) for m in (ARRIVALS.intended_ns < cut, ARRIVALS.intended_ns >= cut)
    )
    for rows, lacking in ((before[:1], 1), (before[:7], 7), (last, 0)):
        keep = np.ones(len(ARRIVALS), dtype=np.bool_)
        keep[rows] = False
        found = of("schedule", arrivals=ARRIVALS.where(keep))
        assert (found.fit, found.measured) == (lacking == 0, f"{lacking} arrivals dropped")
    keep = np.ones(len(ARRIVALS), dtype=np.bool_)
    keep[before[:2]] = False
    assert of("schedule", seen=two, arrivals=ARRIVALS.where(keep)).measured == "5 arrivals dropped"


def test_a_ledger_is_whole_closed_and_there() -> None:
    assert of("ledger", seen=ledgers(torn=1_000)).measured == "worker 0: 1,000 torn"
    assert of("ledger", replace(PLAN, workers=2)).measured == "worker 1: no ledger"
    assert of("ledger", beyond=2).measured.startswith("2 stored keys lie beyond")
    assert not of("ledger", beyond=1).fit
    left = of("ledger-closed", seen=ledgers(closed=False))
    assert (left.fit, left.measured, left.voids_loss) == (False, "left open by worker 0", False)


def looks(**changed: object) -> Evidence:
    assert SEEN.first is not None
    return replace(SEEN, first=replace(SEEN.first, **changed))  # type: ignore[arg-type]


@pytest.mark.parametrize(("early_ns", "fit"), [(0, True), (1, False), (-1, True)])
def test_the_stores_are_read_after_the_longest_server_timeout(early_ns: int, fit: bool) -> None:
    timeout_ns = round(PLAN.limits.server_timeout_s * S)
    found = of("read-back", seen=looks(taken_ns=SEEN.load_stopped_ns + timeout_ns - early_ns))
    assert found.fit is fit
    assert fit or found.measured.startswith("first: taken ")
    before = of("read-back", seen=looks(taken_ns=SEEN.load_stopped_ns - 5 * S))
    assert before.measured == "first: taken 0.0 s after the load stopped"


def test_every_look_was_taken_whole() -> None:
    assert of("read-back").measured == "2 complete"
    assert of("read-back", seen=replace(SEEN, second=None)).measured == "1 complete"
    assert (
        of("read-back", seen=looks(complete=False, why_incomplete="")).measured
        == "first: incomplete"
    )
    assert of("read-back", seen=looks(complete=False, why_incomplete="x")).measured == "first: x"
    never = of("read-back", seen=replace(SEEN, first=None))
    assert (never.fit, never.measured, never.voids_loss) == (False, "never taken", True)


@pytest.mark.parametrize(("error_ns", "fit"), [(0, True), (3 * S, True), (3 * S + 1, False)])
def test_clocks_are_known_to_a_twentieth_of_the_shortest_target(error_ns: int, fit: bool) -> None:
    seen = replace(
        observed(clock_error_ns=error_ns), clocks=(ClockHealth(0, 1), ClockHealth(3, error_ns))
    )
    found = of("clock", seen=seen)
    assert found.fit is fit
    assert found.measured.endswith(" in worker 3") is not fit
    assert found.limit == "within 3,000 ms, 5% of the shortest target"
    stepped = replace(SEEN, clocks=(ClockHealth(1, 0, "it stepped"),))
    assert of("clock", seen=stepped).measured.startswith("worker 1: it stepped; error ")
    assert not of("clock", seen=stepped).fit


def test_a_schedule_is_arrivals_and_canaries_in_their_order() -> None:
    seen = replace(
        SEEN, load_begun_ns=100, arrivals_ns={Workload.ORDER_CAPTURE: np.array([5, 1])},
        canaries_ns={Workload.ORDER_CAPTURE: np.array([3])},
    )  # fmt: skip
    times = RunTimes(PLAN, seen, [])
    assert times.due(Workload.ORDER_CAPTURE).within(0, 200).tolist() == [101, 103, 105]
    assert times.due(Workload.FINANCE).within(0, 200).tolist() == []
