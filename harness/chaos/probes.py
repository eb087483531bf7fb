"""What an experiment can ask. A probe that cannot find out raises; it never guesses."""

from __future__ import annotations

import time

from harness.chaos.standing import Standing, is_released, standing
from harness.core.timeline import MarkName
from harness.faults import journal, lacking
from harness.platforms.capabilities import Wholeness

_WHOLE_S = 20.0
_APART_S = 0.25


def platform_is_whole(within_s: float = _WHOLE_S) -> bool:
    """Redundant, archiving, backed up and serving, in two looks running that are a little apart.

    What is missing may pass, so it is waited for; what is missing at the end, or when nobody waits
    for the fault any more, is missing: no fault goes in. Each thing that was missing is a mark.
    """
    here = standing()
    deadline = time.monotonic() + within_s
    passing: set[str] = set()
    was_whole = False
    while True:
        found = here.platform.whole()
        if found.whole and was_whole:
            return True
        if not found.whole and (time.monotonic() >= deadline or is_released()):
            for sentence in found.missing:
                here.stamp(MarkName.STEP, lacking.note(sentence))
            return False
        passing |= _stamp_new(here, found, passing)
        was_whole = found.whole
        time.sleep(_APART_S)


def _stamp_new(here: Standing, found: Wholeness, known: set[str]) -> set[str]:
    """A mark for each sentence that is new; which these are."""
    new = set(found.missing) - known
    for sentence in sorted(new):
        here.stamp(MarkName.STEP, lacking.passing_note(sentence))
    return new


def node_is_lost(node: str) -> bool:
    """Every process of it is dead. `primary` and `standby` mean the one that they meant when it
    was lost: after the fault, another node is the primary.
    """
    here = standing()
    for entry in journal.pending(here.platform.directory):
        if dict(entry.parameters).get("selector") == node:
            return here.nodes.is_dead(entry.parameter("node"))
    return here.nodes.is_dead(here.nodes.resolve(node))
