"""The rules of a day one by one: who may approve and answer, and what keeps it from going on."""

from __future__ import annotations

import datetime as dt

import pytest

from harness.core.gameday import records as said
from harness.core.gameday.absence import absences
from harness.core.gameday.plan import PlannedScenario, Timing
from harness.core.gameday.rules import (
    NO_ACTION,
    Refusal,
    acting_role,
    approvals_needed,
    freeze_at,
    into_a_freeze,
    lacking_approvals,
    measured_checks,
    missing_for_go,
    missing_for_step,
    outside,
    refusal_of,
    refused_answer,
    roles_for,
    standing_approvals,
    told_key,
    unanswered,
    untold,
)
from harness.core.policy import Freeze, Policy
from harness.core.targets import Approval
from tests.gameday.gameday_cases import (
    ALWAYS,
    DEPUTY,
    LEAD,
    ONE,
    TWO,
    after,
    approved,
    begun,
    day,
    ended,
    entries,
    question,
    telling,
)

NOON = dt.datetime(2026, 11, 28, 11, 0, tzinfo=dt.UTC)
ACTION = "drill-in-production"
POLICY = Policy(approvals=(Approval(ACTION, ("lead", "owner")), Approval("other", ("stores",))))
SECOND = dt.timedelta(seconds=1)


@pytest.mark.parametrize(
    ("action", "disposable", "needed"), [(ACTION, False, 2), ("", False, 2), (ACTION, True, 1), ("", True, 0)]
)  # fmt: skip
def test_how_many_must_approve(action: str, disposable: bool, needed: int) -> None:
    assert approvals_needed(day(action=action), disposable=disposable) == needed


@pytest.mark.parametrize(
    ("changed", "key_id", "used", "why"),
    [
        ({}, "key-tom", (), None),
        ({"who": "max"}, "key-tom", (), "max is no participant of autumn"),
        ({"who": "kim"}, "key-tom", (), "kim has no approval key"),
        ({}, "key-eva", (), "forged"),
        ({}, "key-tom", ("nonce-tom",), "replayed"),
        ({}, "key-tom", ("nonce-eva",), None),
        ({"day": "spring"}, "key-tom", (), "it is for the day spring, not for autumn"),
        ({"plan_digest": "c" * 64}, "key-tom", (), "it is for another plan"),
        ({"expires_utc": "2026-11-28T11:00:00Z"}, "key-tom", (), "expired at"),
        ({"expires_utc": "2026-11-28T11:00:01Z"}, "key-tom", (), None),
        ({"action": "other"}, "key-tom", (), "it is for the action other"),
        ({"scenarios": ()}, "key-tom", (), "it names no scenario of the day: none at all"),
        ({"scenarios": (ONE, "9-x")}, "key-tom", (), "it names no scenario of the day: 9-x"),
        ({"scenarios": (TWO,)}, "key-tom", (), None),
        ({"who": "eva"}, "key-eva", (), "the role platform may not approve drill-in-production; who may: lead, owner"),
        ({"who": "ida"}, "key-ida", (), "ida asked for the day, and cannot approve it too"),
    ],
)  # fmt: skip
def test_an_approval_holds_or_is_refused_with_its_reason(
    changed: dict[str, object], key_id: str, used: tuple[str, ...], why: str | None
) -> None:
    from harness.core.gameday.plan import Participant

    plan = day(
        participants=(
            LEAD,
            DEPUTY,
            Participant("kim", "lead"),
            Participant("ida", "lead", "key-ida"),
        )
    )
    given = approved(**changed).approval  # type: ignore[arg-type]
    found = refusal_of(given, plan, POLICY, now=NOON, key_id=key_id, used=used)
    assert (found is None) is (why is None)
    if found is not None and why is not None:
        assert found.why.startswith(why)
        assert found.absent == ""


