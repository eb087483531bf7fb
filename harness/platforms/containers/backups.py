"""The capability `backups`: the reference stack's, and which base backup is the newest."""

from __future__ import annotations

from dataclasses import replace

from harness.platforms.containers import state
from harness.platforms.containers.site import ContainersSite
from harness.platforms.containers.state import State
from harness.platforms.embedded.layout import Layout
from harness.platforms.reference.backups import ReferenceBackups


def backups(layout: Layout, now: State) -> ReferenceBackups:
    """Each one that passed its gates is kept as the newest."""

    def taken(backup_id: str) -> None:
        state.save(layout, replace(state.load(layout), backup_id=backup_id))

    return ReferenceBackups(layout, now.ports, now.asked, ContainersSite(layout, now.ports), taken)
