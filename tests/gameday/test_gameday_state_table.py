"""The state machine of a day: what comes next after every kind of record, and what each leaves."""

from __future__ import annotations

import pytest

from harness.core.gameday import records as said
from harness.core.gameday.plan import AbortRule, PlannedScenario
from harness.core.gameday.state import BY_SIGNAL, DayState, Do, Next, Phase, next_of
from harness.core.verdict import Verdict
from tests.gameday import gameday_cases as cases
from tests.gameday.gameday_cases import BROKEN, ONE, STARTED, TWO, WHOLE, after, begun, day, ended

LOOKED_TWO = said.Looked(TWO, True)
ABORT = said.AbortAsked("eva", "smoke")
CUT = ended(interrupted="a rail")
LOST, GIVEN_UP = (said.ScenarioLost(ONE, 1, "killed", again) for again in (True, False))
BROKEN_WHY = f"the platform is not whole after {ONE}: a standby; a broker"
RULE = "was cut short, and the day's rule is to stop then"


@pytest.mark.parametrize(
    ("records", "do", "step", "why"),
    [
        ((), Do.START, "", ""),
        ((ABORT,), Do.STOP, "", "aborted by eva: smoke"),
        ((said.Held(("x",)),), Do.START, "", ""),
        ((STARTED,), Do.RUN, ONE, ""),
        ((STARTED, ABORT), Do.STOP, "", "aborted by eva: smoke"),
        ((STARTED, ABORT, said.AbortAsked("tom", "fire")), Do.STOP, "", "aborted by tom: fire"),
        ((STARTED, begun()), Do.SETTLE, ONE, ""),
        ((STARTED, begun(), ABORT), Do.SETTLE, ONE, ""),
        ((STARTED, begun(), ended()), Do.LOOK, ONE, ""),
        ((STARTED, begun(), LOST), Do.LOOK, ONE, ""),
        ((STARTED, begun(), ended(), WHOLE), Do.RUN, TWO, ""),
        ((STARTED, begun(), ended(), BROKEN), Do.STOP, ONE, BROKEN_WHY),
        ((STARTED, begun(), ended(), BROKEN, WHOLE), Do.RUN, TWO, ""),
        ((STARTED, begun(), ended(), WHOLE, ABORT), Do.STOP, ONE, "aborted by eva: smoke"),
        ((STARTED, begun(), CUT, WHOLE), Do.STOP, ONE, f"{ONE} {RULE}: a rail"),
        ((STARTED, begun(), LOST, WHOLE), Do.RUN, ONE, ""),
        ((STARTED, begun(), LOST, WHOLE, begun(ONE, 2)), Do.SETTLE, ONE, ""),
        ((STARTED, begun(), LOST, WHOLE, begun(ONE, 2), ended()), Do.LOOK, ONE, ""),
        ((STARTED, begun(), LOST, begun(), ended(), WHOLE), Do.RUN, TWO, ""),
        ((STARTED, begun(), GIVEN_UP, WHOLE), Do.STOP, ONE, f"{ONE} {RULE}: killed"),
        ((STARTED, begun(), ended(), WHOLE, begun(TWO)), Do.SETTLE, TWO, ""),
        ((STARTED, begun(), ended(), WHOLE, begun(TWO), ended(TWO)), Do.LOOK, TWO, ""),
        ((STARTED, begun(), ended(), WHOLE, begun(TWO), ended(TWO), LOOKED_TWO), Do.FINISH, "", ""),
        ((STARTED, said.Stopped("x")), Do.NOTHING, "", "the day is stopped"),
        ((STARTED, said.Finished()), Do.NOTHING, "", "the day is finished"),
        ((STARTED, said.Finished(), said.Closed("m", "tom")), Do.NOTHING, "", "the day is closed"),
    ],
)
def test_what_comes_next(records: tuple[said.Said, ...], do: Do, step: str, why: str) -> None:
    assert next_of(day(), after(*records)) == Next(do, step, why)


@pytest.mark.parametrize(
    ("then", "told", "do"),
    [
        ("stop", "a rail", Do.STOP),
        ("next", "a rail", Do.RUN),
        ("next", f"{BY_SIGNAL}INT", Do.STOP),
        ("stop", f"{BY_SIGNAL}TERM", Do.STOP),
        ("next", "", Do.RUN),
    ],
)
def test_who_ends_a_drill_by_hand_ends_the_day_whatever_its_rule(
    then: str, told: str, do: Do
) -> None:
    plan = day(abort=AbortRule(then=then))  # type: ignore[arg-type]
    cut = next_of(plan, after(STARTED, begun(), ended(interrupted=told), WHOLE))
    lost = said.ScenarioLost(ONE, 1, told, again=False)
    given_up = next_of(plan, after(STARTED, begun(), lost, WHOLE))
    assert cut.do is given_up.do is do
    assert (cut.step, given_up.step) == ((ONE, ONE) if do is Do.STOP else (TWO, TWO))
    assert ("by hand" in cut.why) is ("by hand" in given_up.why) is told.startswith(BY_SIGNAL)


