"""What a recovery by runbook left to show, in every report: simulated, judged, then rendered."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import report_cases
from report_recoveries import CLASSES, restored, restored_badly
from rich.console import Console

from harness.core.record import RunRecord
from harness.core.verdict import Verdict
from reports.html import render_html
from reports.json_report import render_json
from reports.junit import render_junit
from reports.markdown import render_markdown
from reports.recovery_view import PROOFS_SHOWN, milestones, proof_groups, recovery_lines
from reports.terminal import print_verdict


def terminal(record: RunRecord) -> str:
    console = Console(file=io.StringIO(), force_terminal=False, width=200, highlight=False)
    print_verdict(record, Path("runs/r"), console=console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def junit_text(record: RunRecord) -> str:
    return render_junit(record)


WRITTEN = {
    "html": render_html,
    "markdown": render_markdown,
    "terminal": terminal,
    "junit": junit_text,
}


def test_the_two_runs_are_what_they_are_meant_to_be() -> None:
    assert restored().judgement.verdict is Verdict.MET
    assert restored_badly().judgement.verdict is Verdict.MISSED
    assert [a.credential for a in restored().judgement.access] == sorted(CLASSES)


@pytest.mark.parametrize("name", list(WRITTEN))
def test_every_report_says_what_the_restore_cost_and_what_is_gone_for_good(name: str) -> None:
    text = WRITTEN[name](restored_badly())
    total = sum(r.lost for r in restored_badly().judgement.restoration)
    assert f"The restore cost {total} acknowledged writes" in text
    assert "3 are lost for good" in text
    assert "EUR 144.00" in text
    assert "1 came back damaged or twice" in text


@pytest.mark.parametrize("name", list(WRITTEN))
def test_since_when_nothing_was_protected_comes_right_after_the_answer(name: str) -> None:
    text = WRITTEN[name](restored_badly())
    text = text[text.find("<system-out>") + 1 :] if name == "junit" else text
    told = "Nothing was protected for 19.1 s, from 5.0 s before the fault"
    assert text.index("Not safe: ") < text.index(told)
    assert text.index(told) < text.index("recovery: the last workload")
    assert told not in WRITTEN[name](restored())


@pytest.mark.parametrize("name", list(WRITTEN))
def test_data_back_service_back_and_protected_are_told_apart(name: str) -> None:
    text = WRITTEN[name](restored())
    if name == "html":
        for title in ("Data back", "Service back", "Protected again"):
            assert f"<dt>{title}</dt>" in text
    else:
        assert "data back: 7 s, service back: 12.1 s, protected again: 14 s" in text


def test_what_was_not_seen_is_not_left_out() -> None:
    base = restored()
    marks = tuple(m for m in base.timeline.marks if m.name.value != "protected")
    told = milestones(replace(base, timeline=replace(base.timeline, marks=marks)))
    assert [(m.title, m.value) for m in told][-1] == ("Protected again", "not seen")
    assert milestones(report_cases.met()) == ()


@pytest.mark.parametrize("name", ["html", "markdown", "terminal"])
def test_a_class_still_open_is_named_and_the_others_are_one_table(name: str) -> None:
    text = WRITTEN[name](restored_badly())
    assert "session: the attacker still gets in; 130 accepted uses" in text.replace("&#45;", "-")
    if name == "html":
        table = text[text.index('id="access"') :]
        assert table.index("database-role") < table.index("session")


def test_steps_carry_their_decision_and_who_may_take_it() -> None:
    page = render_html(restored())
    assert "whether to lose what came later<small>head of commerce</small>" in page
    failed = replace(restored().steps[1], done=False, told="the archive ended too early")
    page = render_html(replace(restored(), steps=(failed,)))
    assert '<span class="wrong">not seen</span>' in page
    assert "the archive ended too early" in page


def test_proofs_are_grouped_by_check_and_harm_comes_first() -> None:
    groups = {g.check: g for g in proof_groups(restored_badly())}
    corrupt = groups["nothing-corrupt"]
    assert corrupt.title == "Every database node and every backup is sound"
    assert (corrupt.verdict, corrupt.proofs[0].ok) == (Verdict.MISSED, False)
    assert groups["secrets-hidden"].proofs[0].ok is None
    many = replace(corrupt.proofs[1], subject="page")
    record = replace(restored(), proofs=(*[many] * PROOFS_SHOWN, corrupt.proofs[0]))
    (group,) = proof_groups(record)
    assert (group.proofs[0].ok, group.left_out) == (False, 1)


def test_proofs_of_a_check_that_the_scenario_does_not_name_say_so() -> None:
    stray = replace(restored().proofs[0], check="audit-kept")
    assert "not named by the scenario" in render_html(replace(restored(), proofs=(stray,)))


def test_the_report_for_programs_holds_all_of_it() -> None:
    found = json.loads(render_json(restored_badly()))
    assert [a["verdict"] for a in found["access"]] == ["met"] * 5 + ["missed"]
    orders = found["restoration"]["order-capture"]
    assert (orders["gone"], orders["spoiled"], orders["gone_value"]) == (3, 1, 144)
    assert orders["lost"] == orders["back"] + 4
    assert found["unprotected"]["since_s"] == -5.02
    assert [s["name"] for s in found["runbook"]][-1] == "switch-over"
    assert {p["ok"] for p in found["proofs"]} == {True, False, None}
    assert found["workloads"]["order-capture"]["failback"]["target_s"] == 60
    plain = json.loads(render_json(report_cases.met()))
    assert (plain["access"], plain["restoration"], plain["unprotected"]) == ([], {}, None)
    assert plain["workloads"]["order-capture"]["failback"] is None


def test_each_class_of_credentials_is_a_case_of_its_own() -> None:
    suite = ET.fromstring(render_junit(restored_badly()).encode())[0]
    cases = {c.get("name"): [part.tag for part in c] for c in suite.findall("testcase")}
    assert cases["access-revoked: session"] == ["failure"]
    assert cases["access-revoked: api-key"] == []
    names = [(c.get("classname"), c.get("name")) for c in suite.findall("testcase")]
    assert len(names) == len(set(names))


def test_stores_that_were_not_read_whole_give_no_figure_of_what_came_back() -> None:
    base = restored()
    unknown = tuple(
        replace(r, back=None, gone=None, spoiled=None, back_value_cents=None, gone_value_cents=None)
        for r in base.judgement.restoration
    )
    record = replace(base, judgement=replace(base.judgement, restoration=unknown))
    assert any("what came back is not known" in line for line in recovery_lines(record))
    page = render_html(record)
    assert "not known: the stores were not read whole" in page
    assert "0 of them lost for good" not in page
