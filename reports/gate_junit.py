"""A gate as JUnit: a case per cell and comparison, one for losses, one for the answer.

Fail closed: only a gate that is met is green. What is inconclusive is a failure with the number of
runs that it lacks; what was not fit to judge is an error.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from harness.core.gate.values import GateDecision, Part
from harness.core.verdict import Verdict
from reports.words import clean

_PLATFORM = "platform"
_EPOCH = "1970-01-01T00:00:00"


@dataclass(frozen=True, slots=True)
class _Case:
    place: str
    name: str
    verdict: Verdict
    reason: str


def render_gate_junit(decision: GateDecision) -> str:
    """One suite. Its time stamp is the last run's: nothing here asks a clock."""
    cases = _cases(decision)
    tally = Counter(_result(case.verdict) for case in cases)
    root = ET.Element("testsuites")
    release = clean(decision.question.release)
    suite = ET.SubElement(
        root,
        "testsuite",
        {
            "name": f"peakdrill gate {release}",
            "package": "peakdrill",
            "id": "0",
            "timestamp": _timestamp(decision),
            "hostname": "localhost",  # a report names no machine
            "tests": str(len(cases)),
            "failures": str(tally["failure"]),
            "errors": str(tally["error"]),
            "skipped": "0",
            "time": "0",
        },
    )
    properties = ET.SubElement(suite, "properties")
    for name, value in _properties(decision):
        ET.SubElement(properties, "property", {"name": name, "value": clean(value)})
    for case in cases:
        element = ET.SubElement(
            suite, "testcase", {"classname": case.place, "name": case.name, "time": "0"}
        )
        if result := _result(case.verdict):
            told = {"message": case.reason, "type": case.verdict.value}
            ET.SubElement(element, result, told).text = case.reason
    lines = [*decision.reasons, *(f"note: {note}" for note in decision.notes)]
    ET.SubElement(suite, "system-out").text = "\n".join(clean(line) for line in lines) + "\n"
    ET.SubElement(suite, "system-err").text = ""
    ET.indent(root)
    body = ET.tostring(root, encoding="unicode", short_empty_elements=True)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'


def _cases(decision: GateDecision) -> list[_Case]:
    lost = [f"{loss.scenario} {loss.run_id}: {loss.reason}" for loss in decision.losses]
    first = _Case("peakdrill.gate", "answer", decision.verdict, clean(decision.reasons[0]))
    nothing = _Case(
        "peakdrill.gate",
        "nothing-acknowledged-lost",
        _nothing_lost(decision),
        clean("; ".join(lost) or "no drill was fit to tell"),
    )
    parts = [
        _part(part, name)
        for scenario in decision.scenarios
        for parts, name in ((scenario.cells, "targets"), (scenario.comparisons, "no-slower"))
        for part in parts
    ]
    refused = [
        _Case(_place(s.scenario, _PLATFORM), "no-slower", Verdict.INCONCLUSIVE, clean(s.refused))
        for s in decision.scenarios
        if s.refused
    ]
    return [first, nothing, *parts, *refused]


def _nothing_lost(decision: GateDecision) -> Verdict:
    """Where nothing was drilled, nothing was lost, and nothing is shown."""
    if decision.losses:
        return Verdict.MISSED
    told = decision.scenarios and all(s.fit for s in decision.scenarios)
    return Verdict.MET if told else Verdict.INCONCLUSIVE


def _part(part: Part, name: str) -> _Case:
    place = _place(part.scenario, part.workload or _PLATFORM)
    return _Case(place, name, part.verdict, clean(part.reason))


def _result(verdict: Verdict) -> str:
    if verdict is Verdict.MET:
        return ""
    return "error" if verdict in {Verdict.INVALID, Verdict.ERROR} else "failure"


def _place(scenario: str, part: str) -> str:
    named = re.sub(r"[.\s]+", "-", clean(scenario)) or "scenario"
    return f"peakdrill.gate.{named}.{part}"


def _timestamp(decision: GateDecision) -> str:
    begun = [instant for s in decision.scenarios for instant in s.begun_utc]
    found = re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", max(begun, default=""))
    return found.group(0) if found else _EPOCH


def _properties(decision: GateDecision) -> list[tuple[str, str]]:
    question = decision.question
    return [
        ("release", question.release),
        ("baseline", question.baseline),
        ("verdict", decision.verdict.value),
        ("size", "smoke" if decision.smoke else "full"),
        ("quantile", f"{question.policy.quantile:g}"),
        ("confidence", f"{question.policy.confidence:g}"),
        ("margin", f"{question.policy.margin:g}"),
        ("test", "sequential" if question.sequential else "fixed"),
        ("planned", str(decision.planned)),
    ]
