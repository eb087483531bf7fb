"""A fault that the platform's owner offers, made by a shell command of his."""

from __future__ import annotations

import time

from harness.chaos import signals
from harness.chaos.arming import LOCK_S, arm, refuse_in_vain
from harness.chaos.standing import Standing, standing
from harness.core.timeline import Mark, MarkName
from harness.errors import FaultError
from harness.faults import journal
from harness.faults.deeds import command as deed
from harness.platforms.commands import Commands

_POLL_S = 0.05


def begin(command: str, within_s: float = 25.0) -> str:
    """Run the command that begins the fault `command`, and see it take effect.

    Returns its name. Raises FaultError, with nothing broken, when the platform offers no such
    fault, it acts already, something is still broken, or nobody waits for it any more.
    """
    here = standing()
    commands = deed.commands_of(here.platform)
    with signals.deferred(), journal.locked(here.platform.directory, within_s=LOCK_S):
        _refuse(here, commands, command)
        arm(here, deed.NAME, {deed.PARAMETER: command})
        earliest_ns = time.monotonic_ns()
        try:
            commands.begin(command)
            acts = _acts(commands, command, within_s)
        except BaseException as error:
            here.stamp(MarkName.FAULT_SPOILED, f"{command} could not be begun: {error}")
            raise
        if not acts:
            here.stamp(MarkName.NO_EFFECT, f"{command} was begun, yet no effect of it was seen")
            raise FaultError(f"no effect of {command} was seen within {within_s:g} s")
        note = f"{command}: begun by its owner's command, and observed"
        here.witness(Mark(MarkName.FAULT_ACTIVE, earliest_ns, time.monotonic_ns(), note))
    return command


def acts(command: str) -> bool:
    """Whether the fault is in effect, by the owner's probe or by a real call."""
    return deed.commands_of(standing().platform).acts(command)


def _refuse(here: Standing, commands: Commands, command: str) -> None:
    refuse_in_vain(here)
    if command not in commands.names():
        offered = ", ".join(commands.names()) or "none"
        raise FaultError(f"platform.yaml offers no fault {command!r}; it offers: {offered}")
    if commands.acts(command):
        raise FaultError(f"{command} is in effect already: it cannot be begun")


def _acts(commands: Commands, command: str, within_s: float) -> bool:
    deadline = time.monotonic() + within_s
    while not (seen := commands.acts(command)) and time.monotonic() < deadline:
        time.sleep(_POLL_S)
    return seen
