"""The day from go to its end: order, windows, questions, holds, the platform."""

from __future__ import annotations

import datetime as dt

import pytest

from harness.core.gameday import records as said
from harness.core.gameday.state import Phase
from harness.core.verdict import Verdict
from harness.errors import Refused
from harness.gameday import answers
from tests.gameday.desk import APPROVED, NOON, SCENARIOS, STEPS, TARGETS

NONE = "approvals: none\n"
QUESTION = 'checks: [{check: budget, ask: "Is enough left?", role: head-of-operations}]\n'
FREEZE = TARGETS + (
    "freezes: [{name: peak, begins: 2026-11-28T11:00:00Z, ends: 2026-11-28T13:00:00Z}]\n"
)
STORES = "{name: stores, when: %s, whom: stores, channel: phone, what: Now., by: game-master}"


def told(desk, kind: type) -> list:
    return [e.said for e in desk.book().entries() if isinstance(e.said, kind)]


def test_every_scenario_in_its_order_and_the_platform_once(desk) -> None:
    desk.write(NONE)
    state = desk.conduct()
    assert state.phase is Phase.FINISHED
    assert desk.drilled() == ["node-loss", "credential-compromise", "page-corruption"]
    assert (desk.platform.ups, desk.platform.downs, desk.platform.is_up) == (1, 1, False)
    assert [look.step for look in told(desk, said.Looked)] == list(STEPS)


def test_a_platform_that_was_up_stays_up(desk) -> None:
    desk.write(NONE)
    desk.platform.is_up = True
    desk.conduct()
    assert (desk.platform.ups, desk.platform.downs, desk.platform.is_up) == (0, 0, True)


def test_what_the_plan_says_reaches_every_order(desk) -> None:
    desk.write(
        NONE + "release: 2026.11.0\nseason: black-friday\n"
        "abort: {refused_per_minute_max: 50, money_max: 12.34, alerts: [Down], heartbeat_s: 9}\n",
        scenarios="  - {scenario: node-loss, peak: 2.0}",
    )
    desk.conduct()
    (order,) = desk.drills.orders
    assert (order.peak, order.release, order.season) == (2.0, "2026.11.0", "black-friday")
    assert order.targets_file == desk.folder / "targets.yaml"
    assert order.out == desk.folder / "runs"
    guards = order.guards
    assert (guards.refused_per_minute_max, guards.money_max_cents) == (50, 1234)
    assert (guards.alerts, guards.heartbeat_s) == (("Down",), 9.0)


def test_between_scenarios_the_platform_must_be_whole_or_the_day_stops(desk, monkeypatch) -> None:
    from harness.gameday import stage

    monkeypatch.setattr(stage, "WHOLE_WITHIN_S", 0.0)
    monkeypatch.setattr(stage.whole, "__kwdefaults__", {"within_s": 0.0})
    desk.write(NONE)

    def breaks(order: object) -> None:
        desk.platform.missing = ("node b is dead",) if len(desk.drills.orders) == 2 else ()

    desk.drills.before = breaks
    state = desk.conduct()
    assert state.phase is Phase.STOPPED
    assert "not whole after 2-credential-compromise: node b is dead" in state.stopped_why
    assert desk.drilled() == ["node-loss", "credential-compromise"]
    assert desk.conduct().phase is Phase.STOPPED  # started again, it does not go on
    assert len(desk.drilled()) == 2
    assert not desk.platform.is_up


def test_a_freeze_and_a_closed_window_let_nothing_start(desk) -> None:
    desk.write(NONE, targets=FREEZE)
    with pytest.raises(Refused, match="trading freeze peak until 2026-11-28T13:00:00Z"):
        desk.conduct()
    desk.now = NOON + dt.timedelta(hours=7)
    with pytest.raises(Refused, match="outside the windows"):
        desk.conduct()
    desk.now = NOON + dt.timedelta(days=1)  # a Sunday
    with pytest.raises(Refused, match="outside the windows"):
        desk.conduct()
    assert desk.drilled() == []
    assert desk.platform.ups == 0
    desk.now = NOON + dt.timedelta(hours=1)  # the freeze's first free instant
    assert desk.conduct().phase is Phase.FINISHED


def test_a_window_that_closes_holds_the_day_and_the_next_one_goes_on(desk) -> None:
    desk.write(NONE)

    def late(_order: object) -> None:
        desk.now = NOON.replace(hour=18)

    desk.drills.before = late
    with pytest.raises(Refused, match="held: rehearsal: outside the windows"):
        desk.conduct()
    assert desk.drilled() == ["node-loss"]
    assert not desk.platform.is_up  # it does not wait for a week with a platform up
    desk.now += dt.timedelta(days=7, hours=-6)
    desk.drills.before = lambda _: None
    assert desk.conduct().phase is Phase.FINISHED
    assert desk.drilled() == ["node-loss", "credential-compromise", "page-corruption"]
    assert len(told(desk, said.Resumed)) == 1


