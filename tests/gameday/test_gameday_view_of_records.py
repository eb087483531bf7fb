"""The report of a day: every kind of record stands in its lists, and the whole says what they amount to."""

from __future__ import annotations

from typing import get_args

import pytest

from harness.core.gameday import records as said
from harness.core.gameday.plan import Objective, PlannedScenario, Timing
from harness.core.gameday.state import Phase
from harness.core.gameday.view import view_of
from harness.core.verdict import Verdict
from tests.gameday import gameday_cases as cases
from tests.gameday.gameday_cases import ONE, TWO, begun, day, ended, entries, finding, telling

MET, MISSED, OPEN = Verdict.MET, Verdict.MISSED, Verdict.INCONCLUSIVE
LISTS = ("decisions", "deviations", "refused", "aborts", "timeline")
IT = "peakdrill"

RECORDS: list[tuple[said.Said, dict[str, tuple[str, str]]]] = [
    (said.Opened("autumn", "1"), {}),
    (cases.approved(), {"decisions": (
        "tom (lead)", f"approved drill-in-production for {ONE}, {TWO}, until 2026-11-28T12:00:00Z",
    )}),
    (said.ApprovalRefused("tom", "forged"), {"refused": ("tom", "approval refused: forged")}),
    (said.Answered("q", "eva", "stores", True), {"decisions": ("eva (stores)", "q: yes")}),
    (said.Answered("q", "eva", "stores", False, "no"), {"decisions": ("eva (stores)", "q: no: no")}),
    (said.AnswerRefused("q", "eva", "not you"), {"refused": ("eva", "answer to q refused: not you")}),
    (said.Noted("eva", "paged", "2026-11-28T05:59:00Z"), {"timeline": ("eva", "paged")}),
    (said.Held(("a", "b")), {"deviations": (IT, "nothing was started: a; b")}),
    (cases.STARTED, {"decisions": ("ida", "go, by the plan dddddddddddd")}),
    (said.Resumed("ida"), {"deviations": ("ida", "the day was taken up again: its process had gone")}),
    (said.PlatformUp(True), {}),
    (said.PlatformUp(True, "it lay"), {"deviations": (IT, "a fresh platform: it lay")}),
    (said.PlatformDown(), {}),
    (said.Measured("backups", True, "1 h old"), {}),
    (begun(), {}),
    (ended(), {}),
    (ended(interrupted="by a rail"), {
        "deviations": (IT, f"{ONE} was cut short: by a rail"), "aborts": (IT, f"{ONE}: by a rail"),
    }),
    (said.ScenarioLost(ONE, 2, "killed", True), {"deviations": (IT, f"{ONE}, attempt 2: killed")}),
    (cases.WHOLE, {}),
    (cases.BROKEN, {"deviations": (IT, f"not whole after {ONE}: a standby; a broker")}),
    (said.AbortAsked("eva", "smoke"), {
        "decisions": ("eva", "abort: smoke"), "aborts": ("eva", "the day: smoke"),
    }),
    (said.Stopped("it burns"), {"deviations": (IT, "the day stopped: it burns")}),
    (said.Finished(), {}),
    (said.FindingOpened(finding()), {}),
    (said.FindingAgain("autumn", "f", "r"), {}),
    (said.FindingAssigned("autumn", "f", "eva", "2026-12-01", "tom"), {
        "decisions": ("tom", "f: eva, due 2026-12-01"),
    }),
    (said.FindingClosed("autumn", "f", "tom", "a run"), {"decisions": ("tom", "f closed: a run")}),
    (said.Closed("m" * 64, "tom"), {}),
]  # fmt: skip


@pytest.mark.parametrize(("record", "told"), RECORDS, ids=lambda r: getattr(r, "kind", ""))
def test_a_record_is_told_where_it_belongs_and_nowhere_else(
    record: said.Said, told: dict[str, tuple[str, str]]
) -> None:
    view = view_of(day(), entries(record))
    shown = {name: [(line.who, line.what) for line in getattr(view, name)] for name in LISTS}
    assert shown == {name: [told[name]] if name in told else [] for name in LISTS}


def test_every_kind_of_record_is_among_them() -> None:
    assert {type(record) for record, _ in RECORDS} == set(get_args(said.Said))


def whole_day(*of: said.Said) -> list[said.Entry]:
    return entries(cases.STARTED, *of, said.Finished())


@pytest.mark.parametrize(
    ("records", "verdict", "headline"),
    [
        (whole_day(ended(), ended(TWO)), MET, "Yes, as far as this day went: all 2 scenarios met "),
        (whole_day(ended(), ended(TWO, MISSED)), MISSED, f"No: {TWO} missed its targets: it is missed"),
        (whole_day(ended(ONE, MISSED), ended(TWO, MISSED)), MISSED, "it is missed, and 1 more missed"),
        (whole_day(ended()), OPEN, f"Not shown: 1 of 2 scenarios met their targets; {TWO}: it was not"),
        (whole_day(ended(), ended(TWO, Verdict.INVALID)), OPEN, f"{TWO}: it is invalid"),
        (whole_day(ended(), ended(TWO, OPEN)), OPEN, "Not shown: 1 of 2 "),
        (entries(cases.STARTED, ended(), ended(TWO)), OPEN, "2 of 2 scenarios met their targets; the day is going"),
        (entries(ended(), ended(TWO), said.Stopped("x")), OPEN, "the day is stopped"),
        (entries(ended(), ended(TWO), said.Stopped("x"), said.Closed("m", "t")), OPEN, "the day is closed"),
        (entries(), OPEN, f"Not shown: 0 of 2 scenarios met their targets; {ONE}: it was not begun"),
    ],
)  # fmt: skip
def test_what_a_day_amounts_to(records: list[said.Entry], verdict: Verdict, headline: str) -> None:
    view = view_of(day(), records)
    assert view.verdict is verdict
    assert headline in view.headline
    assert (", and " in view.headline) is ("and 1 more" in headline)


