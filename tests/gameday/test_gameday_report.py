"""The post-exercise report: everything that has to be told, as text, and signed for good."""

from __future__ import annotations

import datetime as dt
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from harness.core.gameday import records as said
from harness.core.gameday.view import DayView, view_of
from harness.core.verdict import Verdict
from harness.errors import DamagedEvidence, Refused
from harness.gameday import answers, ending, findings
from reports.gameday_report import SignedBy, render_gameday

NONE = "approvals: none\n"
KEY = SignedBy("ab" * 32, self_signed=True)
ABSENT = """\
  - {scenario: node-loss}
  - {scenario: credential-compromise, absent: [database-administrator]}
  - {scenario: page-corruption}"""
HOSTILE = '<script>alert(1)</script> | [x](javascript:1) \u202e "quoted"'


def view(desk) -> DayView:
    return view_of(desk.day(), desk.book().entries())


def eventful(desk) -> DayView:
    """Approved, refused, asked, aborted, missed, told, and with a role away."""
    desk.write(
        "approvals: {requested_by: Ada, action: drill-in-staging}\nabort: {then: next}\n"
        "checks: [{check: platform-whole}, {check: budget, ask: Enough, role: database-administrator}]\n"
        "communications: [{name: stores, when: after-day, whom: stores, channel: phone, what: Done., "
        "by: game-master}]\nabsent: [database-administrator]\nnot_tested: [The loss of a region.]\n",
        scenarios=ABSENT,
    )
    for body in (desk.approval("ada"), desk.approval("mina")):
        with pytest.raises(Refused):
            desk.hand_in(body)
    desk.now += dt.timedelta(minutes=7)
    desk.approve("tom")
    with pytest.raises(Refused, match="database-administrator is absent; deputy: Tom"):
        answer(desk, "budget", "Mina")
    answer(desk, "budget", "Tom")
    answers.note(desk.book(), "Mina", "paged", desk.now, when="2026-11-28T11:58:00Z")
    answers.note(desk.book(), "Jonas", "joined", desk.now, when="2026-11-28T11:55:00Z")
    desk.drills.cut["credential-compromise"] = "Interrupted: aborted by Ada: tills queue"
    desk.drills.verdicts["page-corruption"] = Verdict.MISSED
    desk.conduct()
    return view(desk)


def answer(desk, to: str, who: str) -> None:
    answers.answer(desk.book(), desk.day(), to, who, said_yes=True, words="", now=desk.now)


def test_everything_that_clause_8_5_asks_for_is_there(desk) -> None:
    seen = eventful(desk)
    assert seen.verdict is Verdict.MISSED
    assert [(d.step[0], d.verdict) for d in seen.drilled] == [
        ("1", Verdict.MET), ("2", Verdict.INVALID), ("3", Verdict.MISSED),
    ]  # fmt: skip
    assert [(r.objective, r.verdict) for r in seen.results] == [("It comes back.", Verdict.MET)]
    assert any(line.who == "Tom (platform)" and "approved" in line.what for line in seen.decisions)
    assert [line.who for line in seen.refused] == ["Ada", "Mina", "Mina"]
    assert [line.what for line in seen.aborts] == [
        "2-credential-compromise: Interrupted: aborted by Ada: tills queue"
    ]
    assert [line.who for line in seen.timeline] == ["Jonas", "Mina"]  # by when it happened
    (told,) = seen.spoken
    assert (told.at_utc, told.who) == ("", "")
    assert {f.name for f in seen.findings} == {
        "credential-compromise/platform/verdict", "page-corruption/order-capture/rto", "told/stores",
    }  # fmt: skip
    assert "The loss of a region." in seen.not_tested
    assert any(
        t.startswith("2-credential-compromise: begun, and not judged") for t in seen.not_tested
    )


def test_what_the_absence_cost_is_counted(desk) -> None:
    (away,) = eventful(desk).absences
    assert (away.role, away.where) == ("database-administrator", "the whole day")
    assert (away.refused, away.deputies) == (2, ("Tom",))
    assert away.waited_s == 7 * 60
    assert away.told == "2 acts were refused; Tom stood in after 420 s"


def test_an_absence_that_nobody_stood_in_for(desk) -> None:
    desk.write(NONE, scenarios=ABSENT)
    desk.conduct()
    (away,) = view(desk).absences
    assert (away.where, away.waited_s) == ("2-credential-compromise", None)
    assert away.told == "nothing was asked of the role"


