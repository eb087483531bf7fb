"""`peakdrill gameday`: every command from the command line, its words and its exit codes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from harness import cli
from harness.core.gameday import records as said
from harness.core.verdict import Verdict
from harness.gameday import windows
from harness.gameday.scene import Scene
from tests.gameday.desk import STEPS, TARGETS

NONE = "approvals: none\n"
Call = Callable[..., tuple[int, str]]


@pytest.fixture
def call(desk, capfd, monkeypatch) -> Call:
    """In process, on the desk's clock, at no terminal."""
    monkeypatch.setattr(windows, "now_utc", lambda: desk.now)
    monkeypatch.setattr(Scene, "__init__", _on_the_clock(Scene.__init__, desk))

    def caller(*words: str) -> tuple[int, str]:
        capfd.readouterr()
        code = cli.exit_code(("gameday", *words))
        seen = capfd.readouterr()
        return code, seen.out + seen.err

    return caller


def _on_the_clock(made, desk):
    def init(self, *args, **named) -> None:
        made(self, *args, **{**named, "clock": lambda: desk.now})

    return init


def test_plan_prints_everything_and_touches_nothing(desk, call: Call) -> None:
    before = sorted(p for p in desk.folder.rglob("*"))
    code, told = call("plan", "gameday.yaml")
    assert code == 0
    assert told.splitlines()[0] == "no go yet: 3 things are missing"
    assert (
        "missing: 2-credential-compromise needs 1 approval for drill-in-staging, and has 0" in told
    )
    assert "3-page-corruption: breaks page-corruption at 1x of" in told
    assert "database on call" in told  # who decides in the runbook
    assert "window Sat 06:00 to 18:00 UTC, now" in told
    assert "after an abort the day stops" in told
    assert sorted(p for p in desk.folder.rglob("*")) == before


def test_from_approval_to_the_closed_day(desk, call: Call) -> None:
    tom = ("--as", "Tom", "--key", "tom.pem")
    assert call("start", "gameday.yaml")[0] == 2
    code, told = call("approve", "gameday.yaml", *tom, "--expires", "2h")
    assert code == 0
    assert "approved by Tom (platform)" in told
    assert call("plan", "gameday.yaml")[1].startswith("go: nothing is missing")
    code, told = call("start", "gameday.yaml")
    assert code == 0, told
    assert "Met: Yes, as far as this day went: all 3 scenarios met their targets." in told
    assert call("note", "gameday.yaml", "--who", "Jonas", "--what", "went home")[0] == 0
    code, told = call("close", "gameday.yaml", "--who", "Ada")
    assert code == 0, told
    code, told = call("status", "gameday.yaml")
    assert code == 0
    assert "every file of the day is the one that was signed" in told
    report = desk.folder / "runs" / "gameday-rehearsal" / "report.html"
    report.write_text(report.read_text().replace("Met", "Wet"))
    code, told = call("status", "gameday.yaml")
    assert code == 4
    assert "report.html: changed" in told


@pytest.mark.parametrize(
    ("verdict", "code"), [(Verdict.MET, 0), (Verdict.MISSED, 1), (Verdict.INCONCLUSIVE, 3), (Verdict.INVALID, 3)]
)  # fmt: skip
def test_start_exits_by_the_day_s_verdict(desk, call: Call, verdict: Verdict, code: int) -> None:
    desk.write(NONE)
    desk.drills.verdicts["page-corruption"] = verdict
    assert call("start", "gameday.yaml")[0] == code


def test_a_refusal_names_who_and_why_and_is_kept(desk, call: Call) -> None:
    code, told = call("approve", "gameday.yaml", "--as", "Ada", "--key", "ada.pem")
    assert code == 2
    assert "the approval by Ada is refused: Ada asked for the day" in told
    assert "refused" in call("status", "gameday.yaml")[1]
    (refused,) = [e.said for e in desk.book().entries() if isinstance(e.said, said.ApprovalRefused)]
    assert refused.who == "Ada"


def test_an_approval_travels_in_a_file(desk, call: Call) -> None:
    key = ("--as", "Tom", "--key", "tom.pem", "--to", "tom.json", "--scenario", STEPS[0])
    assert call("approve", "gameday.yaml", *key)[0] == 0
    assert not desk.book().exists  # signed elsewhere; nothing was handed in
    assert call("approve", "gameday.yaml", "--envelope", "tom.json")[0] == 0
    code, told = call("approve", "gameday.yaml", "--envelope", "tom.json")
    assert code == 2
    assert "replayed" in told
    (given,) = desk.book().state().approvals
    assert given.approval.scenarios == (STEPS[0],)


