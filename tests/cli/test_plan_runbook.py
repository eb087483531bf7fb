"""`peakdrill plan` with a runbook: every step, its decision and who takes it, before anything."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from harness.commands import plan_text as printed
from harness.core.plan import Plan, Size
from harness.core.scenario import automatic, runbook
from harness.evidence import canonical
from harness.planning import limits_of
from harness.recovery.steps import Runbook, Step, nothing
from harness.trading import _max_s
from tests.cli import stand_ins

BOOK = Runbook(
    "point-in-time",
    "Back to the last good instant",
    (
        Step(
            "close", "Close the doors", nothing, lambda _: None, 45, "stop trading", "head of shop"
        ),
        Step("restore", "Restore the data", nothing, lambda _: None, 300),
    ),
)


@pytest.fixture
def plan(monkeypatch: pytest.MonkeyPatch) -> Plan:
    monkeypatch.setattr(printed, "runbook_of", lambda name: replace(BOOK, name=name))
    scenario = replace(
        stand_ins.SCENARIO,
        recovery=runbook("point-in-time", within_s=600, target="last-good"),
        failback=runbook("failback", within_s=90),
    )
    return replace(stand_ins.plan(), scenario=scenario)


def test_each_step_with_its_decision_who_may_take_it_and_its_limit(plan: Plan) -> None:
    told = printed.plan_text(plan)
    for line in (
        "recovery   point-in-time, within 600 s",
        "failback   failback, within 90 s",
        "recovery   Back to the last good instant (point-in-time, within 600 s; target last-good)",
        "        1  Close the doors (at most 45 s)",
        "           decision: stop trading (head of shop)",
        "        2  Restore the data (at most 300 s)",
    ):
        assert line in told.splitlines()
    assert told.count("Close the doors") == 2


def test_the_steps_as_json(plan: Plan) -> None:
    told = json.loads(canonical.dumps(printed.plan_value(plan)))
    assert [step["name"] for step in told["steps"]["failback"]] == ["close", "restore"]
    first = told["steps"]["recovery"][0]
    assert (first["decision"], first["role"], first["limit_s"]) == (
        "stop trading",
        "head of shop",
        45,
    )
    assert told["run_id"] == plan.run_id


def test_left_to_itself_there_are_no_steps(plan: Plan) -> None:
    alone = stand_ins.plan()
    assert "decision" not in printed.plan_text(alone)
    assert json.loads(canonical.dumps(printed.plan_value(alone)))["steps"] == {}


def test_a_runbook_is_given_more_time_and_the_load_outlives_it(plan: Plan) -> None:
    alone = replace(plan, scenario=replace(plan.scenario, recovery=automatic(within_s=600)))
    for size in Size:
        short, long = (
            limits_of(size, plan.targets, plan.platform, runbook=given) for given in (False, True)
        )
        assert short.heal_s < long.heal_s
        assert short.observe_s <= long.observe_s
        assert (short.observe_s < long.observe_s) is (size is Size.SMOKE)
    assert _max_s(plan) == _max_s(alone) + 600


def test_a_draft_with_a_runbook(call, home: Path) -> None:
    assert call("new", "rows-lost", "--recovery", "rotate").code == 0
    text = (home / "scenarios" / "rows_lost.py").read_text()
    assert 'recovery=runbook("rotate", within_s=600)' in text
    assert "import Scenario, checks, experiment, load, runbook" in text
    assert call("plan", "rows-lost").code == 0
    refused = call("new", "rows-lost", "--recovery", "rotat")
    assert refused.code == 2
    assert "did you mean rotate?" in refused.err