def test_an_absent_role_is_approved_for_by_its_deputy_alone() -> None:
    away = day(scenarios=(PlannedScenario(ONE, "x", 1.0, ("lead",)), PlannedScenario(TWO, "y")))

    def why(who: str, *steps: str, plan=away) -> Refusal | None:  # type: ignore[no-untyped-def]
        given = approved(who, steps).approval
        return refusal_of(given, plan, POLICY, now=NOON, key_id=f"key-{who}", used=())

    assert why("tom", TWO) is None
    assert why("tom", ONE) == Refusal(f"lead is absent in {ONE}; deputy: eva", "lead")
    assert why("tom", TWO, ONE) == Refusal(f"lead is absent in {TWO}, {ONE}; deputy: eva", "lead")
    assert why("eva", ONE) is None
    assert why("eva", TWO) is not None
    alone = day(participants=(LEAD,), absent=("lead",))
    assert why("tom", ONE, plan=alone) == Refusal(
        f"lead is absent in {ONE}; deputy: nobody: name one in gameday.yaml", "lead"
    )
    absent_and_not_allowed = day(absent=("platform",))
    refused = why("eva", ONE, plan=absent_and_not_allowed)
    assert refused is not None
    assert (refused.absent, refused.why.split(" may not")[0]) == ("", "the role platform")


def test_who_may_approve_what() -> None:
    assert roles_for(ACTION, POLICY) == {"lead", "owner"}
    assert roles_for("other", POLICY) == {"stores"}
    assert roles_for("none", POLICY) == frozenset()


def test_in_which_role_somebody_acts() -> None:
    everything = frozenset({"lead", "platform", "stores"})
    assert acting_role(day(), "max", everything, frozenset()) == ""
    assert acting_role(day(), "eva", everything, frozenset({"lead"})) == "platform"
    assert (
        acting_role(day(), "eva", everything - {"platform"}, frozenset({"stores", "lead"}))
        == "lead"
    )
    assert acting_role(day(), "eva", frozenset({"lead"}), frozenset()) == ""
    assert acting_role(day(), "tom", everything, frozenset({"lead"})) == ""


def test_who_may_answer_for_a_role() -> None:
    plan = day(scenarios=(PlannedScenario(ONE, "x", 1.0, ("lead",)), PlannedScenario(TWO, "y")))
    assert refused_answer(plan, "lead", "tom", (TWO,)) is None
    assert refused_answer(plan, "lead", "tom", (ONE,)) == Refusal(
        "lead is absent; deputy: eva", "lead"
    )
    assert refused_answer(plan, "lead", "eva", (ONE,)) is None
    assert refused_answer(plan, "lead", "max", ()) == Refusal("max is no participant of autumn")
    assert refused_answer(plan, "stores", "tom", ()) == Refusal(
        "this is for stores to answer, and tom is lead"
    )
    alone = day(participants=(LEAD,), absent=("lead",))
    found = refused_answer(alone, "lead", "tom", ())
    assert found == Refusal("lead is absent; deputy: nobody: name one in gameday.yaml", "lead")


def test_approvals_that_stand_are_of_different_people_for_this_plan_step_and_hour() -> None:
    def people(*given: said.Approved, step: str = ONE, now: dt.datetime = NOON) -> list[str]:
        return [g.approval.who for g in standing_approvals(day(), after(*given), step, now)]

    assert people(approved(), approved("eva"), approved()) == ["tom", "eva"]
    assert people(approved("tom", (TWO,))) == []
    assert people(approved("tom", (TWO,)), step=TWO) == ["tom"]
    assert people(approved(plan_digest="c" * 64)) == []
    until = dt.datetime(2026, 11, 28, 12, 0, tzinfo=dt.UTC)
    assert people(approved(), now=until - SECOND) == ["tom"]
    assert people(approved(), now=until) == []


