"""Who is killed, when, and in which scenario: drawn by a seed. Pure."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

SCENARIOS = (
    "node-loss", "page-corruption", "logical-corruption", "credential-compromise", "archive-gap",
    "ransomware",
)  # fmt: skip
_MARKS = (
    "load-begun", "baseline-ended", "fault-armed", "fault-active", "service-well", "fault-released",
    "fault-healed", "load-stopped", "read-back-first",
)  # fmt: skip
_OF_RUNBOOKS = ("recovery-begun", "ingress-closed", "restored", "revoked", "recovery-ended")
_WAIT_S = 6.0


class Victim(StrEnum):
    """Whose process it is."""

    HARNESS = "harness"
    EXPERIMENT = "experiment"  # the child that breaks and mends
    LOAD = "load"  # a load worker
    CHILD = "child"  # any child of the harness's, whichever there is


_SHARES = (Victim.HARNESS,) * 4 + (Victim.EXPERIMENT,) * 3 + (Victim.LOAD,) * 2 + (Victim.CHILD,)


@dataclass(frozen=True)
class Strike:
    """One SIGKILL: `wait_s` after `mark` was first written."""

    number: int
    scenario: str
    victim: Victim
    mark: str
    wait_s: float
    chance: float  # chooses among several of a kind


def strikes(seed: int, scenarios: tuple[str, ...] = SCENARIOS) -> Iterator[Strike]:
    """Without end. The scenarios take turns; each strike has dice of its own.

    >>> first = next(strikes(1))
    >>> first == next(strikes(1)), first == next(strikes(2))
    (True, False)
    """
    number = 0
    while True:
        dice = random.Random(f"{seed}/{number}")
        scenario = scenarios[number % len(scenarios)]
        marks = _MARKS if scenario == "node-loss" else _MARKS + _OF_RUNBOOKS
        yield Strike(
            number, scenario, dice.choice(_SHARES), dice.choice(marks),
            round(dice.uniform(0, _WAIT_S), 3), dice.random(),
        )  # fmt: skip
        number += 1
