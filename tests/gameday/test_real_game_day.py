"""A whole game day on the embedded platform: from the plan to the signed post-exercise report.

Real are the platform, the drills, the abort, the signatures and the command line. One approval is
refused, the second scenario is aborted while its fault acts, and what that leaves to be done
stands on the next day's plan.
"""

from __future__ import annotations

import json
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.core.gameday import records as said
from harness.core.gameday.view import view_of
from harness.core.timeline import MarkName
from harness.core.verdict import Verdict
from harness.evidence import events, layout
from harness.evidence.load import load_record
from harness.evidence.verify import verify
from harness.gameday.records import Book
from harness.inputs.gameday_file import read_gameday
from harness.watching.live_state import in_progress, live_folder
from tests.conftest import missing_in_the_end
from tests.drill.conftest import Site
from tests.gameday.desk import PLAN, keys_in

pytestmark = [pytest.mark.platform, pytest.mark.drill, pytest.mark.timeout(900)]

DAY_LIMIT_S = 700
AWAY = "credential-compromise/platform/verdict"
EVERY_DAY = (
    "  - {days: [monday, tuesday, wednesday, thursday, friday, saturday, sunday], "
    'from: "00:00", until: "24:00"}'
)
SCENARIOS = """\
  - {scenario: node-loss}
  - {scenario: credential-compromise, absent: [database-administrator]}
  - {scenario: page-corruption}"""
MORE = """\
approvals: {requested_by: Ada, action: drill-in-staging}
abort: {then: next}
checks:
  - {check: platform-whole}
  - {check: backups-fresh}
  - {check: error-budget, ask: "Is enough left?", role: head-of-operations}
communications:
  - {name: stores, when: before-day, whom: the stores, channel: phone, what: It begins., by: game-master}
"""


@dataclass(frozen=True)
class Room:
    """The folder of the people who hold the day."""

    site: Site
    folder: Path

    @property
    def first(self) -> str:
        return str(self.folder / "first.yaml")

    @property
    def second(self) -> str:
        return str(self.folder / "second.yaml")

    def call(self, *words: str, exits: int = 0) -> str:
        code, out, err = self.site.peakdrill("gameday", *words, "--out", str(self.site.out))
        assert code == exits, f"{words} ended with {code}: {out}\n{err}"
        return out + err

    def book(self, day: str) -> Book:
        return Book.of(self.site.out, day)


@pytest.fixture
def room(platform, tmp_path: Path) -> Room:
    keys = {name: key.public.key_id for name, key in keys_in(tmp_path).items()}
    root = Path(__file__).resolve().parents[2]
    (tmp_path / "targets.yaml").write_text((root / "targets.yaml").read_text())
    assert "drill-in-staging, roles: [platform]" in (tmp_path / "targets.yaml").read_text()
    text = PLAN.format(scenarios=SCENARIOS, windows=EVERY_DAY, more=MORE, **keys)
    (tmp_path / "first.yaml").write_text(text)
    again = text.replace("name: rehearsal", "name: second-day")
    (tmp_path / "second.yaml").write_text(again)
    return Room(Site(platform, tmp_path / "runs"), tmp_path)


def test_from_the_plan_to_the_signed_report(room: Room) -> None:
    what_the_people_do_before(room)
    day = room.site.start("gameday", "start", room.first, "--out", str(room.site.out))
    try:
        the_second_scenario_is_aborted(room, day)
        day.communicate(timeout=DAY_LIMIT_S)
    finally:
        ended(day)
    the_day_went_as_its_rules_say(room, day.returncode)
    it_closes_once_every_finding_is_somebody_s(room)
    what_is_open_stands_on_the_next_plan(room)


def what_the_people_do_before(room: Room) -> None:
    """Nothing starts before an answer, a word to the stores, and another person's approval."""
    key = ("--key", str(room.folder / "ada.pem"))
    assert "no go yet: 5 things are missing" in room.call("plan", room.first)
    told = room.call("approve", room.first, "--as", "Ada", *key, exits=2)
    assert "Ada asked for the day, and cannot approve it too" in told
    room.call("start", room.first, exits=2)
    room.call("approve", room.first, "--as", "Tom", "--key", str(room.folder / "tom.pem"))
    room.call("answer", room.first, "--to", "error-budget", "--as", "Jonas", "--yes")
    room.call("answer", room.first, "--to", "stores", "--as", "Ada", "--yes")
    room.call("note", room.first, "--who", "Tom", "--what", "joined the call")
    assert "go: nothing is missing" in room.call("plan", room.first)


def the_second_scenario_is_aborted(room: Room, day: subprocess.Popen[str]) -> None:
    """While somebody uses the leaked credentials: the red button of the drill, not of the day."""
    deadline = time.monotonic() + 400
    while time.monotonic() < deadline and day.poll() is None:
        if the_fault_acts("credential-compromise"):
            break
        time.sleep(0.2)
    else:
        pytest.fail("the second scenario never took effect")
    code, out, err = room.site.peakdrill("abort", "--who", "Ada", "--why", "the tills are queuing")
    assert code == 0, err
    assert "the fault is gone" in out


