"""Sentences and sums from values made by hand: one and many, none and some, the worst first."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.core import many_runs, reasons
from harness.core.judge import judge
from harness.core.money_values import Cost, Money, Risk, Sum, WorkloadMoney
from harness.core.operation import Workload
from harness.core.outcome import Outcome
from harness.core.side_by_side import side_by_side
from harness.core.verdict import (
    Finding,
    FitnessFinding,
    RecoveryPoint,
    RecoveryTime,
    UnprotectedWindow,
    Verdict,
    WorkloadJudgement,
    WriteCounts,
)
from harness.core.wording import gap, losses, milliseconds, money, outage, recovery, seconds
from tests.core import simulate
from tests.core.judged_runs import run
from tests.history.outcomes_made import MET as RUN

S = 10**9
MET, MISSED, OPEN, INVALID = (
    Verdict.MET, Verdict.MISSED, Verdict.INCONCLUSIVE, Verdict.INVALID,
)  # fmt: skip
ORDERS, TILLS = Workload.ORDER_CAPTURE, Workload.POINT_OF_SALE


def finding(name: str, verdict: Verdict, workload: Workload | None = None) -> Finding:
    return Finding("c", workload, verdict, name)


def judged(workload: Workload, *found: Finding) -> WorkloadJudgement:
    return WorkloadJudgement(workload, MET, None, None, found)


def told(
    verdict: Verdict, *platform: Finding, workloads: tuple[WorkloadJudgement, ...] = (),
    fit: tuple[FitnessFinding, ...] = (), first: tuple[str, ...] = (),
) -> tuple[str, ...]:  # fmt: skip
    return reasons.reasons(verdict, workloads, platform, fit, first=first)


@pytest.mark.parametrize(
    ("count", "named"), [(1, "0"), (2, "0; 1"), (3, "0; 1; and 1 more"), (5, "0; 1; and 3 more")]
)
@pytest.mark.parametrize(("verdict", "word"), [(MISSED, "Not safe"), (OPEN, "Not proven")])
def test_two_are_named_and_the_rest_is_counted(
    count: int, named: str, verdict: Verdict, word: str
) -> None:
    found = [finding("met", MET), *(finding(str(n), verdict) for n in range(count))]
    assert told(verdict, *found)[0] == f"{word}: {named}"


def test_the_answer_is_followed_by_what_must_be_told_first_and_nothing_twice() -> None:
    unfit = FitnessFinding("canary", False, "9 Hz", "10 Hz")
    mine = judged(
        ORDERS,
        finding("order-capture: a", MISSED, ORDERS),
        finding("order-capture: b", MET, ORDERS),
    )
    lines = told(
        MISSED, finding("p", MET), finding("p", MET), workloads=(mine, judged(TILLS)),
        fit=(unfit, replace(unfit, name="x", fit=True)), first=("gap",),
    )  # fmt: skip
    assert lines == (
        "Not safe: order-capture: a", "gap", "canary: 9 Hz (asked: 10 Hz)", "order-capture: a; b", "p",
    )  # fmt: skip


def test_nothing_checked_is_not_proven_and_an_unfit_run_says_in_what() -> None:
    assert told(OPEN) == ("Not proven: nothing was checked",)
    two = tuple(FitnessFinding(n, False, f"{n}!", "") for n in ("canary", "lag"))
    fit = FitnessFinding("effect", True, "seen", "")
    assert told(INVALID, fit=(*two, fit))[0] == "Not judged: canary: canary!; lag: lag!"
    effect = replace(fit, fit=False)
    assert told(INVALID, fit=(*two, effect))[0].startswith("Not judged: no effect was observed")
    cut = FitnessFinding("uninterrupted", False, "SIGINT", "")
    assert told(INVALID, fit=(effect, cut))[0] == "Not judged: the run was interrupted: SIGINT"


def point(**counts: object) -> RecoveryPoint:
    return RecoveryPoint(0, 0, WriteCounts(**counts), WriteCounts(), "second")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("found", "restored", "said"),
    [
        (None, False, []),
        (replace(point(acked=9), target_ns=None), False, []),
        (point(acked=0), False, []),
        (point(acked=9), False, ["0 of 9 orders lost bounds the rate of loss below 3/9 at 95%"]),
        (point(acked=9, lost=1), False, []),
        (point(acked=9, lost=1, lost_is_suffix=False), False, ["points to split brain rather than to lag"]),
        (point(acked=9, lost=1, lost_is_suffix=False), True, ["what replay did not bring back, or split"]),
        (point(acked=9, lost=1, duplicate_by_retry=2), False, ["2 executed twice after a retry"]),
        (point(acked=9, lost=0, absent=1), False, ["0 lost for certain; with the 1", "0 of 9 orders"]),
    ],
)  # fmt: skip
def test_what_a_reader_of_one_workload_must_know(
    found: RecoveryPoint | None, restored: bool, said: list[str]
) -> None:
    made = reasons._notes_of(WorkloadJudgement(ORDERS, MET, None, found, ()), restored=restored)
    assert len(made) == len(said)
    for note, part in zip(made, said, strict=True):
        assert part in note


def test_a_platform_that_is_not_whole_at_the_end_is_a_note() -> None:
    plan, seen = run()
    broken = replace(seen.observation, whole_after=False, whole_after_why="node b is away")
    whole, other = judge(plan, seen), judge(plan, replace(seen, observation=broken))
    extra = "platform not whole at the end: node b is away"
    assert extra in other.notes
    assert extra not in whole.notes
    assert [n for n in other.notes if n != extra] == list(whole.notes)


def test_what_was_not_checked_is_named() -> None:
    plan, _ = run()
    lines = reasons.not_checked(plan)
    assert "finance-reporting: no targets declared" in lines
    assert not any(line.startswith("order-capture: no targets") for line in lines)
    assert not any("not applicable" in line for line in lines)
    (orders,) = plan.targets.workloads
    none = replace(orders, rpo_s=None)
    for reason, said in (("", "no reason given"), ("read only", "read only")):
        bare = replace(none, rpo_not_applicable_reason=reason)
        changed = replace(plan, targets=replace(plan.targets, workloads=(bare,)))
        assert f"order-capture rpo: not applicable: {said}" in reasons.not_checked(changed)
    everything = {line.split(":")[0] for line in reasons.not_checked(simulate.plan_of())}
    named = {check.name for check in simulate.plan_of().scenario.checks}
    assert not named & everything


def outcome(verdict: Verdict = MET, *, lost: int = 0, **changed: object) -> Outcome:
    (orders, *rest) = RUN.workloads
    told_ = (replace(orders, lost=lost), *rest)
    return replace(RUN, verdict=verdict, **{"workloads": told_, **changed})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("made", "said"),
    [
        ([], "Not known: no run matches."),
        ([outcome(), outcome(proven_loss=True), outcome(MISSED)], "Not safe: 1 of 3 runs lost or damaged"),
        ([outcome(MISSED), outcome()], "Not safe: 1 of 2 runs missed an objective, no loss proven; last: "),
        ([outcome(MISSED), outcome(lost=2)], "objective, 2 writes lost, none proven beyond its limit; last"),
        ([outcome(OPEN), outcome()], "Not proven: 1 of 2 runs met their objectives; 1 inconclusive."),
        ([outcome(unproven=True), outcome()], "Not proven: 1 of 2 runs met their objectives; 1 unproven."),
        ([outcome(OPEN, unproven=True)], "Not proven: 0 of 1 run met their objectives; 1 inconclusive."),
        ([outcome(size="smoke")], "1 run met their objectives, all of them smoke. What"),
        ([outcome(size="smoke"), outcome(size="full")], "2 runs met their objectives. What"),
        ([outcome(size="full", lost=1_000), outcome(lost=2)], "objectives; 1,002 writes were lost, as they"),
    ],
)  # fmt: skip
def test_one_sentence_over_many_runs(made: list[Outcome], said: str) -> None:
    assert said in many_runs.answer(made)


def test_the_last_of_the_worst_is_named() -> None:
    made = [
        outcome(MISSED, run_id="a"),
        outcome(MISSED, run_id="b", release=""),
        outcome(run_id="c"),
    ]
    assert many_runs.answer(made).endswith(
        f"last: {made[1].begun_utc[:10]} node-loss, no release (b)."
    )
    assert many_runs.verdicts(
        [outcome(v) for v in (MET, OPEN, MISSED, OPEN, Verdict.ERROR, INVALID)]
    ) == ("1 missed, 1 error, 1 invalid, 2 inconclusive, 1 met")


def sides(before: list[Outcome], after: list[Outcome]) -> str:
    made = [*(replace(o, release="old", run_id=f"o{n}") for n, o in enumerate(before)),
            *(replace(o, release="new", run_id=f"n{n}") for n, o in enumerate(after))]  # fmt: skip
    return side_by_side(made, "old", "new").answer


def test_two_releases_in_one_sentence_the_candidate_s_worst_first() -> None:
    lossy = outcome(MISSED, proven_loss=True)
    assert sides([outcome()], []) == "Not known: there is no run of new."
    assert sides([], [outcome()]) == "Not known: there is no run of old."
    assert sides([lossy, outcome()], [lossy, outcome(), outcome()]) == (
        "Not safe: 1 of 3 runs of new lost or damaged acknowledged writes; of old, 1 of 2."
    )
    assert sides([outcome()], [outcome(MISSED)]).startswith(
        "Not safe: new missed objectives. new: 1 missed"
    )
    assert sides([outcome()], [outcome(size="full")]).startswith("Not comparable: ")
    assert sides([outcome()], [outcome()]).endswith("new: 1 met; old: 1 met.")
    assert sides([lossy], [outcome()]).endswith(". old lost writes in 1 run.")


@pytest.mark.parametrize(("changed", "rest"), [({}, ""), ({"told": "by hand"}, "; by hand")])
@pytest.mark.parametrize(("lost", "some"), [(None, ""), (0, ""), (2, ", 2 of them lost")])
@pytest.mark.parametrize(("cents", "worth"), [(0, ""), (150, " (EUR 1.50)")])
def test_a_gap_in_the_protection(
    changed: dict[str, str], rest: str, lost: int | None, some: str, cents: int, worth: str
) -> None:
    window = UnprotectedWindow(0, 30 * S, 30 * S + 1, 7, cents, lost, "")
    assert gap(replace(window, **changed), "EUR") == (
        "Nothing was protected for 30.1 s, from 0.0 s after the fault until 30.0 s after the fault: "
        f"7 writes acknowledged meanwhile{worth}{some}{rest}"
    )


@pytest.mark.parametrize(
    ("ns", "down", "up"),
    [(0, "0.0", "0.0"), (1, "0.0", "0.1"), (S // 10, "0.1", "0.1"), (S // 10 - 1, "0.0", "0.1"), (61 * S, "61.0", "61.0")],
)  # fmt: skip
def test_seconds_are_rounded_away_from_their_own_favour(ns: int, down: str, up: str) -> None:
    assert (seconds(ns), seconds(ns, up=True)) == (down, up)


def test_figures_in_sentences() -> None:
    assert [milliseconds(ns) for ns in (0, 1, 10**6, 10**6 + 1)] == ["0 ms", "1 ms", "1 ms", "2 ms"]
    assert [money(c, "EUR") for c in (0, 5, 99, 100, 123_456)] == [
        "EUR 0.00", "EUR 0.05", "EUR 0.99", "EUR 1.00", "EUR 1,234.56",
    ]  # fmt: skip
    assert outage(1, S) == "down for 0.0-1.0 s"
    assert outage(0, S) == "down for at most 1.0 s"
    counts = WriteCounts(acked=9, waiting=1, stale=3)
    assert losses(TILLS, counts, "EUR") == (
        "0 of 9 acknowledged sales lost; 3 stale; 1 not stored, and the queue was not seen drained"
    )


@pytest.mark.parametrize(
    ("changed", "clock", "said"),
    [
        ({}, "fault", "down for 20.0-21.0 s, objective 60 s"),
        ({"high_ns": None}, "fault", "not back, down for at least 20.0 s, objective 60 s"),
        ({"high_ns": None, "well_at_end": True}, "fault", "back too late to be sure, down for at least 20.0 s, "),
        ({"well_at_end": True}, "fault", "down for 20.0-21.0 s"),
        ({"outage_low_ns": 5 * S, "outage_high_ns": 6 * S}, "outage", "down for 5.0-6.0 s"),
        ({"outage_low_ns": 5 * S, "outage_high_ns": 6 * S}, "fault", "down for 20.0-21.0 s"),
        ({}, "outage", "down for 20.0-21.0 s"),
    ],
)  # fmt: skip
def test_a_recovery_time_in_words(changed: dict[str, object], clock: str, said: str) -> None:
    made = RecoveryTime(60 * S, 20 * S, 21 * S, True, 90 * S, 0, 0)
    assert recovery(replace(made, **changed), clock).startswith(said)  # type: ignore[arg-type]


def each(n: int) -> Risk:
    return Risk(*(Sum(n + k, 10 * (n + k)) for k in range(5)))


def test_sums_of_orders_add_up_class_by_class() -> None:
    assert Sum(1, 20) + Sum(3, 500) == Sum(4, 520)
    one, two = each(1), each(10)
    assert one.low == Sum(1 + 2 + 3, 60)
    assert one.high == Sum(1 + 2 + 3 + 4 + 5, 150)
    assert replace(one, read_whole=False).high is None
    both = one + two
    assert both == Risk(Sum(11, 110), Sum(13, 130), Sum(15, 150), Sum(17, 170), Sum(19, 190))
    assert not (replace(one, read_whole=False) + two).read_whole
    assert not (one + replace(two, read_whole=False)).read_whole
    taken = replace(one, gone=Sum(1, 10))
    assert (taken + two).gone == (two + taken).gone == Sum(1, 10)
    assert (taken + taken).gone == Sum(2, 20)
    assert both.gone is None


def test_what_was_at_risk_is_of_workloads_that_carry_revenue() -> None:
    orders, invoices = WorkloadMoney(ORDERS, 500, 9, each(1)), WorkloadMoney(TILLS, 0, 0, each(9))
    made = Money("EUR", (orders, invoices))
    assert made.risk == each(1)
    assert made.has_revenue
    nothing = Money("EUR", (replace(orders, risk=None), replace(invoices, risk=None)))
    assert nothing.risk is None
    assert Money("EUR", (invoices,)).risk == Risk()
    assert not Money("EUR", (invoices,)).has_revenue
    assert Money("EUR", (replace(orders, risk=None), invoices)).risk == Risk()


@pytest.mark.parametrize(
    ("cents", "bad_s", "per_minute"),
    [(100, 0, None), (100, 60, 100), (100, 1, 6000), (1, 120, 1), (1, 121, 0), (100, 7, 857)],
)
def test_what_a_bad_minute_costs_is_rounded_to_the_cent(
    cents: int, bad_s: int, per_minute: int | None
) -> None:
    assert Money("EUR", (), bad_s).per_bad_minute(cents) == per_minute


@pytest.mark.parametrize(
    ("per_hour", "stretch_ns", "good", "cost"),
    [
        (36_00, 3600 * S, 10**6, 36_00), (36_00, S, 10, 10**5), (1, 3600 * S, 2 * 10**6, 1),
        (1, 3600 * S, 2 * 10**6 + 1, 0), (1, 0, 9, None), (1, -S, 9, None), (1, S, 0, None),
        (3600, 1, 1, 0), (36_00, 10, 1, 0), (36_00, 10**6, 1, 10**3),
    ],
)  # fmt: skip
def test_a_million_good_answers_cost(
    per_hour: int, stretch_ns: int, good: int, cost: int | None
) -> None:
    assert Cost(per_hour, stretch_ns, good).per_million_cents == cost
