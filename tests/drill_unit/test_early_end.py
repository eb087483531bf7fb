"""A fault that did not last until the drill let go of it is not the fault that was planned."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from harness.core.plan import Plan
from harness.core.scenario import experiment, runbook
from harness.faults import deeds
from harness.faults.state import State
from harness.sightings import Sightings, must_last, note_early_end, note_spoiled
from tests.core import simulate

PLAN = simulate.plan_of()


def fault(state: State, why: str = "") -> SimpleNamespace:
    return SimpleNamespace(state=state, why=why)


def planned(name: str, *, repaired: bool) -> Plan:
    recovery = runbook("point-in-time", within_s=60) if repaired else PLAN.scenario.recovery
    scenario = replace(PLAN.scenario, fault=experiment(name), recovery=recovery)
    return replace(PLAN, scenario=scenario)


def test_a_fault_that_ended_before_its_release_passes_nothing() -> None:
    for state in State:
        seen = Sightings(effect_observed=True)
        note_early_end(fault(state), seen, PLAN)
        assert bool(seen.interrupted) is (state is not State.ACTIVE)
        if state is not State.ACTIVE:
            assert seen.interrupted == f"the fault was {state} before the drill released it"


def test_a_fault_that_its_rollback_found_gone_passes_nothing() -> None:
    seen = Sightings(effect_observed=True)
    note_spoiled(fault(State.SPOILED, "lose-node: the fault had ended"), seen, PLAN)
    assert seen.interrupted == "the fault was spoiled: lose-node: the fault had ended"
    for state in set(State) - {State.SPOILED}:
        seen = Sightings(effect_observed=True)
        note_spoiled(fault(state), seen, PLAN)
        assert not seen.interrupted


def test_a_null_run_keeps_its_own_reason() -> None:
    seen = Sightings(effect_observed=False)
    note_early_end(fault(State.SPOILED), seen, PLAN)
    note_spoiled(fault(State.SPOILED), seen, PLAN)
    assert not seen.interrupted


def test_only_a_runbook_may_end_a_fault_and_only_one_that_is_not_held(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    held = deeds.all_deeds()["node-loss"]
    damage = replace(held, name="damage", held=False)
    monkeypatch.setattr("harness.sightings.all_deeds", lambda: {"held": held, "damage": damage})
    for name in ("held", "damage", "a fault of your own"):
        assert must_last(planned(name, repaired=False))
        assert must_last(planned(name, repaired=True)) is (name != "damage")
    seen = Sightings(effect_observed=True)
    note_early_end(fault(State.SPOILED), seen, planned("damage", repaired=True))
    note_spoiled(fault(State.SPOILED), seen, planned("damage", repaired=True))
    assert not seen.interrupted


def test_a_fault_with_a_time_of_its_own_may_end_when_that_has_come() -> None:
    for repaired in (False, True):
        assert not must_last(planned("command", repaired=repaired))
    seen = Sightings(effect_observed=True)
    note_early_end(fault(State.HEALED), seen, planned("command", repaired=False))
    assert not seen.interrupted
