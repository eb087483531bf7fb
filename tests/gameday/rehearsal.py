"""A whole game day of three drills on the embedded platform, held once for all who look at it.

Real are the platform, the drills, the abort, the signatures and the command line. One approval is
refused, and the second scenario is aborted while its fault acts. The first and the third are whole
drills as anybody runs them: what they must be is told by the tests of those drills.
"""

from __future__ import annotations

import json
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.core.gameday import records as said
from harness.core.timeline import MarkName
from harness.evidence import events, layout
from harness.gameday.records import Book
from harness.platforms.embedded import EmbeddedPlatform
from harness.watching.live_state import in_progress, live_folder
from tests.drill.conftest import Site
from tests.gameday.desk import PLAN, keys_in

DAY_LIMIT_S = 700
PAGE, CREDENTIALS, NODE = "1-page-corruption", "2-credential-compromise", "3-node-loss"
EVERY_DAY = (
    "  - {days: [monday, tuesday, wednesday, thursday, friday, saturday, sunday], "
    'from: "00:00", until: "24:00"}'
)
SCENARIOS = """\
  - {scenario: page-corruption}
  - {scenario: credential-compromise, absent: [database-administrator]}
  - {scenario: node-loss}"""
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


@dataclass(frozen=True)
class Rehearsed:
    """A day whose drills have ended. Whoever looks at it leaves its runs as they are."""

    room: Room
    code: int  # of `gameday start`
    leader: str | None  # once the first drill had ended
    aborted: subprocess.CompletedProcess[str]  # `peakdrill abort`, in the second one

    def ended(self) -> dict[str, said.ScenarioEnded]:
        entries = self.room.book("rehearsal").entries()
        return {e.said.step: e.said for e in entries if isinstance(e.said, said.ScenarioEnded)}

    def drilled(self, step: str) -> tuple[dict[str, object], Path]:
        """The report and the run directory of one of its drills."""
        run = self.room.site.out / self.ended()[step].run_id
        return json.loads((run / layout.REPORT_JSON).read_text()), run


def rehearse(platform: EmbeddedPlatform, folder: Path) -> Rehearsed:
    platform.database.switchover("a")  # where the lead belongs: it leaves, and is handed back
    room = made_ready(platform, folder)
    what_the_people_do_before(room)
    day = room.site.start("gameday", "start", room.first, "--out", str(room.site.out))
    try:
        await_the_second_fault(day)
        leader = platform.database.leader()
        aborted = the_red_button(room.site)
        day.communicate(timeout=DAY_LIMIT_S)
    finally:
        ended(day)
    return Rehearsed(room, day.returncode, leader, aborted)


def made_ready(platform: EmbeddedPlatform, folder: Path) -> Room:
    keys = {name: key.public.key_id for name, key in keys_in(folder).items()}
    root = Path(__file__).resolve().parents[2]
    (folder / "targets.yaml").write_text((root / "targets.yaml").read_text())
    assert "drill-in-staging, roles: [platform]" in (folder / "targets.yaml").read_text()
    text = PLAN.format(scenarios=SCENARIOS, windows=EVERY_DAY, more=MORE, **keys)
    (folder / "first.yaml").write_text(text)
    again = text.replace("name: rehearsal", "name: second-day")
    (folder / "second.yaml").write_text(again)
    return Room(Site(platform, folder / "runs"), folder)


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


def await_the_second_fault(day: subprocess.Popen[str]) -> None:
    """Until somebody uses the leaked credentials."""
    deadline = time.monotonic() + 400
    while time.monotonic() < deadline and day.poll() is None:
        if the_fault_acts("credential-compromise"):
            return
        time.sleep(0.2)
    pytest.fail("the second scenario never took effect")


def the_red_button(site: Site) -> subprocess.CompletedProcess[str]:
    """That of the drill, not of the day."""
    words = ("abort", "--who", "Ada", "--why", "the tills are queuing")
    return subprocess.CompletedProcess(words, *site.peakdrill(*words))


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
