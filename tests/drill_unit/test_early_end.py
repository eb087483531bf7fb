"""A fault that did not last until the drill let go of it is not the fault that was planned."""

from types import SimpleNamespace

from harness.drill import note_early_end, note_spoiled
from harness.faults.state import State
from harness.sightings import Sightings


def fault(state: State, why: str = "") -> SimpleNamespace:
    return SimpleNamespace(state=state, why=why)


def test_a_fault_that_ended_before_its_release_passes_nothing() -> None:
    for state in State:
        seen = Sightings(effect_observed=True)
        note_early_end(fault(state), seen)
        assert bool(seen.interrupted) is (state is not State.ACTIVE)
        if state is not State.ACTIVE:
            assert seen.interrupted == f"the fault was {state} before the drill released it"


def test_a_fault_that_its_rollback_found_gone_passes_nothing() -> None:
    seen = Sightings(effect_observed=True)
    note_spoiled(fault(State.SPOILED, "lose-node: the fault had ended"), seen)
    assert seen.interrupted == "the fault was spoiled: lose-node: the fault had ended"
    for state in set(State) - {State.SPOILED}:
        seen = Sightings(effect_observed=True)
        note_spoiled(fault(state), seen)
        assert not seen.interrupted


def test_a_null_run_keeps_its_own_reason() -> None:
    seen = Sightings(effect_observed=False)
    note_early_end(fault(State.SPOILED), seen)
    note_spoiled(fault(State.SPOILED), seen)
    assert not seen.interrupted
