"""What an experiment can ask. A probe that cannot find out raises; it never guesses."""

from __future__ import annotations

from harness.chaos.standing import standing
from harness.core.timeline import MarkName
from harness.faults import journal


def platform_is_whole() -> bool:
    """Redundant, archiving, backed up and serving. Each thing that is missing is a mark."""
    here = standing()
    found = here.platform.whole()
    for sentence in found.missing:
        here.stamp(MarkName.STEP, f"the platform is not whole: {sentence}")
    return found.whole


def node_is_lost(node: str) -> bool:
    """Every process of it is dead. `primary` and `standby` mean the one that they meant when it
    was lost: after the fault, another node is the primary.
    """
    here = standing()
    for entry in journal.pending(here.platform.directory):
        if dict(entry.parameters).get("selector") == node:
            return here.nodes.is_dead(entry.parameter("node"))
    return here.nodes.is_dead(here.nodes.resolve(node))
