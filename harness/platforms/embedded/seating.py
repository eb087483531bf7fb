"""Restored data take their seat in a clean environment: they lead, and know no old log-in."""

from __future__ import annotations

from pathlib import Path

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
from harness.platforms.embedded.layout import DATABASE_NODES, Layout, write_atomically
from harness.platforms.embedded.s3_client import S3Client
from harness.platforms.embedded.waiting import await_ready

_LEADER_S = 60.0


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


def documents(plan: Blueprint, store: S3Client) -> None:
    """Every document that object storage holds; what no row names is found later, and counted."""
    folder = plan.layout.filestore / postgres.DATABASE
    kept = mirror.embedded(folder, store)
    for name in sorted(kept.mirrored_names()):
        content = kept.mirrored(name)
        if content is not None and mirror.is_sound(content, name):
            file: Path = folder / name
            file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            file.write_bytes(content)


def forget_log_ins(plan: Blueprint) -> None:
    """Keys of before are no keys here; the administrator's password is set by the installation."""
    port = plan.ports[f"pg_{DATABASE_NODES[0]}"]
    files = credentials.files_of(plan.layout)
    with postgres.connected(port, files, database=postgres.DATABASE) as database:
        database.execute("DELETE FROM res_users_apikeys")


def hand_to_clients(base: Layout, plan: Blueprint) -> None:
    """Clients pick up what they are told from where they always did."""
    files = credentials.files_of(base)
    write_atomically(files.admin_password, plan.secrets.admin_password)
    write_atomically(files.api_key, plan.secrets.api_key)
    write_atomically(files.valkey_password, plan.secrets.valkey)
