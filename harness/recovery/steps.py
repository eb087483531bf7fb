"""What a runbook is made of: steps that are done, and then seen.

May not live here: how they are carried out (engine.py), and what they act on (ground.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from harness.core.timeline import MarkName
from harness.recovery.ground import Ground


@dataclass(frozen=True, slots=True)
class Step:
    """One step. Its effect counts only once it was seen, and the clock stops there.

    `do` may be repeated after any death, so it must be idempotent; `seen` changes nothing. What
    either keeps for a later step goes into `ground.facts`, never into a variable.
    """

    name: str  # "close-ingress"
    title: str  # "Close the ingress, and see it closed from outside"
    do: Callable[[Ground], None]
    seen: Callable[[Ground], str | None]  # observed? the sentence with figures; None: not yet
    limit_s: float = 60.0  # patience for `do` and its effect; the last look comes after `do`
    decision: str = ""  # what is decided here, "" when nothing
    role: str = ""  # who may take it
    mark: MarkName | None = None  # stamped with the interval of the step when its effect is seen
    note: str = ""  # of the mark; the sentence that was seen when left empty


@dataclass(frozen=True, slots=True)
class Runbook:
    """Steps in their order. Names of steps are unique within it."""

    name: str
    title: str
    steps: tuple[Step, ...]


def nothing(_ground: Ground) -> None:
    """The deed of a step that only watches."""
