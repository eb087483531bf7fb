"""Damage in the data themselves: garbage in a page of a live table."""

from __future__ import annotations

from harness.chaos import signals
from harness.chaos.arming import LOCK_S, arm, refuse_in_vain
from harness.chaos.standing import Standing, standing
from harness.core.timeline import Mark, MarkName
from harness.errors import FaultError
from harness.faults import journal
from harness.faults.deeds import page_corruption
from harness.platforms.capabilities import Database


def corrupt_page(node: str, table: str) -> str:
    """Garbage in the page of `table` that is read most. `node` is primary, standby or a name.

    Returns the node's name. Raises FaultError where nothing was damaged (no such node or table,
    it is dead, something is still broken, nobody waits for this fault any more), and where the
    server still reads the table well after the garbage was written.
    """
    here = standing()
    with signals.deferred(), journal.locked(here.platform.directory, within_s=LOCK_S):
        database, name = _target(here, node)
        arm(here, page_corruption.NAME, {"node": name, "selector": node, "table": table})
        try:
            instant = database.corrupt_page(name, table)
        except FaultError as error:
            here.stamp(MarkName.NO_EFFECT, error.what)
            raise
        except BaseException as error:
            here.stamp(MarkName.FAULT_SPOILED, f"{table} on node {name}: {error}")
            raise
        note = f"node {name} ({node}): its server refuses to read {table} (XX001)"
        here.witness(Mark(MarkName.FAULT_ACTIVE, instant.earliest_ns, instant.latest_ns, note))
    return name


def _target(here: Standing, node: str) -> tuple[Database, str]:
    refuse_in_vain(here)
    if here.platform.database is None:
        raise FaultError("this platform has no database whose pages could be damaged")
    name, copies = here.nodes.resolve(node), here.platform.database.names()
    if name not in copies:
        raise FaultError(f"{node!r} matches no node with a copy; those are {', '.join(copies)}")
    if here.nodes.is_dead(name):
        raise FaultError(f"node {name} ({node}) is dead: nobody reads its pages")
    return here.platform.database, name
