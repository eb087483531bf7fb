"""Which drill a gate makes next. Pure: what is made follows from what is there.

Nothing more is made once the answer is known (a loss, a proven miss), where the comparison is
refused, or where a scenario can no longer pass within its number of runs: a hundred drills that
cannot change the answer are a hundred outages for nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from harness.core.gate.comparable import ATTEMPTS
from harness.core.gate.values import GateDecision, ScenarioGate
from harness.core.verdict import Verdict

NOTHING: Mapping[str, int] = MappingProxyType({})


def next_drill(decision: GateDecision, before: Mapping[str, int] = NOTHING) -> str | None:
    """The scenario that has the fewest drills, of those that lack some; None: no more.

    `before`: the drills that counted when the gate began, where it made some since.
    """
    if decision.verdict is Verdict.MISSED or decision.refused:
        return None
    lacking = [s for s in decision.scenarios if drills_to_make(decision, s, before)]
    return min(lacking, key=lambda s: s.counted).scenario if lacking else None


def drills_to_make(
    decision: GateDecision, scenario: ScenarioGate, before: Mapping[str, int] = NOTHING
) -> int:
    """If all are clean, and as far as it was asked for; 0 where it can pass no more.

    Fewer than the plan's may be asked for: the rest is for another day, so a start is made.
    """
    lacking, counted, asked = scenario.lacking or 0, scenario.counted, decision.question.runs
    left = decision.planned - counted
    if asked is not None:
        left = asked - (counted - before.get(scenario.scenario, counted))
    can_pass = counted + lacking <= max(decision.planned, counted + left)
    if all(part.verdict is Verdict.MET for part in scenario.parts) or not can_pass:
        return 0
    return min(lacking, max(0, left))


def most_drills(decision: GateDecision) -> int:
    """How many may be made if every one is unfit twice before it is fit."""
    return ATTEMPTS * sum(drills_to_make(decision, s) for s in decision.scenarios)
