"""Every renderer on every kind of answer: the answer first, green only where it is met."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import jsonschema
import pytest

from harness.core.gate.comparable import Terms
from harness.core.gate.decision import decide
from harness.core.gate.values import GateDecision
from harness.core.verdict import Verdict
from reports.gate_json import render_gate_json
from reports.gate_junit import render_gate_junit
from reports.gate_markdown import render_gate_markdown
from reports.gate_text import COLUMNS, gate_text, plan_text
from reports.markdown import escape
from tests.gate.gate_cases import clean, lost, question, recovering, run, terms

SCHEMA = json.loads(
    (Path(__file__).resolve().parents[2] / "reports/schema/gate-v1.schema.json").read_text()
)
EVIL = "<b>x</b>|`@all`\x1b[2J\u202e](javascript:1)"


def hostile() -> Terms:
    return terms(EVIL, fault=EVIL)


def answers() -> dict[str, GateDecision]:
    against = question(baseline="old")
    fast, slow = [20.0] * 14, [40.0] * 14
    both = [*recovering(fast), *recovering(fast, release="old")]
    slower = [*recovering(slow), *recovering(fast, release="old")]
    away = [run(n, workloads=()) for n in range(3)]
    evil = [lost(0, scenario=EVIL, reason=EVIL), run(1, scenario=EVIL, judge=EVIL)]
    return {
        "met": decide(against, both),
        "sequential": decide(question(sequential=True), clean(16)),
        "slower": decide(against, slower),
        "lost": decide(question(), [*clean(14), *(lost(20 + n) for n in range(6))]),
        "few": decide(against, clean(3)),
        "refused": decide(against, [*clean(14), *clean(14, release="old", peak=2.0)]),
        "invalid": decide(question(), [run(0, Verdict.INVALID)]),
        "none": decide(question(), []),
        "no scenario": decide(question(terms()).__class__(release="new", terms=()), clean(14)),
        "not recovered": decide(against, [*away, *clean(11, 3), *clean(14, release="old")]),
        "unproven": decide(question(), clean(14, unproven=True)),
        "hostile": decide(question(hostile(), release="new", baseline=EVIL), evil),
    }


ANSWERS = answers()


@pytest.fixture(params=ANSWERS.values(), ids=ANSWERS.keys())
def decision(request) -> GateDecision:
    return request.param


def test_the_samples_are_of_every_kind() -> None:
    assert {d.verdict for d in ANSWERS.values()} == {
        Verdict.MET, Verdict.MISSED, Verdict.INCONCLUSIVE, Verdict.INVALID,
    }  # fmt: skip
    assert {d.exit_code for d in ANSWERS.values()} == {0, 1, 2, 3, 4}
    assert (ANSWERS["met"].exit_code, ANSWERS["sequential"].exit_code) == (0, 0)


def test_the_first_line_answers(decision: GateDecision) -> None:
    word = {
        Verdict.MET: "Safe", Verdict.MISSED: "Not safe", Verdict.INCONCLUSIVE: "Not proven",
        Verdict.INVALID: "Not judged",
    }[decision.verdict]  # fmt: skip
    assert gate_text(decision).startswith(word)
    assert word in render_gate_markdown(decision).splitlines()[0]
    if decision.smoke:
        assert f"{word} (smoke runs)" in gate_text(decision).splitlines()[0]


def test_text_is_clean_and_within_its_columns(decision: GateDecision) -> None:
    text = f"{gate_text(decision)}\n{plan_text(decision, {'node-loss': 2.0})}"
    for line in text.splitlines():
        assert len(line) <= COLUMNS
        assert line.isprintable()


def test_the_json_is_by_its_schema_and_canonical(decision: GateDecision) -> None:
    text = render_gate_json(decision)
    told = json.loads(text)
    jsonschema.Draft202012Validator(SCHEMA).validate(told)
    assert told["exit_code"] == decision.exit_code
    assert text == json.dumps(told, sort_keys=True, indent=2) + "\n"


def test_a_schema_that_says_nothing_would_be_no_test() -> None:
    told = json.loads(render_gate_json(ANSWERS["met"]))
    told["scenarios"][0]["cells"][0]["supports"] = 1.5
    assert not jsonschema.Draft202012Validator(SCHEMA).is_valid(told)


def test_junit_is_green_only_where_it_is_met(decision: GateDecision) -> None:
    suite = ET.fromstring(render_gate_junit(decision).encode())[0]
    cases = suite.findall("testcase")
    failed = [case for case in cases if case.find("failure") is not None]
    errors = [case for case in cases if case.find("error") is not None]
    assert int(suite.get("tests")) == len(cases)
    assert (int(suite.get("failures")), int(suite.get("errors"))) == (len(failed), len(errors))
    assert (not failed and not errors) == (decision.verdict is Verdict.MET)
    names = [(case.get("classname"), case.get("name")) for case in cases]
    assert len(set(names)) == len(names)
    assert all(part.get("message") for case in failed + errors for part in case)


def test_markdown_has_no_markup_of_anybody_else(decision: GateDecision) -> None:
    page = render_gate_markdown(decision)
    assert "<b>" not in page
    assert "](" not in page
    assert "\u202e" not in page
    for line in page.splitlines():
        if line.startswith("|"):
            assert line.count("|") in {7, 8}, "a name adds no column"
    assert escape(decision.question.release) in page


def test_the_plan_says_how_many_and_how_long() -> None:
    told = plan_text(ANSWERS["few"], {"node-loss": 2.5})
    assert "28 min at the most" in told
    assert "node-loss: 3 of 14 there; 11 to make, 2 min each" in told
    assert "13.1 h" in plan_text(ANSWERS["none"], {"node-loss": 56.0})