def test_a_question_needs_its_role_and_the_wanted_answer(desk) -> None:
    desk.write(NONE + QUESTION)
    with pytest.raises(Refused, match="budget is not answered by head-of-operations"):
        desk.conduct()
    with pytest.raises(Refused, match="this is for head-of-operations to answer"):
        answer(desk, "budget", "Tom", yes=True)
    answer(desk, "budget", "Jonas", yes=False)
    with pytest.raises(Refused, match="budget was answered no by Jonas"):
        desk.conduct()
    assert desk.drilled() == []
    answer(desk, "budget", "Jonas", yes=True)
    assert desk.conduct().phase is Phase.FINISHED
    (refused,) = told(desk, said.AnswerRefused)
    assert refused.who == "Tom"


def answer(desk, to: str, who: str, *, yes: bool) -> None:
    answers.answer(desk.book(), desk.day(), to, who, said_yes=yes, words="", now=desk.now)


def test_at_a_terminal_the_question_is_put_and_recorded(desk) -> None:
    desk.write(NONE + QUESTION)
    asked = []

    def ask(to: str, role: str, text: str) -> tuple[str, bool, str]:
        asked.append((to, role, text))
        return "Jonas", True, "plenty"

    assert desk.conduct(ask=ask).phase is Phase.FINISHED
    assert asked == [("budget", "head-of-operations", "Is enough left?")]
    (given,) = told(desk, said.Answered)
    assert (given.who, given.words) == ("Jonas", "plenty")


def test_who_has_to_be_told_before_a_scenario_holds_it_up(desk) -> None:
    desk.write(NONE + f"communications: [{STORES % 'before-scenario'}]\n")
    with pytest.raises(Refused, match="nobody has confirmed stores@1-node-loss"):
        desk.conduct()
    for step in STEPS:
        answer(desk, f"stores@{step}", "Ada", yes=True)
    assert desk.conduct().phase is Phase.FINISHED


def test_who_was_not_told_afterwards_is_a_finding_until_it_is_confirmed(desk) -> None:
    desk.write(NONE + f"communications: [{STORES % 'after-day'}]\n")
    state = desk.conduct()
    finding = state.finding("told/stores")
    assert finding is not None
    assert finding.is_open
    answer(desk, "stores", "Ada", yes=True)
    assert not desk.book().state().finding("told/stores").is_open


@pytest.mark.parametrize(
    ("taken", "holds"),
    [("2026-11-28T06:00:00+00:00", True), ("2026-11-26T06:00:00+00:00", False), ("", False)],
)
def test_backups_are_measured_before_anything_begins(desk, taken: str, holds: bool) -> None:
    desk.write(NONE + "checks: [{check: backups-fresh, within_h: 26}, {check: platform-whole}]\n")
    desk.platform.taken_utc = taken
    if holds:
        assert desk.conduct().phase is Phase.FINISHED
    else:
        with pytest.raises(Refused, match="no go: rehearsal: backups-fresh"):
            desk.conduct()
        assert not desk.platform.is_up
    assert told(desk, said.Measured)[0].holds is holds
    assert bool(desk.drilled()) is holds


def test_one_process_conducts_a_day(desk) -> None:
    desk.write(NONE)
    with desk.book().conducting(), pytest.raises(Refused, match="another process conducts"):
        desk.conduct()
    assert desk.drilled() == []


def test_a_clean_room_has_a_platform_to_itself(desk) -> None:
    desk.write(NONE, scenarios="\n".join(
        f"  - {{scenario: {name}}}" for name in ("node-loss", "ransomware", "page-corruption")
    ))  # fmt: skip
    desk.conduct()
    assert desk.platform.ups == 3
    assert desk.platform.downs == 3
    assert len([u for u in told(desk, said.PlatformUp) if "clean room" in u.why]) == 2


def test_a_platform_of_somebody_else_is_not_replaced_for_a_clean_room(desk) -> None:
    desk.write(NONE, scenarios="  - {scenario: node-loss}\n  - {scenario: ransomware}")
    desk.platform.is_up = True
    with pytest.raises(Refused, match="2-ransomware needs a platform of its own"):
        desk.conduct()
    assert desk.platform.is_up
    assert desk.drilled() == []


def test_a_met_day_is_met_and_anything_less_is_not(desk) -> None:
    from harness.core.gameday.view import view_of

    desk.write(APPROVED, scenarios=SCENARIOS)
    desk.approve("tom")
    desk.drills.verdicts["page-corruption"] = Verdict.MISSED
    desk.conduct()
    view = view_of(desk.day(), desk.book().entries())
    assert view.verdict is Verdict.MISSED
    assert view.headline.startswith("No: 3-page-corruption missed its targets")