def test_no_private_key_is_printed_or_recorded(desk, call: Call) -> None:
    _, told = call("approve", "gameday.yaml", "--as", "Tom", "--key", "tom.pem")
    secret = "".join((desk.folder / "tom.pem").read_text().splitlines()[1:-1])
    kept = "".join(p.read_text() for p in (desk.folder / "runs").rglob("*.json"))
    assert secret not in told + kept
    assert len(secret) > 40


def test_a_freeze_leaves_no_trace_of_a_day_that_never_began(desk, call: Call) -> None:
    desk.write(
        NONE,
        targets=TARGETS
        + "freezes: [{name: peak, begins: 2026-11-01T00:00:00Z, ends: 2026-12-01T00:00:00Z}]\n",
    )
    code, told = call("start", "gameday.yaml")
    assert code == 2
    assert "trading freeze peak" in told
    assert not desk.book().exists
    assert "trading freeze peak until 2026-12-01T00:00:00Z" in call("plan", "gameday.yaml")[1]


def test_a_day_that_comes_again_has_a_name_of_its_own(desk, call: Call) -> None:
    desk.write(NONE)
    assert call("start", "gameday.yaml", "--dated")[0] == 0
    assert desk.book("rehearsal-20261128").state().phase == "finished"
    assert call("start", "gameday.yaml", "--name", "by-hand")[0] == 0
    assert len(desk.drilled()) == 6
    assert call("start", "gameday.yaml", "--name", "By Hand")[0] == 2


def test_findings_from_the_command_line(desk, call: Call) -> None:
    desk.write(NONE)
    day = ("gameday.yaml",)
    assert call("finding", "add", *day, "--what", "no pager answers", "--owner", "Tom")[0] == 0
    assert call("start", *day)[0] == 0
    code, told = call("close", *day, "--who", "Ada")
    assert code == 2
    assert "noted-1 lacks due date" in told
    assert call("finding", "assign", *day, "noted-1", "--due", "2026-12-18")[0] == 0
    assert call("finding", "close", *day, "noted-1", "--who", "Tom", "--proof", "it rings")[0] == 0
    assert call("finding", "close", *day, "noted-9", "--who", "Tom", "--proof", "x")[0] == 2
    assert call("close", *day, "--who", "Ada")[0] == 0
    report = json.loads((desk.book().folder / "report.json").read_text())
    assert report["findings"][0]["proof"] == "it rings"


def test_abort_and_answer_and_what_they_refuse(desk, call: Call) -> None:
    desk.write(NONE + "checks: [{check: budget, ask: Enough, role: platform}]\n")
    code, told = call("answer", "gameday.yaml", "--to", "budge", "--as", "Tom", "--yes")
    assert code == 2
    assert "did you mean budget?" in told
    assert call("answer", "gameday.yaml", "--to", "budget", "--as", "Eve", "--yes")[0] == 2
    assert call("answer", "gameday.yaml", "--to", "budget", "--as", "Tom", "--yes")[0] == 0
    assert call("abort", "gameday.yaml", "--who", "Tom", "--why", "a storm")[0] == 0
    code, told = call("status", "gameday.yaml")
    assert "the day stopped: aborted by Tom: a storm" in told
    assert call("abort", "gameday.yaml", "--who", "Tom", "--why", "again")[0] == 2


@pytest.mark.parametrize("word", ["a\x1b[2J", "a\nb", "x" * 501, "a\u202eb"])
def test_a_line_that_could_mislead_a_reader_is_refused(desk, call: Call, word: str) -> None:
    assert call("note", "gameday.yaml", "--who", word, "--what", "joined")[0] == 2
    assert not desk.book().exists


def test_a_note_of_tomorrow_is_refused(desk, call: Call) -> None:
    words = ("note", "gameday.yaml", "--who", "Tom", "--what", "joined", "--when")
    assert call(*words, "2026-11-29T12:00:00Z")[0] == 2
    assert call(*words, "2026-11-28T11:00:00")[0] == 2  # no zone
    assert call(*words, "2026-11-28T11:00:00Z")[0] == 0


def test_a_damaged_day_exits_4_and_names_the_record(desk, call: Call) -> None:
    desk.write(NONE)
    call("start", "gameday.yaml")
    file: Path = desk.book().files()[3]
    file.write_bytes(file.read_bytes()[:-2])
    code, told = call("status", "gameday.yaml")
    assert code == 4
    assert "gameday-rehearsal/0004.json" in told
