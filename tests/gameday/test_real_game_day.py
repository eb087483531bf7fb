"""A whole game day on the embedded platform: from the plan to the signed post-exercise report.

What was aborted, and what that leaves to be done, stands on the next day's plan. See rehearsal.py.
"""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from harness.core.gameday import records as said
from harness.core.gameday.view import view_of
from harness.core.timeline import MarkName
from harness.core.verdict import Verdict
from harness.evidence.load import load_record
from harness.evidence.verify import verify
from harness.inputs.gameday_file import read_gameday
from harness.watching.live_state import in_progress, live_folder
from tests.conftest import missing_in_the_end
from tests.gameday.rehearsal import CREDENTIALS, NODE, PAGE, Rehearsed, Room, ended

pytestmark = [pytest.mark.platform, pytest.mark.drill, pytest.mark.timeout(900)]

AWAY = "credential-compromise/platform/verdict"


def test_from_the_plan_to_the_signed_report(rehearsed: Rehearsed) -> None:
    the_button_ended_the_fault(rehearsed)
    the_day_went_as_its_rules_say(rehearsed)
    it_closes_once_every_finding_is_somebody_s(rehearsed.room)
    what_is_open_stands_on_the_next_plan(rehearsed.room)


def the_button_ended_the_fault(day: Rehearsed) -> None:
    """As `peakdrill abort` tells it, and as the run keeps it."""
    assert day.aborted.returncode == 0, day.aborted.stderr
    assert "the fault is gone" in day.aborted.stdout
    assert "the lost part was observed to be back" in day.aborted.stderr
    report, _ = day.drilled(CREDENTIALS)
    assert report["verdict"] == "invalid"
    assert "aborted by Ada (operator): the tills are queuing" in report["reasons"][0]
    assert not list((day.room.site.platform.directory / "undo").glob("*.json"))


def the_day_went_as_its_rules_say(day: Rehearsed) -> None:
    """The aborted run is undone and invalid; the platform is whole; the third was drilled."""
    room, drilled = day.room, day.ended()
    entries = room.book("rehearsal").entries()
    assert set(drilled) == {PAGE, CREDENTIALS, NODE}
    cut = drilled[CREDENTIALS]
    assert "Ada" in cut.interrupted
    assert "the tills are queuing" in cut.interrupted
    assert cut.verdict is Verdict.INVALID
    assert [drilled[s].interrupted for s in (PAGE, NODE)] == ["", ""]
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
    assert day.code == view.verdict.exit_code
    assert view.verdict is not Verdict.MET  # an aborted drill passes nothing
    assert any("cannot approve it too" in line.what for line in view.refused)
    assert [line.what.partition(":")[0] for line in view.aborts] == [CREDENTIALS]


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
    verdict = room.site.out / run / "verdict.json"
    judged = verdict.read_bytes()
    verdict.write_text("{}")
    try:
        assert f"{run}/verdict.json: changed" in room.call("status", room.first, exits=4)
    finally:
        verdict.write_bytes(judged)


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