def test_what_lacks_approval_is_told_by_scenario() -> None:
    def lacking(
        *given: said.Said, disposable: bool = False, action: str = ACTION
    ) -> tuple[str, ...]:
        return lacking_approvals(day(action=action), after(*given), now=NOON, disposable=disposable)

    both = tuple(
        f"{s} needs 2 approvals by different people for {ACTION}, and has 0" for s in (ONE, TWO)
    )
    assert lacking() == both
    assert lacking(approved(), approved("eva", (ONE,))) == (
        f"{TWO} needs 2 approvals by different people for {ACTION}, and has 1",
    )
    assert lacking(approved(), approved("eva")) == ()
    assert lacking(disposable=True)[0] == f"{ONE} needs 1 approval for {ACTION}, and has 0"
    assert lacking(approved(), disposable=True) == ()
    assert lacking(begun(), ended()) == both[1:]
    assert lacking(begun(), said.ScenarioLost(ONE, 1, "x", True)) == both
    assert lacking(action="") == (NO_ACTION,)
    assert lacking(action="", disposable=True) == ()


FREEZE = Freeze("cyber", "2026-11-28T11:00:00Z", "2026-11-28T12:00:00Z")
FROZEN = Policy(freezes=(FREEZE,))


@pytest.mark.parametrize(("at_s", "frozen"), [(-1, False), (0, True), (3599, True), (3600, False)])
def test_a_freeze_holds_from_its_first_instant_to_before_its_last(at_s: int, frozen: bool) -> None:
    now = NOON + at_s * SECOND
    assert (freeze_at(FROZEN, now) == FREEZE) is frozen
    told = outside(day(), FROZEN, now)
    assert len(told) == int(frozen)
    assert all(text.startswith("trading freeze cyber until ") for text in told)
    closed = outside(day(windows=()), FROZEN, now)
    assert closed == (*told, "outside the windows of gameday.yaml")
    assert outside(day(windows=(ALWAYS, ALWAYS)), Policy(), now) == ()


@pytest.mark.parametrize(
    ("begins_in_s", "lasts_s", "into"),
    [
        (0, 60, False),
        (1, 60, True),
        (59, 60, True),
        (60, 60, False),
        (1, 0, False),
        (-1, 60, False),
    ],
)
def test_what_would_still_go_on_when_a_freeze_begins(
    begins_in_s: int, lasts_s: float, into: bool
) -> None:
    told = into_a_freeze(FROZEN, NOON - begins_in_s * SECOND, lasts_s)
    assert len(told) == int(into)
    assert all(
        text.startswith("trading freeze cyber begins at 2026-11-28T11:00:00Z") for text in told
    )


def test_questions_need_the_wanted_answer() -> None:
    plan = day(checks=(question(), question("no-sale", wanted=False, ask="Is there a sale?"),
                       question("whole", kind="platform-whole")))  # fmt: skip

    def told(*given: said.Said) -> tuple[str, ...]:
        return unanswered(plan, after(*given))

    yes, no = (said.Answered("till-staff", "eva", "stores", a) for a in (True, False))
    sale, none = (said.Answered("no-sale", "eva", "stores", a) for a in (True, False))
    assert told() == (
        "till-staff is not answered by stores: Are they there?",
        "no-sale is not answered by stores: Is there a sale?",
    )
    assert told(yes, none) == ()
    assert told(no, sale) == (
        "till-staff was answered no by eva",
        "no-sale was answered yes by eva",
    )
    assert [c.check for c in measured_checks(plan)] == ["whole"]


def test_who_is_still_to_be_told() -> None:
    each = telling("each", Timing.BEFORE_SCENARIO)
    second = telling("second", Timing.BEFORE_SCENARIO, scenario=TWO)
    once, late = telling("once"), telling("late", Timing.AFTER_DAY)
    plan = day(communications=(each, second, once, late))
    answers = [
        said.Answered(f"each@{ONE}", "tom", "lead", True),
        said.Answered("once", "tom", "lead", False),
    ]
    assert untold(plan, after(), Timing.BEFORE_SCENARIO, ONE) == (each,)
    assert untold(plan, after(), Timing.BEFORE_SCENARIO, TWO) == (each, second)
    assert untold(plan, after(*answers), Timing.BEFORE_SCENARIO, ONE) == ()
    assert untold(plan, after(*answers), Timing.BEFORE_SCENARIO, TWO) == (each, second)
    assert untold(plan, after(*answers), Timing.BEFORE_DAY) == (once,), (
        "who says no has told nobody"
    )
    assert [told_key(c, ONE) for c in plan.communications] == [
        f"each@{ONE}",
        f"second@{ONE}",
        "once",
        "late",
    ]
    assert told_key(telling("x", Timing.AFTER_SCENARIO), TWO) == f"x@{TWO}"


