"""Every runbook by name: `point-in-time` is the module harness/recovery/point_in_time.py.

A module is imported when its runbook is asked for; the names alone cost nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from harness.errors import UsageError
from harness.inputs.words import did_you_mean

if TYPE_CHECKING:
    from harness.recovery.steps import Runbook

AUTOMATIC = "automatic"  # nobody repairs anything; the drill watches

NAMES: tuple[str, ...] = (  # one line a runbook
    "clean-room",
    "failback",
    "failover",
    "point-in-time",
    "reinitialise",
    "replay-integrations",
    "rotate",
)

ALL_NAMES = (AUTOMATIC, *NAMES)


def runbook_of(name: str) -> Runbook:
    """Raises UsageError for a runbook that nobody wrote."""
    if name not in NAMES:
        raise UsageError(
            f"there is no runbook {name!r}{did_you_mean(name, NAMES)}",
            next_step=f"one of: {', '.join(NAMES) or 'none yet'}",
        )
    found: Runbook = import_module(f"harness.recovery.{name.replace('-', '_')}").RUNBOOK
    assert found.name == name, f"the runbook {name} calls itself {found.name}"
    return found
