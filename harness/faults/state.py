"""The states of an injection, and what moves it from one to the next.

                 FAULT_ARMED        FAULT_ACTIVE         FAULT_RELEASED         FAULT_HEALED
        idle ───────────────▶ armed ───────────▶ active ───────────────▶ released ──────────▶ healed
         │                      │                   │                       │
         │ NO_EFFECT            │ NO_EFFECT         │                       │
         │ FAULT_SPOILED        │ FAULT_SPOILED     │ FAULT_SPOILED         │ FAULT_SPOILED
         │ out of order         │ out of order      │ out of order          │ out of order
         ▼                      ▼                   ▼                       ▼
        ─────────────────────────────── spoiled (for good) ───────────────────────────────

    armed      the undo is on disk; nothing is broken yet
    active     the effect was observed
    released   the undo has begun
    healed     the lost part was observed to be back
    spoiled    this injection proves nothing; whatever was armed is undone all the same

Every move is a mark in events.jsonl, so the state of any run, live or stored, is a fold over its
marks. A mark that does not fit the state spoils the injection: a fault that acts without being
armed, or heals without being released, is not the fault that was planned.
What may not live here: I/O, and how a state is brought about.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from harness.core.timeline import MarkName, Timeline


class State(StrEnum):
    IDLE = "idle"
    ARMED = "armed"
    ACTIVE = "active"
    RELEASED = "released"
    HEALED = "healed"
    SPOILED = "spoiled"


FAULT_MARKS = frozenset(
    {
        MarkName.FAULT_ARMED,
        MarkName.FAULT_ACTIVE,
        MarkName.NO_EFFECT,
        MarkName.FAULT_RELEASED,
        MarkName.FAULT_HEALED,
        MarkName.FAULT_SPOILED,
    }
)

TRANSITIONS: Mapping[tuple[State, MarkName], State] = MappingProxyType(
    {
        (State.IDLE, MarkName.FAULT_ARMED): State.ARMED,
        (State.ARMED, MarkName.FAULT_ACTIVE): State.ACTIVE,
        (State.ACTIVE, MarkName.FAULT_RELEASED): State.RELEASED,
        (State.RELEASED, MarkName.FAULT_HEALED): State.HEALED,
    }
)


def advance(state: State, mark: MarkName) -> State:
    """The state after a mark. Marks that do not concern the fault change nothing.

    >>> advance(State.IDLE, MarkName.FAULT_ARMED)
    <State.ARMED: 'armed'>
    >>> advance(State.IDLE, MarkName.FAULT_ACTIVE)  # acted without an undo on disk
    <State.SPOILED: 'spoiled'>
    >>> advance(State.ACTIVE, MarkName.SERVICE_WELL)
    <State.ACTIVE: 'active'>
    """
    if mark not in FAULT_MARKS:
        return state
    return TRANSITIONS.get((state, mark), State.SPOILED)


def state_of(timeline: Timeline) -> State:
    """The state that a run's marks add up to."""
    state = State.IDLE
    for mark in timeline.marks:
        state = advance(state, mark.name)
    return state
