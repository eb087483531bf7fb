"""What an experiment can do: break one thing, hold it, give it back.

Every deed goes the same way: find exactly one target, bring its undo to disk, mark ARMED, do it,
*observe* the effect, mark ACTIVE with the interval in which it happened. No target is an error,
and so is an effect that was not seen. The Chaos Toolkit goes on to the next step after a failed
one; the control in controls.py ends the experiment there.
"""

from __future__ import annotations

import time
from contextlib import suppress

from harness.chaos import keeping, signals
from harness.chaos.arming import LOCK_S, arm, refuse_in_vain
from harness.chaos.standing import Standing, is_orphaned, standing, stdin_ended
from harness.core.timeline import Mark, MarkName
from harness.errors import FaultError
from harness.faults import journal, undo
from harness.faults.deeds import deed_of, node_loss
from harness.faults.journal import Entry
from harness.recovery.facts import file_of

_POLL_S = 0.1


def lose_node(node: str) -> str:
    """Every process of one node dies at once. `node` is primary, standby or a node's name.

    Returns the node's name. Raises FaultError, with nothing broken, when there is no such node,
    it is dead already, something is still broken, or nobody waits for this fault any more.
    """
    here = standing()
    with signals.deferred(), journal.locked(here.platform.directory, within_s=LOCK_S):
        name = _target(here, node)
        arm(here, node_loss.NAME, {"node": name, "selector": node})
        keeping.keep_on_this_machine(here)
        try:
            instant = here.nodes.kill(name)
            dead = here.nodes.is_dead(name)
        except BaseException as error:
            here.stamp(MarkName.FAULT_SPOILED, f"node {name} could not be killed: {error}")
            raise
        if not dead:
            here.stamp(MarkName.NO_EFFECT, f"node {name} was killed, yet parts of it run")
            raise FaultError(f"node {name} is not dead after it was killed")
        note = f"node {name} ({node}): every process of it was observed dead"
        here.witness(Mark(MarkName.FAULT_ACTIVE, instant.earliest_ns, instant.latest_ns, note))
    return name


def nothing(
    node: str = "primary",
    fault: str = node_loss.NAME,
    *,
    table: str = "",
    command: str = "",
    pods: str = "",
    within_s: float = 2.0,
) -> str:
    """The null fault: arm nothing, break nothing, and look for the effect as `fault` itself does.

    A check that sees an effect here would see one anywhere. Raises FaultError in that case.
    Returns the name of the fault that was not made.
    """
    here = standing()
    deed = deed_of(fault)
    where = ""
    if here.platform.nodes is not None:
        node = here.nodes.resolve(node)
        where = f" on node {node}"
    asked = {"node": node, "table": table, "command": command, "pods": pods}
    parameters = {**asked, "run": here.run_id}
    deadline = time.monotonic() + within_s
    while not deed.seen(here.platform, parameters):
        if time.monotonic() >= deadline:
            note = f"no effect was observed: no {fault} was seen{where} for {within_s:g} s"
            here.stamp(MarkName.NO_EFFECT, note)
            return fault
        time.sleep(_POLL_S)
    here.stamp(MarkName.FAULT_SPOILED, f"{fault} is in effect{where}, and nobody made it")
    raise FaultError(f"{fault} is in effect, although this experiment breaks nothing")


def hold(until: str = "timer", max_s: float = 60.0) -> str:
    """Keep the fault as it is, until the harness lets go (or dies), or for `max_s`.

    `until`: `stdin` ends at the end of standard input, at `max_s` at the latest; `timer`, by
    hand, waits for `max_s`. Returns what ended it.
    """
    if until not in {"stdin", "timer"}:
        raise FaultError(f"hold: until {until!r} is not known; allowed: stdin, timer")
    try:
        if until == "timer":
            time.sleep(max_s)
            return "timer"
        return "released" if stdin_ended(wait_s=max_s) else "limit reached"
    finally:
        signals.ignore_from_now_on()


def mend(within_s: float = undo.HEAL_S) -> list[str]:
    """Undo whatever this run broke, and see it come back. Harmless when that is nothing.

    Returns what was mended. Raises FaultError for what was not back within `within_s`; it stays
    in the journal.
    """
    here = standing()
    with signals.deferred():
        keeping.stop_renewing()
        _note_early_ends(here)
        return undo.replay(
            here.platform,
            run_id=here.run_id,
            within_s=within_s,
            witness=here.witness,
            spare=lambda entry: _is_left_to_a_recovery(here, entry),
        )


def _is_left_to_a_recovery(here: Standing, entry: Entry) -> bool:
    """Damage in the middle of its own recovery, with nobody left who carries that out.

    `peakdrill undo` goes on with the recovery; two who repair at once would break more.
    """
    under_way = file_of(here.platform.directory, here.run_id).exists()
    return is_orphaned() and under_way and not undo.undoing_of(entry).held


def _note_early_ends(here: Standing) -> None:
    """A fault that ended before its release was not the fault that was planned."""
    for entry in journal.scan(here.platform.directory)[0]:
        if entry.run_id != here.run_id:
            continue
        with suppress(Exception):  # what cannot be asked is undone all the same
            deed = undo.undoing_of(entry)
            if deed.held and not deed.holds(here.platform, entry):
                told = f"{entry.fault}: the fault had ended before it was released"
                here.stamp(MarkName.FAULT_SPOILED, told)


def _target(here: Standing, node: str) -> str:
    refuse_in_vain(here)
    name = here.nodes.resolve(node)
    if name not in here.nodes.names():
        raise FaultError(f"{node!r} matches no node; there are {', '.join(here.nodes.names())}")
    if here.nodes.is_dead(name):
        raise FaultError(f"node {name} ({node}) is dead already: it cannot be lost")
    return name
