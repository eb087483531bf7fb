"""What a drill tells: whole, not too often, marked at its end, and at nobody's cost."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from harness.core.guard import GuardRails, Harm, Readings
from harness.core.operation import Workload
from harness.core.timeline import MarkName
from harness.evidence import events, layout
from harness.platforms.embedded.process import ProcessId
from harness.progress import LiveView, Silent, WorkloadRate
from harness.watching import live_telling
from harness.watching.live_state import live_folder, read_asked, read_live, write_live
from harness.watching.live_telling import Telling, telling
from tests.core import simulate
from tests.live import live_states

S = 10**9


class Clock:
    def __init__(self) -> None:
        self.now_ns = 1_000 * S

    def __call__(self) -> int:
        return self.now_ns


class Listener(Silent):
    def __init__(self) -> None:
        self.heard: list[object] = []

    def phase(self, name: str, limit_s: float | None = None) -> None:
        self.heard.append(("phase", name, limit_s))

    def say(self, text: str) -> None:
        self.heard.append(("say", text))

    def tick(self, view: LiveView) -> None:
        self.heard.append(view)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def told(home: Path, tmp_path: Path, clock: Clock) -> Telling:
    plan = replace(simulate.plan_of(), guards=GuardRails(100))
    return Telling(Listener(), plan, tmp_path, folder=live_folder(), clock=clock)


def view(since_fault_s: float | None, *, well: bool) -> LiveView:
    rates = (WorkloadRate(Workload.ORDER_CAPTURE, 10.0, 10.0 if well else 0.0, 60.0, well),)
    return LiveView("outage", 20.0, since_fault_s, rates, Readings(Harm(7, 9, 43_200)))


def test_it_tells_what_a_person_on_watch_wants_to_see(told: Telling, tmp_path: Path) -> None:
    told.phase("watching it come back", 60.0)
    told.tick(view(3.0, well=False))
    told.say("a line")
    events.stamp(tmp_path / layout.EVENTS, MarkName.FAULT_ACTIVE, "node a is dead")
    events.stamp(tmp_path / layout.EVENTS, MarkName.STEP, "no news for people")
    assert told.flush()
    (state,) = read_live(live_folder())
    assert (state.scenario, state.phase, state.phase_limit_s) == (
        "node-loss", "watching it come back", 60.0,
    )  # fmt: skip
    assert state.is_alive
    assert state.harm == Harm(7, 9, 43_200)
    assert [(r.rail, r.told) for r in state.rails][1] == ("refused-per-minute", "7 a minute")
    assert [(m.name, m.note) for m in state.marks] == [("fault-active", "node a is dead")]
    assert [line.text for line in state.said] == ["a line"]
    assert [type(h).__name__ for h in told._inner.heard] == ["tuple", "LiveView", "tuple"]


def test_a_workload_is_back_where_it_was_last_not_well(told: Telling) -> None:
    for at_s, well in ((1.0, True), (2.0, False), (9.5, False), (10.0, True)):
        told.tick(view(at_s, well=well))
    told.flush()
    (state,) = read_live(live_folder())
    assert (state.rates[0].well, state.rates[0].unwell_until_s) == (True, 9.5)


def test_nothing_new_is_written_once_in_two_seconds(told: Telling, clock: Clock) -> None:
    assert told.flush()
    assert not told.flush()
    clock.now_ns += S
    assert not told.flush()
    clock.now_ns += S
    assert told.flush()  # a sign of life
    told.say("news")
    assert told.flush()


def test_it_is_written_at_most_twice_a_second(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    written: list[int] = []
    monkeypatch.setattr(live_telling, "write_live", lambda _, state: written.append(state.number))
    monkeypatch.setattr(live_telling, "_EVERY_S", 0.05)
    with telling(Silent(), simulate.plan_of(), tmp_path, clock=clock) as told:
        said = 0
        while len(written) < 4 and said < 100_000_000:  # news without an end
            told.say(f"line {said}")
            said += 1
    assert len(written) <= 6, "of a writer of its own, whatever is said"
    assert said > 100
    assert live_telling._EVERY_S == 0.05
    monkeypatch.undo()
    assert live_telling._EVERY_S >= 0.5


def test_the_end_is_told(home: Path, tmp_path: Path, clock: Clock) -> None:
    with telling(Silent(), simulate.plan_of(), tmp_path, clock=clock) as told:
        told.end("met", "Safe")
    (state,) = read_live(live_folder())
    assert (state.verdict, state.reason, state.is_alive) == ("met", "Safe", False)


def test_an_end_without_a_verdict_is_told_too(home: Path, tmp_path: Path, clock: Clock) -> None:
    with pytest.raises(KeyError), telling(Silent(), simulate.plan_of(), tmp_path, clock=clock):
        raise KeyError("x")
    (state,) = read_live(live_folder())
    assert state.verdict == "unjudged"
    assert not state.is_alive


def test_a_folder_that_cannot_be_written_costs_the_page_and_not_the_drill(
    home: Path, tmp_path: Path, clock: Clock
) -> None:
    home.write_text("a file where a folder should be")
    with telling(Silent(), simulate.plan_of(), tmp_path, clock=clock) as told:
        told.say("all the same")
        assert not told.flush()


def test_old_runs_are_forgotten_but_for_the_last_few(home: Path, tmp_path: Path, clock: Clock):
    for number in range(9):
        state = live_states.state(f"run{number}", begun_ns=number, verdict="met")
        write_live(live_folder(), state)
    with telling(Silent(), simulate.plan_of(), tmp_path, clock=clock):
        pass
    names = [state.run_id for state in read_live(live_folder())]
    assert names == [simulate.RUN_ID, "run8", "run7", "run6", "run5", "run4"]


def test_what_is_no_state_is_left_out(home: Path) -> None:
    write_live(live_folder(), live_states.state("r1"))
    body = json.loads((live_folder() / "r1.json").read_text())
    (live_folder() / "r2.json").write_text("{")
    (live_folder() / "r3.json").write_text(json.dumps(body | {"process": "1; rm -rf"}))
    (live_folder() / "r4.asked.json").write_text(json.dumps({"who": 1}))
    assert [s.run_id for s in read_live(live_folder())] == ["r1"]
    assert read_asked(live_folder(), "r4") == ""
    assert read_asked(live_folder(), "r9") == ""


def test_only_this_user_may_read_and_press(told: Telling) -> None:
    told.flush()
    assert live_folder().stat().st_mode & 0o077 == 0


def test_a_state_of_a_dead_process_is_not_alive() -> None:
    state = live_states.state(process=ProcessId(os.getpid(), 1))
    assert not state.is_alive
    assert not state.has_ended
