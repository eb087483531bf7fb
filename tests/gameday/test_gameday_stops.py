"""What ends a day early, and what goes on after a kill: the rule, the button, the records."""

from __future__ import annotations

import pytest

from harness.core.gameday import records as said
from harness.core.gameday.state import Phase
from harness.errors import PlatformError, Refused
from harness.gameday import ending
from harness.gameday.records import Book
from tests.gameday.desk import STEPS

NONE = "approvals: none\n"


class Killed(BaseException):
    """The process is gone: nothing that would catch an Exception sees it."""


def told(desk, kind: type) -> list:
    return [e.said for e in desk.book().entries() if isinstance(e.said, kind)]


def test_the_plan_cannot_change_once_the_day_has_begun(desk) -> None:
    desk.write(NONE)
    desk.drills.errors["credential-compromise"] = Killed()
    with pytest.raises(Killed):
        desk.conduct()
    desk.write(NONE + "release: other\n")
    with pytest.raises(Refused, match="not the plan that rehearsal was begun with"):
        desk.conduct()


def test_the_targets_cannot_change_once_the_day_has_begun(desk) -> None:
    desk.write(NONE)
    targets = desk.folder / "targets.yaml"
    strict = targets.read_text()
    desk.drills.before = lambda _: targets.write_text(strict.replace("rto_s: 60", "rto_s: 600"))
    with pytest.raises(Refused, match="not those that the day began with"):
        desk.conduct()
    assert desk.drilled() == ["node-loss"]
    desk.drills.before = lambda _: None
    with pytest.raises(Refused, match="not those that the day began with"):
        desk.conduct()
    targets.write_text(strict)
    assert desk.conduct().phase is Phase.FINISHED
    assert len(desk.drilled()) == 3


def test_killed_before_it_left_anything_the_scenario_is_drilled_again(desk) -> None:
    desk.write(NONE)
    desk.drills.errors["credential-compromise"] = Killed()
    with pytest.raises(Killed):
        desk.conduct()
    assert desk.book().state().step(STEPS[1]).begun is not None
    desk.drills.errors.clear()
    assert desk.conduct().phase is Phase.FINISHED
    assert desk.drilled() == [
        "node-loss", "credential-compromise", "credential-compromise", "page-corruption",
    ]  # fmt: skip
    (lost,) = told(desk, said.ScenarioLost)
    assert (lost.step, lost.attempt, lost.again) == (STEPS[1], 1, True)
    assert desk.platform.ups == 1  # the day's own one had survived


def test_killed_after_the_verdict_the_run_counts_and_is_not_repeated(desk, monkeypatch) -> None:
    from harness.evidence import load

    desk.write(NONE)

    def leaves_and_dies(order: object) -> None:
        if order.scenario == "credential-compromise":
            record, _ = desk.drills.leave(order)
            monkeypatch.setattr(load, "load_record", lambda _: record)
            raise Killed

    desk.drills.before = leaves_and_dies
    with pytest.raises(Killed):
        desk.conduct()
    desk.drills.before = lambda _: None
    assert desk.conduct().phase is Phase.FINISHED
    assert desk.drilled() == ["node-loss", "credential-compromise", "page-corruption"]
    assert told(desk, said.ScenarioLost) == []


def test_a_scenario_whose_process_dies_every_time_is_given_up(desk) -> None:
    desk.write(NONE + "abort: {then: next}\n")
    desk.drills.errors["credential-compromise"] = Killed()
    for _ in range(3):
        with pytest.raises(Killed):
            desk.conduct()
    assert desk.conduct().phase is Phase.FINISHED
    assert desk.drilled().count("credential-compromise") == 3
    assert [lost.again for lost in told(desk, said.ScenarioLost)] == [True, True, False]
    assert desk.book().state().finding(f"{STEPS[1]}/not-drilled") is not None


@pytest.mark.parametrize(("then", "drilled"), [("stop", 1), ("next", 3)])
def test_an_aborted_drill_is_followed_by_what_the_day_s_rule_says(desk, then, drilled) -> None:
    desk.write(NONE + f"abort: {{then: {then}}}\n")
    desk.drills.cut["node-loss"] = "Interrupted: aborted by Ada: the tills are queuing"
    state = desk.conduct()
    assert state.phase is (Phase.STOPPED if then == "stop" else Phase.FINISHED)
    assert len(desk.drilled()) == drilled
    assert told(desk, said.Looked)[0].whole  # it is looked at in either case


