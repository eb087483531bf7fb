"""Runs that were asked less than is asked now speak for nothing of now."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from pydantic import TypeAdapter

from harness.core import checks
from harness.core.asked import bars_of, method_of
from harness.core.gate.decision import decide
from harness.core.outcome import Outcome
from harness.core.readiness.standing import State
from harness.core.scenario import automatic, experiment, load
from harness.core.verdict import Verdict
from harness.evidence import canonical
from tests.gate import gate_cases as gate
from tests.readiness import readiness_samples as ready

READY_NOW = "2027-11-20T12:00:00Z"
RUN_UTC = "2027-11-19T10:00:00Z"
OTHER_WAYS = [
    ({"fault": experiment("node-loss", node="standby")}, "another fault parameters: node=standby"),
    ({"load": load("quiet")}, "another load: quiet"),
    ({"checks": [checks.rto]}, "another set of checks: rto"),
    ({"recovery": automatic(within_s=900)}, "another recovery: automatic within 900 s"),
    ({"rto_clock": "outage"}, "another clock of the RTO: outage"),
    ({"degraded_mode": True}, "another degraded mode: yes"),
]
TARGET = ready.targets().workloads[0]
EASIER = [
    ({"latency_limit_s": 60.0}, "another latency_limit_s: 60, asked for 2"),
    ({"staleness_s": 30.0}, "another staleness_s: 30, asked for 0"),
    ({"min_capacity": 0.1}, "another min_capacity: 0.1, asked for 1"),
    ({"lost_max": None}, "another lost_max: none, asked for 0"),
]


def gated(method=(), bars=()):
    """Fourteen clean runs, which would be enough, and what is asked now."""
    asked = gate.terms()
    asked = replace(
        asked,
        method=method_of(ready.scenario()),
        workloads=tuple(replace(w, bars=bars_of(TARGET)) for w in asked.workloads),
    )
    workloads = tuple(gate.workload(name, bars=bars) for name in gate.RATES)
    runs = gate.clean(14, method=method, workloads=workloads)
    return decide(gate.question(asked), runs)


def test_runs_that_were_asked_the_same_pass() -> None:
    assert gated(method_of(ready.scenario()), bars_of(TARGET)).verdict is Verdict.MET


def test_runs_of_before_it_was_kept_pass_as_they_did() -> None:
    assert gated().verdict is Verdict.MET


@pytest.mark.parametrize(("changes", "why"), OTHER_WAYS)
def test_the_gate_takes_no_run_of_another_method(changes: dict, why: str) -> None:
    found = gated(method=method_of(ready.scenario(**changes)))
    assert found.verdict is Verdict.INCONCLUSIVE
    (scenario,) = found.scenarios
    assert scenario.fit == 0
    assert all(run.why.startswith(why) for run in scenario.excluded)
    assert len(scenario.excluded) == 14


@pytest.mark.parametrize(("changes", "why"), EASIER)
def test_the_gate_takes_no_run_of_other_limits(changes: dict, why: str) -> None:
    found = gated(bars=bars_of(replace(TARGET, **changes)))
    assert found.verdict is Verdict.INCONCLUSIVE
    assert {run.why for run in found.scenarios[0].excluded} == {f"order-capture: {why}"}


def of_season(run: Outcome):
    return ready.found([run], now=READY_NOW)


def test_readiness_holds_a_run_to_what_it_was_judged_by_itself() -> None:
    easy = ready.part(bars=bars_of(replace(TARGET, latency_limit_s=60.0)))
    cell = of_season(ready.run(RUN_UTC, easy)).cell("node-loss", "order-capture")
    assert cell.state is State.EXPIRED
    assert "judged at 60 s an answer, not 2 s" in cell.reason
    same = ready.part(bars=bars_of(TARGET))
    assert of_season(ready.run(RUN_UTC, same)).verdict is Verdict.MET


@pytest.mark.parametrize(("changes", "why"), OTHER_WAYS)
def test_readiness_takes_no_pass_of_another_method(changes: dict, why: str) -> None:
    method = method_of(ready.scenario(**changes))
    made = of_season(ready.run(RUN_UTC, method=method))
    assert made.verdict is Verdict.INCONCLUSIVE
    assert all(why in cell.reason for cell in made.cells)
    missed = of_season(ready.run(RUN_UTC, ready.slow(), method=method))
    assert missed.verdict is Verdict.MISSED  # what speaks against it stands


def test_a_run_that_contradicts_itself_is_no_pass() -> None:
    for whole in (Verdict.MISSED, Verdict.INCONCLUSIVE):
        made = of_season(ready.run(RUN_UTC, verdict=whole))
        assert made.verdict is Verdict.INCONCLUSIVE
        told = made.cell("node-loss", "platform-wide").reason
        assert told == f"the run was {whole}, and no part of it says why"
    explained = of_season(ready.run(RUN_UTC, ready.slow()))
    assert explained.cell("node-loss", "platform-wide").state is State.MET


def test_what_another_judge_said_is_of_before_and_no_number_is_no_rate() -> None:
    made = of_season(ready.run(RUN_UTC, judge="v0"))
    assert made.verdict is Verdict.INCONCLUSIVE
    assert all("judged by v0, not by v1" in cell.reason for cell in made.cells)
    made = of_season(ready.run(RUN_UTC, ready.part(rate_per_s=math.nan)))
    assert made.cell("node-loss", "order-capture").state is State.EXPIRED


def test_an_outcome_of_before_keeps_its_bytes_and_a_new_one_is_read_back() -> None:
    old = ready.run(RUN_UTC)
    assert b"method" not in canonical.dumps(old)
    assert b"bars" not in canonical.dumps(old)
    new = ready.run(RUN_UTC, ready.part(bars=bars_of(TARGET)), method=method_of(ready.scenario()))
    assert TypeAdapter(Outcome).validate_json(canonical.dumps(new)) == new
