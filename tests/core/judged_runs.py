"""Short simulated runs, and what the judge says of them."""

from __future__ import annotations

from dataclasses import replace

from harness.core.evidence import Evidence
from harness.core.judge import judge
from harness.core.plan import Plan
from harness.core.targets import Targets
from harness.core.verdict import Judgement
from tests.core import simulate

ORDERS_ALONE = Targets(simulate.TARGETS.workloads[:1])


def run(**given: object) -> tuple[Plan, Evidence]:
    """A short honest run of order capture alone."""
    plan = given.pop("plan", None) or simulate.plan_of(targets=ORDERS_ALONE)
    return simulate.evidence(plan=plan, **({"outage_s": 6.0, "after_s": 15.0} | given))


def judged(evidence: tuple[Plan, Evidence], **observed: object) -> Judgement:
    plan, seen = evidence
    return judge(plan, replace(seen, observation=replace(seen.observation, **observed)))


def unfit(found: Judgement) -> list[str]:
    return [f.name for f in found.fitness if not f.fit]