def test_control_c_ends_the_day_whatever_its_rule_says(desk) -> None:
    desk.write(NONE + "abort: {then: next}\n")
    desk.drills.cut["node-loss"] = "Interrupted: stopped by SIGINT"
    assert desk.conduct().phase is Phase.STOPPED
    assert desk.drilled() == ["node-loss"]


def test_a_drill_that_cannot_be_run_is_told_and_follows_the_rule(desk) -> None:
    desk.write(NONE)
    desk.drills.errors["node-loss"] = PlatformError("etcd does not answer")
    state = desk.conduct()
    assert state.phase is Phase.STOPPED
    assert "PlatformError: etcd does not answer" in state.stopped_why


def test_the_red_button_of_the_day_stops_it_where_nobody_conducts_it(desk) -> None:
    desk.write(NONE)
    desk.drills.errors["credential-compromise"] = Killed()
    with pytest.raises(Killed):
        desk.conduct()
    desk.drills.errors.clear()
    ending.abort(desk.scene(), "Tom", "the network is down")
    state = desk.book().state()
    assert (state.phase, state.stopped_why) == (
        Phase.STOPPED,
        "aborted by Tom: the network is down",
    )
    assert desk.drilled().count("credential-compromise") == 1
    assert not desk.platform.is_up
    with pytest.raises(Refused, match="there is nothing to abort"):
        ending.abort(desk.scene(), "Tom", "again")


def test_the_red_button_before_the_day_has_begun(desk) -> None:
    ending.abort(desk.scene(), "Tom", "not today")
    assert desk.book().state().phase is Phase.STOPPED
    desk.write(NONE)
    desk.conduct()
    assert desk.drilled() == []


def test_no_scenario_begins_once_an_abort_was_asked_for(desk) -> None:
    """Also where the conductor had already made up its mind."""
    desk.write(NONE)

    def asked(_order: object) -> None:
        desk.book().add(said.AbortAsked("Tom", "enough"), desk.now)

    desk.drills.before = asked
    assert desk.conduct().phase is Phase.STOPPED
    assert desk.drilled() == ["node-loss"]
    fresh = Book.of(desk.folder / "runs", "other")
    fresh.add(said.AbortAsked("Tom", "enough"), desk.now)
    with pytest.raises(Refused, match="nothing is broken any more"):
        fresh.add(said.ScenarioBegun(STEPS[0], 1, 1), desk.now)


def test_control_c_between_two_drills_stops_the_day_and_looks_first(desk, monkeypatch) -> None:
    from harness.gameday import stage

    desk.write(NONE)
    looked = stage.whole

    def once(*asked: object, **named: object) -> object:
        monkeypatch.setattr(stage, "whole", looked)
        raise KeyboardInterrupt

    monkeypatch.setattr(stage, "whole", once)
    state = desk.conduct()
    assert (state.phase, state.stopped_why) == (Phase.STOPPED, "aborted by Ada: Ctrl-C")
    assert told(desk, said.Looked)[0].whole
    assert not desk.platform.is_up


def test_the_red_button_while_the_platform_comes_up(desk, monkeypatch) -> None:
    """The conductor has not said go yet; it never does."""
    from harness.platforms import find

    desk.write(NONE)
    start = find.start

    def slowly(*asked: object, **named: object) -> object:
        desk.book().add(said.AbortAsked("Tom", "not now"), desk.now)
        return start(*asked, **named)

    monkeypatch.setattr(find, "start", slowly)
    state = desk.conduct()
    assert (state.phase, state.started) == (Phase.STOPPED, None)
    assert desk.drilled() == []
    assert not desk.platform.is_up


def test_an_abort_works_though_the_plan_was_changed_meanwhile(desk) -> None:
    desk.write(NONE)
    desk.drills.errors["credential-compromise"] = Killed()
    with pytest.raises(Killed):
        desk.conduct()
    desk.write(NONE, scenarios="  - {scenario: node-loss}")
    ending.abort(desk.scene(), "Tom", "enough")
    assert desk.book().state().phase is Phase.STOPPED


def test_a_fault_is_undone_though_the_records_are_damaged(desk, monkeypatch) -> None:
    from harness.errors import DamagedEvidence

    pressed = []
    monkeypatch.setattr(ending, "_press", lambda scene, who, why: pressed.append((who, why)))
    desk.write(NONE)
    desk.book().add(said.Noted("Tom", "joined", "2026-11-28T12:00:00Z"), desk.now)
    file = desk.book().files()[0]
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(DamagedEvidence):
        ending.abort(desk.scene(), "Tom", "enough")
    assert pressed == [("Tom", "enough")]
