"""A fault that the platform's owner offers: begun by a shell command, undone by another.

The journal names the fault; the command that ends it is kept with the platform, out of evidence.
"""

from __future__ import annotations

from collections.abc import Mapping

from harness.errors import FaultError
from harness.faults.deeds import Deed
from harness.faults.journal import Entry
from harness.platforms.capabilities import Platform
from harness.platforms.commands import Commands

NAME = "command"
PARAMETER = "command"


def commands_of(platform: Platform) -> Commands:
    if platform.commands is None:
        raise FaultError(
            "the platform lacks the capability faults.command", next_step="choose another one"
        )
    return platform.commands


def _seen(platform: Platform, parameters: Mapping[str, str]) -> bool:
    return commands_of(platform).acts(parameters.get(PARAMETER, ""))


def _name(entry: Entry) -> str:
    return entry.parameter(PARAMETER)


DEED = Deed(
    name=NAME,
    describe=lambda entry: f"{_name(entry)} ended by its owner's command",
    holds=lambda platform, entry: commands_of(platform).acts(_name(entry)),
    begin=lambda platform, entry: commands_of(platform).end(_name(entry)),
    is_undone=lambda platform, entry: commands_of(platform).is_over(_name(entry)),
    seen=_seen,
    timed=True,
)
