"""Somebody holds a leaked credential of each class and keeps using them.

Undone by ending the attacker's process and removing the files that he was given. That nobody can
get in any more with what he has seen is not undone here: it is what the recovery is for.
"""

from __future__ import annotations

import shutil
import signal
from collections.abc import Mapping

from harness.attack.leaked import CLASSES, folder_of, marker_of
from harness.errors import FaultError
from harness.faults.deeds import Deed
from harness.faults.journal import Entry
from harness.platforms.capabilities import Platform
from harness.platforms.embedded import process
from harness.platforms.embedded.process import ProcessId

NAME = "credential-compromise"
_TERM_S, _KILL_S = 5.0, 5.0


def parameters_of(attacker: ProcessId) -> dict[str, str]:
    """What the journal keeps of him: a pid that cannot be mistaken."""
    return {"pid": str(attacker.pid), "start_ticks": str(attacker.start_ticks)}


def attacker_of(entry: Entry) -> ProcessId:
    return ProcessId(int(entry.parameter("pid")), int(entry.parameter("start_ticks")))


def _begin(platform: Platform, entry: Entry) -> None:
    with process.held([attacker_of(entry)]) as attacker:
        process.send(attacker, signal.SIGTERM)
        if not process.await_death(attacker, _TERM_S):
            process.send(attacker, signal.SIGKILL)
            process.await_death(attacker, _KILL_S)
    shutil.rmtree(folder_of(platform.directory), ignore_errors=True)


def _is_undone(platform: Platform, entry: Entry) -> bool:
    gone = not process.is_alive(attacker_of(entry))
    return gone and not folder_of(platform.directory).exists()


def _seen(platform: Platform, parameters: Mapping[str, str]) -> bool:
    """The platform itself has recorded a use by this run's attacker."""
    if platform.audit is None:
        raise FaultError("the platform lacks the capability audit", next_step="choose another one")
    marker = marker_of(parameters.get("run", ""))
    return any(platform.audit.last_use(name, marker) is not None for name in CLASSES)


DEED = Deed(
    name=NAME,
    describe=lambda _entry: "the attacker's process ended, the leaked files removed",
    holds=lambda _platform, entry: process.is_alive(attacker_of(entry)),
    begin=_begin,
    is_undone=_is_undone,
    seen=_seen,
)