def test_a_drill_that_is_tried_again_is_not_cut_short() -> None:
    lost = said.ScenarioLost(ONE, 1, f"{BY_SIGNAL}KILL", again=True)
    assert next_of(day(), after(STARTED, begun(), lost, WHOLE)).do is Do.RUN


def test_a_day_of_nothing_is_finished() -> None:
    assert next_of(day(scenarios=()), after(STARTED)) == Next(Do.FINISH)


@pytest.mark.parametrize(
    ("records", "over"),
    [
        ((), False),
        ((begun(),), False),
        ((begun(), LOST), False),
        ((begun(), GIVEN_UP), True),
        ((begun(), GIVEN_UP, begun(ONE, 2)), False),
        ((begun(), ended()), True),
        ((begun(), ended(), begun(ONE, 2)), False),
        ((begun(), GIVEN_UP, begun(ONE, 2), LOST), False),
    ],
)
def test_a_scenario_is_over_once_it_was_judged_or_given_up(
    records: tuple[said.Said, ...], over: bool
) -> None:
    assert after(*records).step(ONE).is_over is over


def test_what_each_record_leaves() -> None:
    assert after() == DayState()
    assert after(said.Opened("autumn", "1"), said.Resumed("ida"), said.Held(())) == DayState()
    started = after(STARTED)
    assert (started.phase, started.started) == (Phase.GOING, STARTED)
    stopped = after(STARTED, said.Stopped("it burns"))
    assert (stopped.phase, stopped.stopped_why) == (Phase.STOPPED, "it burns")
    assert after(said.Finished()).phase is Phase.FINISHED
    assert after(said.Closed("m", "t")).phase is Phase.CLOSED
    assert [a.approval.who for a in after(cases.approved(), cases.approved("eva")).approvals] == [
        "tom", "eva",
    ]  # fmt: skip
    assert after(ABORT, ABORT).aborts == (ABORT, ABORT)


@pytest.mark.parametrize(
    ("records", "own"),
    [
        ((), False),
        ((said.PlatformUp(True),), True),
        ((said.PlatformUp(False),), False),
        ((said.PlatformUp(True), said.PlatformDown()), False),
        ((said.PlatformDown(), said.PlatformUp(True)), True),
    ],
)
def test_whether_a_platform_of_its_own_is_up(records: tuple[said.Said, ...], own: bool) -> None:
    assert after(*records).own_platform is own


def test_the_latest_answer_and_the_latest_measurement_count() -> None:
    yes, no = (said.Answered("q", "tom", "lead", told) for told in (True, False))
    other = said.Answered("r", "tom", "lead", True)
    state = after(yes, other, no)
    assert state.answers == (other, no)
    assert (state.answer("q"), state.answer("r"), state.answer("s")) == (no, other, None)
    holds, fails = (said.Measured("whole", told, "x") for told in (True, False))
    backups = said.Measured("backups", True, "x")
    assert after(holds, backups, fails).measured == (backups, fails)


def test_the_scenario_that_was_touched_last_stands_last() -> None:
    state = after(begun(), begun(TWO), ended(ONE))
    assert [s.step for s in state.steps] == [TWO, ONE]
    assert (state.step(ONE).begun, state.step(ONE).ended) == (None, ended())
    assert state.step(TWO).begun == begun(TWO)
    again = after(begun(), ended(), WHOLE, begun(ONE, 2)).step(ONE)
    assert (again.attempts, again.looked) == (2, None)
    assert after(begun(), LOST, begun(ONE, 2), GIVEN_UP).step(ONE).lost == (LOST, GIVEN_UP)
    assert after(begun(), LOST).step(ONE).begun is None


def test_findings_are_opened_found_again_assigned_and_closed_each_its_own() -> None:
    a, b = cases.finding("a"), cases.finding("a", "spring")
    opened = (said.FindingOpened(a), said.FindingOpened(b))
    state = after(
        *opened, said.FindingAgain("spring", "a", "r1"), said.FindingAgain("spring", "a", "r2")
    )
    assert [f.seen_again for f in state.findings] == [(), ("r1", "r2")]
    state = after(
        *opened, said.FindingAssigned("autumn", "a", "eva", "", "tom"),
        said.FindingAssigned("autumn", "a", "", "2026-12-01", "tom"),
    )  # fmt: skip
    assert [(f.owner, f.due) for f in state.findings] == [("eva", "2026-12-01"), ("", "")]
    state = after(*opened, said.FindingClosed("autumn", "a", "tom", "a run"))
    assert [(f.closed_utc, f.closed_by, f.proof) for f in state.findings] == [
        ("2026-11-28T06:02:00Z", "tom", "a run"), ("", "", ""),
    ]  # fmt: skip
    worse = cases.finding("a", what="worse")
    assert after(*opened, said.FindingOpened(worse)).findings == (b, worse)
    assert state.finding("a") == state.findings[0]
    assert state.finding("spring:a") == b
    assert state.finding("c") is None


def test_a_step_that_the_plan_does_not_name_holds_nothing_up() -> None:
    plan = day(scenarios=(PlannedScenario(TWO, "ransomware"),))
    state = after(STARTED, begun(), ended(ONE, Verdict.MET), WHOLE)
    assert next_of(plan, state) == Next(Do.RUN, TWO)
