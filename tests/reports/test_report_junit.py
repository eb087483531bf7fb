"""JUnit: valid, and never green where the run was not met."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from xml.etree import ElementTree as ET

import report_cases

from harness.core.record import RunRecord
from harness.core.verdict import Finding, Verdict
from reports.junit import render_junit

SUITE = {
    "name", "package", "id", "timestamp", "hostname", "tests", "failures", "errors", "skipped",
    "time",
}  # fmt: skip


def suite(record: RunRecord, **options: frozenset[str]) -> ET.Element:
    return ET.fromstring(render_junit(record, **options).encode())[0]


def results(element: ET.Element) -> dict[str, str]:
    return {
        f"{case.get('classname')}/{case.get('name')}": case[0].tag if len(case) else "passed"
        for case in element.findall("testcase")
    }


def test_it_has_the_shape_that_ci_servers_know(record: RunRecord) -> None:
    """Ant's schema: attributes, the order of the parts, at most one result a case."""
    found = suite(record)
    assert set(found.attrib) == SUITE
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", found.get("timestamp"))
    tags = [part.tag for part in found]
    cases = found.findall("testcase")
    assert tags == ["properties", *["testcase"] * len(cases), "system-out", "system-err"]
    for case in cases:
        assert set(case.attrib) == {"classname", "name", "time"}
        assert len(case) <= 1
        for result in case:
            assert result.tag in {"failure", "error", "skipped"}
            assert result.get("message")
            assert result.tag == "skipped" or result.get("type")


def test_the_counts_are_those_of_the_cases(record: RunRecord) -> None:
    found = suite(record)
    tally = Counter(case[0].tag if len(case) else "passed" for case in found.findall("testcase"))
    assert int(found.get("tests")) == sum(tally.values())
    assert int(found.get("failures")) == tally["failure"]
    assert int(found.get("errors")) == tally["error"]
    assert int(found.get("skipped")) == tally["skipped"]


def test_it_is_green_only_where_the_run_was_met(record: RunRecord) -> None:
    found = suite(record)
    bad = int(found.get("failures")) + int(found.get("errors")) + int(found.get("skipped"))
    assert (bad == 0) == (record.judgement.verdict is Verdict.MET)


def test_a_case_per_workload_and_check() -> None:
    names = results(suite(report_cases.met()))
    assert names["peakdrill.node-loss.order-capture/rto"] == "passed"
    assert names["peakdrill.node-loss.finance-reporting/rpo"] == "passed"
    assert names["peakdrill.node-loss.platform/stores-agree"] == "passed"
    assert names["peakdrill.node-loss.instrument/fit-to-judge"] == "passed"


def test_a_miss_is_a_failure_with_its_reason() -> None:
    text = render_junit(report_cases.missed())
    assert results(suite(report_cases.missed()))["peakdrill.node-loss.order-capture/rpo"] == (
        "failure"
    )
    assert "3 of 3,437 acknowledged writes lost" in text


def test_a_skip_is_a_failure_unless_it_was_allowed() -> None:
    record = report_cases.skipped()
    closed, other = suite(record), suite(record, allow_skip=frozenset({"backups"}))
    for found in (closed, other):
        assert int(found.get("failures")) == 6
        assert int(found.get("skipped")) == 0
    allowed = suite(record, allow_skip=frozenset({"tenants"}))
    assert (int(allowed.get("failures")), int(allowed.get("skipped"))) == (0, 6)


def test_what_is_lacking_must_all_be_allowed() -> None:
    record = report_cases.skipped()
    scenario = replace(record.plan.scenario, requires=frozenset({"tenants", "backups"}))
    record = replace(record, plan=replace(record.plan, scenario=scenario))
    assert int(suite(record, allow_skip=frozenset({"tenants"})).get("failures")) == 6
    both = suite(record, allow_skip=frozenset({"tenants", "backups"}))
    assert int(both.get("skipped")) == 6


def test_an_unfit_run_has_errors_where_its_passes_would_be() -> None:
    base = report_cases.met()
    record = replace(base, judgement=replace(base.judgement, verdict=Verdict.INVALID))
    found = suite(record)
    assert int(found.get("errors")) == int(found.get("tests"))


def test_a_proven_miss_stays_a_failure_in_an_unfit_run() -> None:
    base = report_cases.missed()
    record = replace(base, judgement=replace(base.judgement, verdict=Verdict.INVALID))
    assert results(suite(record))["peakdrill.node-loss.order-capture/rpo"] == "failure"


def test_a_verdict_that_no_case_explains_fails_by_itself() -> None:
    base = report_cases.met()
    judgement = replace(base.judgement, verdict=Verdict.MISSED, workloads=(), findings=())
    found = results(suite(replace(base, judgement=judgement)))
    assert found["peakdrill.node-loss.run/verdict"] == "failure"


def test_hostile_text_is_text_without_control_characters() -> None:
    record = report_cases.hostile()
    worse = Finding("a\x00b\ud800\ufffe", None, Verdict.MISSED, "]]> \x08 & <x/> \ud834")
    text = render_junit(
        replace(record, judgement=replace(record.judgement, findings=(worse,)))
    ).encode()
    assert b"<script" not in text
    assert not re.search(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]", text)
    ET.fromstring(text)