def test_when_it_began_and_when_it_was_over() -> None:
    empty = view_of(day(), [])
    assert (empty.begun_utc, empty.ended_utc, empty.phase) == ("", "", Phase.PLANNED)
    view = view_of(
        day(),
        entries(said.Opened("autumn", "1"), cases.STARTED, said.Stopped("x"), said.Finished()),
    )
    assert view.begun_utc == "2026-11-28T06:01:00Z"
    assert view.ended_utc == "2026-11-28T06:03:00Z"


def test_a_scenario_is_shown_as_its_last_attempt_was() -> None:
    absent = (PlannedScenario(ONE, "node-loss", 1.0, ("stores",)), PlannedScenario(TWO, "r", 2.0))
    plan = day(scenarios=absent, absent=("lead",))
    lost = said.ScenarioLost(ONE, 1, "killed", True)
    first, second = view_of(plan, entries(begun(), lost, begun(ONE, 2))).drilled
    assert (first.verdict, first.reason, first.attempts, first.run_id) == (None, "killed", 2, "")
    assert (first.interrupted, first.evidence_digest, first.absent) == ("", "", ("lead", "stores"))
    assert (second.verdict, second.reason, second.attempts) == (None, "it was not begun", 0)
    assert (second.peak, second.absent) == (2.0, ("lead",))
    told = ended(TWO, MISSED, "by a rail")
    done = view_of(plan, entries(begun(TWO, 1), told)).drilled[1]
    assert (done.verdict, done.reason, done.run_id) == (MISSED, told.reason, told.run_id)
    assert (done.attempts, done.interrupted, done.absent) == (1, "by a rail", ("lead",))
    assert done.evidence_digest == told.evidence_digest


@pytest.mark.parametrize(
    ("steps", "verdict", "why"),
    [
        ((ONE,), MET, f"{ONE}: it is met"),
        ((ONE, TWO), MISSED, f"{TWO}: it is missed"),
        (("3-none",), OPEN, "no scenario of this day shows it"),
    ],
)
def test_an_objective_is_as_good_as_the_gravest_run_that_shows_it(
    steps: tuple[str, ...], verdict: Verdict, why: str
) -> None:
    plan = day(objectives=(Objective("we sell on", steps),))
    (result,) = view_of(plan, whole_day(ended(), ended(TWO, MISSED))).results
    assert (result.verdict, result.why) == (verdict, why)


def test_who_was_told_what_and_when() -> None:
    each = telling("each", Timing.BEFORE_SCENARIO)
    plan = day(communications=(
        telling("once"), each, telling("late", Timing.AFTER_DAY),
        telling("second", Timing.AFTER_SCENARIO, scenario=TWO),
    ))  # fmt: skip
    view = view_of(plan, entries(
        said.Answered("once", "tom", "lead", True), begun(), begun(TWO), begun(ONE, 2),
        said.Answered(f"each@{ONE}", "tom", "lead", False),
        said.Answered(f"each@{TWO}", "eva", "lead", True),
    ))  # fmt: skip
    assert [(s.name, s.at_utc, s.who) for s in view.spoken] == [
        ("once", "2026-11-28T06:00:00Z", "tom"),
        (f"each@{ONE}", "", ""),
        (f"each@{TWO}", "2026-11-28T06:05:00Z", "eva"),
        ("late", "", ""),
        (f"second@{TWO}", "", ""),
    ]
    assert (view.spoken[0].whom, view.spoken[0].channel) == ("all stores", "phone")


def test_the_time_line_is_by_the_time_that_was_told() -> None:
    late = said.Noted("a", "later", "2026-11-28T09:00:00+01:00")
    early = said.Noted("b", "before", "2026-11-28T07:59:00Z")
    assert [n.who for n in view_of(day(), entries(early, late)).timeline] == ["b", "a"]
    assert [n.who for n in view_of(day(), entries(late, early)).timeline] == ["b", "a"]


def test_findings_of_this_day_and_those_that_were_carried_are_apart() -> None:
    view = view_of(day(), entries(
        said.FindingOpened(finding("new")), said.FindingOpened(finding("old", "spring")),
    ))  # fmt: skip
    assert [f.name for f in view.findings] == ["new"]
    assert [f.name for f in view.carried] == ["old"]


def test_what_was_not_tested_is_the_plans_and_the_runs() -> None:
    told = ended(ONE, MET, not_checked=("no broker", "no broker"))
    view = view_of(day(not_tested=("tills",)), entries(told, ended(TWO, Verdict.ERROR)))
    assert view.not_tested == (
        "tills", f"{TWO}: begun, and not judged: it is error", f"{ONE}: no broker",
    )  # fmt: skip
    assert view_of(day(), entries(ended())).not_tested == (f"{TWO}: it was not begun",)
    assert view_of(day(), entries(ended(), ended(TWO, MISSED))).not_tested == ()
