"""The first base backup of a platform that has just come up: gated and sealed like every other."""

from __future__ import annotations

import shutil

from harness.platforms.containers.site import ContainersSite
from harness.platforms.containers.state import State
from harness.platforms.embedded import backup, backup_key, credentials, s3
from harness.platforms.embedded.layout import Layout
from harness.platforms.reference.database import database


def take(layout: Layout, state: State) -> str:
    """Its id. Raises PlatformError where a gate says no."""
    site = ContainersSite(layout, state.ports)
    leads = database(layout, state.ports, state.asked, site)
    leader = next(port for node, port in _pg_ports(state, site) if node == leads.leader())
    access = backup.Access(leader, credentials.files_of(layout).superuser_pass)
    backup.take(layout.backup, access, layout.home)
    store = s3.archivist(state.ports.named(), credentials.load(layout))
    record = backup.upload(layout.backup, backup.new_id(), store, backup_key.load(layout).key)
    shutil.rmtree(layout.backup)
    return record.backup_id


def _pg_ports(state: State, site: ContainersSite) -> list[tuple[str, int]]:
    return [(node, state.ports.pg(site.member_of(node))) for node in ("a", "b")]
