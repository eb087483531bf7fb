"""One module a fault: how it is undone, and how its effect is seen, with nothing armed or done.

What may not live here: the doing (harness/chaos), and the order of undoing (undo.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from harness.errors import FaultError
from harness.faults.journal import Entry
from harness.platforms.capabilities import Platform


@dataclass(frozen=True, slots=True)
class Deed:
    """One kind of fault.

    `seen` is the fault's own check of its effect; the null run asks it with nothing injected, and
    it must then say no. `held`: only the release may end it (a node that is away); False for
    damage that a recovery itself mends. `timed`: the experiment itself ends it, after a time that
    the scenario declares.
    """

    name: str
    describe: Callable[[Entry], str]  # what the undo does, as a sentence
    holds: Callable[[Platform, Entry], bool]  # the fault is still in effect
    begin: Callable[[Platform, Entry], None]  # undo; harmless when nothing is broken
    is_undone: Callable[[Platform, Entry], bool]
    seen: Callable[[Platform, Mapping[str, str]], bool]
    held: bool = True
    timed: bool = False


def deed_of(name: str) -> Deed:
    """Raises FaultError for a fault of another version."""
    deeds = all_deeds()
    if name not in deeds:
        raise FaultError(
            f"nobody here knows the fault {name!r}",
            next_step=f"one of: {', '.join(sorted(deeds))}",
        )
    return deeds[name]


def all_deeds() -> Mapping[str, Deed]:
    """By name. Here, not above: each module imports this one."""
    from harness.faults.deeds import (
        archive_gap,
        command,
        container_disconnect,
        container_pause,
        credential_compromise,
        logical_corruption,
        node_drain,
        node_loss,
        page_corruption,
        partition,
        pod_kill,
        ransomware,
    )

    deeds = (
        archive_gap.DEED,
        command.DEED,
        container_disconnect.DEED,
        container_pause.DEED,
        credential_compromise.DEED,
        logical_corruption.DEED,
        node_drain.DEED,
        node_loss.DEED,
        page_corruption.DEED,
        partition.DEED,
        pod_kill.DEED,
        ransomware.DEED,
    )
    return MappingProxyType({deed.name: deed for deed in deeds})