def test_a_day_that_stopped_is_not_met_though_all_that_ran_was(desk) -> None:
    desk.write(NONE)

    def asked(_order: object) -> None:
        desk.book().add(said.AbortAsked("Tom", "enough"), desk.now)

    desk.drills.before = asked
    desk.conduct()
    seen = view(desk)
    assert [d.verdict for d in seen.drilled] == [Verdict.MET, None, None]
    assert seen.verdict is Verdict.INCONCLUSIVE
    assert seen.headline.startswith("Not shown: 1 of 3 scenarios met their targets")
    assert sum("it was not begun" in text for text in seen.not_tested) == 2


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.outside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.outside += [
            v or ""
            for k, v in attrs
            if k in {"src", "href", "action"} and (v or "").startswith("http")
        ]


def test_what_a_hostile_name_says_stays_text(desk) -> None:
    seen = eventful(desk)
    line = replace(seen.timeline[0], who=HOSTILE, what=HOSTILE)
    finding = replace(seen.findings[0], name=HOSTILE, what=HOSTILE, owner=HOSTILE)
    drilled = replace(seen.drilled[0], run_id='../../x"><b>', reason=HOSTILE)
    hostile = replace(
        seen, headline=HOSTILE, scope=HOSTILE, timeline=(line,), findings=(finding,),
        drilled=(drilled,), not_tested=(HOSTILE,),
    )  # fmt: skip
    texts = render_gameday(hostile, KEY)
    tags = Tags()
    tags.feed(texts["report.html"])
    assert "script" not in tags.seen
    assert "b" not in [t for t in tags.seen if t == "b"][2:]  # the masthead's and the key's alone
    assert tags.outside == []
    assert "\u202e" not in texts["report.html"]
    assert "\u202e" not in texts["report.md"]
    assert "<script" not in texts["report.md"]
    assert "](" not in texts["report.md"]
    table = texts["report.md"].split("## The human time line")[1].split("##")[0]
    rows = [row for row in table.splitlines() if row.startswith("|")]
    assert {row.count("|") for row in rows} == {4}
    assert json.loads(texts["report.json"])["headline"] == HOSTILE


def test_the_page_holds_every_section_and_links_the_runs(desk) -> None:
    texts = render_gameday(eventful(desk), KEY)
    page = texts["report.html"]
    for title in ("Results against the objectives", "What was done", "Decisions", "Who was told",
                  "Deviations from the plan", "Refused approvals and answers", "Aborts",
                  "The human time line", "Findings", "What was not tested", "What absence cost"):  # fmt: skip
        assert title in page
    assert '<a href="../run0/report.html">run0</a>' in page
    assert "self-signed" in page
    assert "default-src 'none'" in page
    assert page.count("<h1") == 1
    told = json.loads(texts["report.json"])
    assert (told["schema"], told["verdict"]) == ("peakdrill/gameday/v1", "missed")
    assert re.search(r"^# Game day rehearsal: . Missed$", texts["report.md"], re.MULTILINE)


def close(desk) -> None:
    ending.refuse_unready(desk.book())
    ending.close(desk.book(), "Ada", lambda: render_gameday(view(desk), KEY), desk.now)


def test_it_closes_when_every_finding_is_somebody_s_and_then_for_good(desk) -> None:
    eventful(desk)
    with pytest.raises(Refused, match="told/stores lacks owner and due date"):
        close(desk)
    for finding in desk.book().state().findings:
        findings.assign(desk.book(), finding.name, "Ada", desk.now, owner="Tom", due="2026-12-18")
    close(desk)
    ending.hold_to_manifest(desk.book())
    with pytest.raises(Refused, match="nothing can be added"):
        answers.note(desk.book(), "Tom", "one more", desk.now)
    with pytest.raises(Refused, match="closed already"):
        close(desk)
    assert desk.conduct().phase == "closed"
    assert len(desk.drilled()) == 3


def test_a_day_that_is_not_over_cannot_be_closed(desk) -> None:
    desk.write(NONE)
    desk.book().add(said.Noted("Tom", "early", "2026-11-28T12:00:00Z"), desk.now)
    with pytest.raises(Refused, match="only a day that is over can be closed"):
        close(desk)


def test_every_file_of_a_closed_day_is_held_to_its_signature(desk) -> None:
    desk.write(NONE)
    desk.conduct()
    close(desk)
    book = desk.book()
    files = [
        *book.files(),
        *(book.folder / n for n in ("gameday.yaml", "report.html", "report.md", "report.json")),
        book.folder / ending.MANIFEST,
        desk.folder / "runs" / "run1" / "verdict.json",
    ]
    for file in files:
        body = file.read_bytes()
        file.write_bytes(body[:-1] + bytes([body[-1] ^ 1]))
        with pytest.raises(DamagedEvidence, match=file.name):
            ending.hold_to_manifest(book)
        assert not ending.day_holds(book.folder)
        file.unlink()
        with pytest.raises(DamagedEvidence, match=r"missing|gone|cannot be read|follow"):
            ending.hold_to_manifest(book)
        file.write_bytes(body)
    ending.hold_to_manifest(book)
    assert ending.day_holds(book.folder)
