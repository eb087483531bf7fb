"""The first boot of the two databases: quicker than Patroni would do it, and then all Patroni's.

Both nodes hold the same data, so their roles need no election: node a starts as primary, node b
as its standby, and Patroni finds them running and takes them over as it does after a restart of
its own. What the first boot set stands in a file that is deleted as soon as both are taken over;
from then on, and at every later start of a node, there is only Patroni's configuration.

Gates are files in a node's folder: a part that waits for one starts when it appears.
"""

from __future__ import annotations

import psycopg

from harness.platforms.embedded import archive, cluster, patroni, postgres, programs
from harness.platforms.embedded.blueprint import Blueprint
from harness.platforms.embedded.layout import DATABASE_NODES, Layout, write_private
from harness.platforms.embedded.node import Part, clean_environment

PRIMARY, STANDBY = DATABASE_NODES
_FILE = "peakdrill-first-boot.conf"
# by the slot that Patroni made for it: then Patroni has taken the standby over, and nothing of how
# it streams will change any more
_CONFIRMS = """
SELECT r.sync_state = 'sync'
FROM pg_stat_replication r JOIN pg_replication_slots s ON s.active_pid = r.pid
WHERE r.application_name = %s AND r.state = 'streaming'
"""
_ON_THE_COMMAND_LINE = (  # where Patroni puts them: they must agree between nodes
    "max_connections", "max_wal_senders", "max_replication_slots", "wal_level", "wal_log_hints",
    "track_commit_timestamp",
)  # fmt: skip


def part(plan: Blueprint, node: str) -> Part:
    """PostgreSQL itself, once; started when its data is ready, adopted by Patroni."""
    settings = {
        "listen_addresses": "127.0.0.1",
        "port": str(plan.ports[f"pg_{node}"]),
        "cluster_name": patroni.SCOPE,
        "hot_standby": "on",
        **{name: str(postgres.parameters()[name]) for name in _ON_THE_COMMAND_LINE},
    }
    words = [f"--{name}={value}" for name, value in settings.items()]
    pgdata, folder = plan.layout.pgdata(node), plan.layout.node(node)
    return Part(
        name="postgres",
        argv=[
            programs.postgres("postgres"), "-D", str(pgdata),
            f"--config-file={pgdata / 'postgresql.conf'}", *words,
        ],
        env=clean_environment(folder),
        folder=str(folder),
        log=str(plan.layout.logs / f"{cluster.member_name(node)}.log"),
        once=True,
        after=str(plan.layout.gate(node, "data")),
    )  # fmt: skip


def prepare(plan: Blueprint, node: str) -> None:
    """Settings of the first boot, on top of the copied data."""
    pgdata = plan.layout.pgdata(node)
    settings: dict[str, object] = {
        **postgres.parameters(),
        "archive_command": archive.command(plan.layout, plan.ports, node),
    }
    if node == PRIMARY and plan.options.synchronous:  # it acknowledges nothing alone
        settings["synchronous_standby_names"] = cluster.member_name(STANDBY)
    if node == STANDBY:
        passfile = plan.layout.node(node) / "pgpass-first-boot"
        write_private(passfile, f"127.0.0.1:*:*:replicator:{plan.secrets.replicator}\n")
        settings["primary_conninfo"] = (
            f"host=127.0.0.1 port={plan.ports[f'pg_{PRIMARY}']} user=replicator dbname=postgres "
            f"passfile={postgres.quoted(str(passfile))} "
            f"application_name={cluster.member_name(node)}"
        )
        write_private(pgdata / "standby.signal", "")
    write_private(pgdata / _FILE, postgres.as_configuration(settings))
    with (pgdata / "postgresql.conf").open("a", encoding="utf-8") as file:
        file.write(f"\ninclude_if_exists '{_FILE}'\n")


def open_gate(layout: Layout, node: str, name: str) -> None:
    write_private(layout.gate(node, name), "")


def confirms(connection: psycopg.Connection[tuple[object, ...]], member: str) -> bool:
    """Whether the primary waits for this standby, which streams as Patroni wants it to.

    Raises psycopg.Error.
    """
    row = connection.execute(_CONFIRMS, [member]).fetchone()
    return bool(row and row[0])


def forget(layout: Layout) -> None:
    """Both are Patroni's now."""
    for node in DATABASE_NODES:
        (layout.pgdata(node) / _FILE).unlink(missing_ok=True)
        (layout.node(node) / "pgpass-first-boot").unlink(missing_ok=True)