def test_everything_that_lacks_is_told_before_a_day_and_before_a_scenario() -> None:
    plan = day(
        windows=(), checks=(question(),),
        communications=(telling(), telling("each", Timing.BEFORE_SCENARIO)),
    )  # fmt: skip
    told = missing_for_go(plan, FROZEN, after(), now=NOON, disposable=False)
    assert [text.split(" ")[0] for text in told] == [
        "trading", "outside", ONE, TWO, "till-staff", "nobody",
    ]  # fmt: skip
    assert told[-1] == "nobody has confirmed stores: lead tells all stores by phone"
    planned = plan.scenarios[1]
    before = NOON - 60 * SECOND
    told = missing_for_step(
        plan, FROZEN, after(), planned, now=before, disposable=False, lasts_s=61
    )
    assert [text.split(" ")[0] for text in told] == ["outside", "trading", TWO, "nobody"]
    assert told[-1] == f"nobody has confirmed each@{TWO}: lead tells all stores by phone"
    quick = missing_for_step(plan, FROZEN, after(), planned, now=before, disposable=False)
    assert [text.split(" ")[0] for text in quick] == ["outside", TWO, "nobody"]
    unnamed = day(action="")
    assert missing_for_step(unnamed, Policy(), after(), planned, now=NOON, disposable=False) == (
        NO_ACTION,
    )


def refused_for(role: str) -> said.AnswerRefused:
    return said.AnswerRefused("q", "tom", "absent", absent=role)


def test_what_an_absence_cost() -> None:
    plan = day(
        absent=("lead",), scenarios=(PlannedScenario(ONE, "x", 1.0, ("stores", "lead")), PlannedScenario(TWO, "y", 1.0, ("stores",)))
    )  # fmt: skip
    stood = said.Answered("q", "eva", "lead", True)
    own = said.Answered("q", "tom", "lead", True)
    lead, stores = absences(plan, entries(
        own, refused_for("lead"), refused_for("lead"), refused_for("other"), stood, approved("eva"), own,
    ))  # fmt: skip
    assert (lead.role, lead.where, lead.refused, lead.deputies) == (
        "lead",
        "the whole day",
        2,
        ("eva",),
    )
    assert (lead.waited_s, lead.told) == (180.0, "2 acts were refused; eva stood in after 180 s")
    assert (stores.role, stores.where, stores.refused) == ("stores", f"{ONE}, {TWO}", 0)
    assert (stores.waited_s, stores.told) == (None, "nothing was asked of the role")
    (alone, _) = absences(plan, entries(refused_for("lead")))
    assert (alone.waited_s, alone.told) == (None, "1 act was refused; nobody acted in the role")
    (at_once, _) = absences(plan, entries(own, stood, refused_for("lead")))
    assert at_once.waited_s == 0.0
    assert at_once.told == "1 act was refused; eva stood in after 0 s"
    (unasked, _) = absences(plan, entries(own, stood))
    assert (unasked.waited_s, unasked.refused, unasked.deputies) == (0.0, 0, ("eva",))
    (person, _) = absences(plan, entries(said.Answered("q", "max", "lead", True)))
    assert person.deputies == ()
    held = said.ApprovalRefused("tom", "away", absent="lead")
    (approval, _) = absences(plan, entries(held, approved("eva")))
    assert (approval.refused, approval.waited_s) == (1, 60.0)