def the_fault_acts(scenario: str) -> bool:
    """By the drill's own mark: its effect was observed."""
    state = in_progress(live_folder())
    if state is None or state.scenario != scenario:
        return False
    marks = events.read(Path(state.directory) / layout.EVENTS).timeline
    return marks.first(MarkName.FAULT_ACTIVE) is not None


def ended(day: subprocess.Popen[str]) -> None:
    """Whatever became of the test: it undoes its fault, and a runbook is finished first."""
    if day.poll() is None:
        day.terminate()
        day.communicate(timeout=300)


def the_day_went_as_its_rules_say(room: Room, code: int) -> None:
    """The aborted run is undone and invalid; the platform is whole; the third was drilled."""
    entries = room.book("rehearsal").entries()
    drilled = {e.said.step: e.said for e in entries if isinstance(e.said, said.ScenarioEnded)}
    assert set(drilled) == {"1-node-loss", "2-credential-compromise", "3-page-corruption"}
    cut = drilled["2-credential-compromise"]
    assert "Ada" in cut.interrupted
    assert "the tills are queuing" in cut.interrupted
    assert cut.verdict is Verdict.INVALID
    assert [drilled[s].interrupted for s in ("1-node-loss", "3-page-corruption")] == ["", ""]
    looked = [e.said for e in entries if isinstance(e.said, said.Looked)]
    assert [(look.step[0], look.whole) for look in looked] == [
        ("1", True),
        ("2", True),
        ("3", True),
    ]
    marks = load_record(room.site.out / cut.run_id).timeline
    assert marks.first(MarkName.FAULT_ACTIVE) is not None
    assert marks.first(MarkName.FAULT_HEALED) is not None
    assert missing_in_the_end(room.site.platform) == ()
    for run in drilled.values():
        verify(room.site.out / run.run_id)
    view = view_of(read_gameday(Path(room.first)), entries)
    assert code == view.verdict.exit_code
    assert view.verdict is not Verdict.MET  # an aborted drill passes nothing
    assert any("cannot approve it too" in line.what for line in view.refused)
    assert [line.what.partition(":")[0] for line in view.aborts] == ["2-credential-compromise"]


def it_closes_once_every_finding_is_somebody_s(room: Room) -> None:
    book = room.book("rehearsal")
    names = [f.name for f in book.state().findings if f.is_open]
    assert AWAY in names
    told = room.call("close", room.first, "--who", "Ada", exits=2)
    assert f"{AWAY} lacks owner and due date" in told
    for name in names:
        room.call("finding", "assign", room.first, name, "--owner", "Tom", "--due", "2027-01-15")
    room.call("close", room.first, "--who", "Ada")
    assert "every file of the day is the one that was signed" in room.call("status", room.first)
    assert "nothing can be added" in room.call(
        "note", room.first, "--who", "Tom", "--what", "one more thing", exits=2
    )
    report = json.loads((book.folder / "report.json").read_text())
    assert report["schema"] == "peakdrill/gameday/v1"
    assert [d["step"][0] for d in report["drilled"]] == ["1", "2", "3"]
    run = next(d["run_id"] for d in report["drilled"] if d["verdict"] == "invalid")
    assert f"../{run}/report.html" in (book.folder / "report.html").read_text()
    (room.site.out / run / "verdict.json").write_text("{}")
    assert f"{run}/verdict.json: changed" in room.call("status", room.first, exits=4)


def what_is_open_stands_on_the_next_plan(room: Room) -> None:
    """The second day takes the finding over with its owner and date, and ends at the red button."""
    told = room.call("plan", room.second)
    assert f"finding carried over: rehearsal:{AWAY} (Tom, due 2027-01-15)" in told
    room.call("approve", room.second, "--as", "Tom", "--key", str(room.folder / "tom.pem"))
    room.call("answer", room.second, "--to", "error-budget", "--as", "Jonas", "--yes")
    room.call("answer", room.second, "--to", "stores", "--as", "Ada", "--yes")
    day = room.site.start("gameday", "start", room.second, "--out", str(room.site.out))
    try:
        deadline = time.monotonic() + 120
        while in_progress(live_folder()) is None and time.monotonic() < deadline:
            time.sleep(0.2)
        room.call("abort", room.second, "--who", "Ada", "--why", "the network is down")
        day.communicate(timeout=200)
    finally:
        ended(day)
    state = room.book("second-day").state()
    assert state.phase == "stopped"
    assert state.stopped_why == "aborted by Ada: the network is down"
    carried = state.finding(f"rehearsal:{AWAY}")
    assert carried is not None
    assert (carried.is_open, carried.owner, carried.due) == (True, "Tom", "2027-01-15")
    assert missing_in_the_end(room.site.platform) == ()
