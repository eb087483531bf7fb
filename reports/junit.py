"""JUnit XML for CI servers: one case per workload and check, and one for the instrument.

Fail closed: inconclusive and skipped are failures with their reason; a run that was not fit to
judge has errors in the place of its passes; and a run whose verdict is not met never comes out
green, whatever its cases say. Valid against the schema of Ant's JUnit reports.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from xml.etree import ElementTree as ET

from harness.core.record import RunRecord
from harness.core.verdict import Finding, Verdict
from reports.recovery_view import recovery_lines
from reports.view import findings, lacking
from reports.words import NS_PER_S, clean, headline, is_skipped

_NO_REASON = "no reason was given"


@dataclass(frozen=True, slots=True)
class Case:
    """`result`: "" (passed), failure, error or skipped; `kind` is the verdict's word."""

    place: str
    name: str
    result: str
    kind: str
    reason: str


def render_junit(record: RunRecord, *, allow_skip: frozenset[str] = frozenset()) -> str:
    """The run as one test suite. `allow_skip`: capabilities that may be lacking."""
    cases = _cases(record, allow_skip)
    tally = Counter(case.result for case in cases)
    took_s = max(0, record.load_stopped_ns - record.load_begun_ns) / NS_PER_S
    root = ET.Element("testsuites")
    suite = ET.SubElement(
        root,
        "testsuite",
        {
            "name": f"peakdrill {clean(record.judgement.scenario)}",
            "package": "peakdrill",
            "id": "0",
            "timestamp": _timestamp(record.begun_utc),
            "hostname": "localhost",  # a report names no machine
            "tests": str(len(cases)),
            "failures": str(tally["failure"]),
            "errors": str(tally["error"]),
            "skipped": str(tally["skipped"]),
            "time": f"{took_s:.3f}",
        },
    )
    properties = ET.SubElement(suite, "properties")
    for name, value in _properties(record):
        ET.SubElement(properties, "property", {"name": name, "value": clean(value)})
    for case in cases:
        _write(suite, case)
    ET.SubElement(suite, "system-out").text = _summary(record)
    ET.SubElement(suite, "system-err").text = ""
    ET.indent(root)
    body = ET.tostring(root, encoding="unicode", short_empty_elements=True)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'


def _write(suite: ET.Element, case: Case) -> None:
    element = ET.SubElement(
        suite, "testcase", {"classname": case.place, "name": case.name, "time": "0"}
    )
    if case.result == "skipped":
        ET.SubElement(element, "skipped", {"message": case.reason})
    elif case.result:
        said = ET.SubElement(element, case.result, {"message": case.reason, "type": case.kind})
        said.text = case.reason


def _cases(record: RunRecord, allow_skip: frozenset[str]) -> list[Case]:
    judgement = record.judgement
    lacked = lacking(record)
    allowed = bool(lacked) and set(lacked) <= allow_skip
    cases = [_fit_to_judge(record)]
    cases += _with_names_of_their_own([_case(record, f, allowed) for f in findings(record)])
    explained = any(case.result for case in cases)
    if judgement.verdict is not Verdict.MET and not explained:
        result = "skipped" if allowed and judgement.verdict is Verdict.INCONCLUSIVE else "failure"
        cases.append(
            Case(_place(record, "run"), "verdict", result, judgement.verdict, headline(judgement))
        )
    return cases


def _with_names_of_their_own(cases: list[Case]) -> list[Case]:
    """A check with a finding for each subject, such as a class of credentials, names it too."""
    shared = Counter((case.place, case.name) for case in cases)
    return [
        replace(case, name=f"{case.name}: {case.reason.partition(':')[0]}")
        if shared[case.place, case.name] > 1
        else case
        for case in cases
    ]


def _fit_to_judge(record: RunRecord) -> Case:
    """Always there, so that its history can be followed over many runs."""
    verdict = record.judgement.verdict
    unfit = verdict in {Verdict.INVALID, Verdict.ERROR}
    return Case(
        place=_place(record, "instrument"),
        name="fit-to-judge",
        result="error" if unfit else "",
        kind=verdict.value,
        reason=headline(record.judgement),
    )


def _case(record: RunRecord, found: Finding, allowed: bool) -> Case:
    overall = record.judgement.verdict
    verdict, reason = found.verdict, clean(found.reason) or _NO_REASON
    if verdict is Verdict.MET and overall in {Verdict.INVALID, Verdict.ERROR}:
        verdict = overall  # an unfit instrument voids met, never missed
        reason = f"{headline(record.judgement)} Without that: {reason}"
    if verdict is Verdict.MET:
        result = ""
    elif verdict in {Verdict.INVALID, Verdict.ERROR}:
        result = "error"
    else:
        result = "skipped" if is_skipped(found) and allowed else "failure"
    name = found.workload.value if found.workload else "platform"
    return Case(_place(record, name), clean(found.check) or "check", result, verdict, reason)


def _place(record: RunRecord, part: str) -> str:
    scenario = re.sub(r"[.\s]+", "-", clean(record.judgement.scenario)) or "scenario"
    return f"peakdrill.{scenario}.{part}"


def _timestamp(begun_utc: str) -> str:
    """The schema wants seconds and no time zone."""
    found = re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", begun_utc)
    return found.group(0) if found else "1970-01-01T00:00:00"


def _properties(record: RunRecord) -> list[tuple[str, str]]:
    plan = record.plan
    return [
        ("run_id", record.judgement.run_id),
        ("verdict", record.judgement.verdict.value),
        ("judge", record.judgement.judge),
        ("platform", plan.platform.name),
        ("platform.heading", plan.platform.heading),
        ("size", plan.size.value),
        ("peak", f"{plan.peak:g}"),
        ("shape", plan.shape.name),
        ("seed", str(plan.seed)),
        ("release", plan.release),
        ("evidence", record.evidence_digest),
    ]


def _summary(record: RunRecord) -> str:
    judgement = record.judgement
    lines = [f"{judgement.verdict.value.upper()}: {headline(judgement)}"]
    lines += [clean(reason) for reason in judgement.reasons[1:]]
    lines += [clean(text) for text in recovery_lines(record)]
    lines += [f"not checked: {clean(text)}" for text in judgement.not_checked]
    lines += [f"note: {clean(text)}" for text in judgement.notes]
    return "\n".join(lines) + "\n"
