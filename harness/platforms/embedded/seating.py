"""Restored data take their seat in a clean environment: they lead, and know no old log-in."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from harness.platforms.embedded import (
    cluster,
    credentials,
    first_boot,
    mirror,
    parts,
    patroni,
    postgres,
)
from harness.platforms.embedded.blueprint import Blueprint
from harness.platforms.embedded.credentials import SecretFiles
from harness.platforms.embedded.layout import DATABASE_NODES
from harness.platforms.embedded.mirror import MirroredFilestore
from harness.platforms.embedded.waiting import await_ready

_LEADER_S = 60.0
_AT_ONCE, _BATCH = 8, 500  # documents


def lead(plan: Blueprint, node: str) -> None:
    """Returns when the database restored on `node` leads and takes writes; the other node has no
    data, so Patroni copies it from the leader.
    """
    identifier = postgres.system_identifier(plan.layout.pgdata(node))
    patroni.introduce(plan.ports, plan.options, identifier)
    parts.define_databases(plan, first=False)
    for name in DATABASE_NODES:
        for gate in ("data", "patroni", "app"):
            first_boot.open_gate(plan.layout, name, gate)
    files, first = credentials.files_of(plan.layout), cluster.node_of(plan.ports, node)

    def leads() -> bool:
        return patroni.is_leader(first) and postgres.takes_writes(first.pg_port, files)

    parts.node_of(plan.layout, node).start()
    await_ready("the restored leader", leads, within_s=_LEADER_S, next_step="see its logs")
    for name in DATABASE_NODES:
        parts.node_of(plan.layout, name).start()


def documents(kept: MirroredFilestore) -> None:
    """Every document that object storage holds; what no row names is found later, and counted."""
    names = sorted(kept.mirrored_names())
    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        for begin in range(0, len(names), _BATCH):
            batch = names[begin : begin + _BATCH]
            copies = zip(batch, pool.map(kept.mirrored, batch), strict=True)
            kept.write(
                {
                    name: content
                    for name, content in copies
                    if content is not None and mirror.is_sound(content, name)
                }
            )


def forget_log_ins(port: int, files: SecretFiles) -> None:
    """Keys of before are no keys here; the administrator's password is set by the installation."""
    with postgres.connected(port, files, database=postgres.DATABASE) as database:
        database.execute("DELETE FROM res_users_apikeys")
