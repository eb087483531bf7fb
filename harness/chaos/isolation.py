"""A node that is gone and yet not dead: frozen where it stands, or cut off from every network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from harness.chaos import signals
from harness.chaos.arming import LOCK_S, arm, refuse_in_vain
from harness.chaos.standing import Standing, standing
from harness.core.timeline import Mark, MarkName
from harness.errors import FaultError
from harness.faults import journal
from harness.faults.deeds import container_disconnect, container_pause
from harness.platforms.capabilities import Instant
from harness.platforms.isolation import DISCONNECT, PAUSE, isolation_of


@dataclass(frozen=True, slots=True)
class _Way:
    """To be gone: what it is called, how it is done, how it is seen."""

    fault: str
    what: str
    deed: Callable[[str], Instant]
    seen: Callable[[str], bool]


def freeze_node(node: str) -> str:
    """Every process of one node stands still at once. `node` is primary, standby or a name.

    Returns the node's name. Raises FaultError, with nothing broken, when there is no such node, it
    is gone already, something is still broken, or nobody waits for this fault any more.
    """
    here = standing()
    ways = isolation_of(here.platform, PAUSE)
    way = _Way(container_pause.NAME, "frozen", ways.freeze, ways.is_frozen)
    return _isolate(here, node, way)


def cut_off_node(node: str) -> str:
    """One node is on no network any more, while its processes go on. As `freeze_node`."""
    here = standing()
    ways = isolation_of(here.platform, DISCONNECT)
    way = _Way(container_disconnect.NAME, "cut off", ways.cut_off, ways.is_cut_off)
    return _isolate(here, node, way)


def node_is_frozen(node: str) -> bool:
    """The one that this run froze: after the fault, another node is the primary."""
    here = standing()
    return isolation_of(here.platform, PAUSE).is_frozen(_meant(here, node))


def node_is_cut_off(node: str) -> bool:
    here = standing()
    return isolation_of(here.platform, DISCONNECT).is_cut_off(_meant(here, node))


def _isolate(here: Standing, node: str, way: _Way) -> str:
    with signals.deferred(), journal.locked(here.platform.directory, within_s=LOCK_S):
        name = _target(here, node)
        arm(here, way.fault, {"node": name, "selector": node})
        try:
            instant = way.deed(name)
            acts = way.seen(name)
        except BaseException as error:
            here.stamp(MarkName.FAULT_SPOILED, f"node {name} could not be {way.what}: {error}")
            raise
        if not acts:
            here.stamp(MarkName.NO_EFFECT, f"node {name} is not {way.what}, although it was to be")
            raise FaultError(f"node {name} is not {way.what}")
        note = f"node {name} ({node}): all of it was observed to be {way.what}"
        here.witness(Mark(MarkName.FAULT_ACTIVE, instant.earliest_ns, instant.latest_ns, note))
    return name


def _target(here: Standing, node: str) -> str:
    refuse_in_vain(here)
    name = here.nodes.resolve(node)
    if not here.nodes.is_back(name):
        raise FaultError(f"node {name} ({node}) is not whole: nothing was broken")
    return name


def _meant(here: Standing, node: str) -> str:
    for entry in journal.pending(here.platform.directory):
        if dict(entry.parameters).get("selector") == node:
            return entry.parameter("node")
    return here.nodes.resolve(node)
