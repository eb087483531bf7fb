"""The capability `database` of an image that looks after its PostgreSQL by itself.

Nobody here knows who decides about promotion there. So nobody but PostgreSQL is asked: who takes
writes leads, and who says that it receives from him follows. Two that take writes are none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import LiteralString

import psycopg
from psycopg import sql

from harness.errors import PlatformError
from harness.platforms.capabilities import Instant, Wholeness
from harness.platforms.embedded import postgres
from harness.platforms.embedded.cluster import Cluster, DatabaseNode
from harness.platforms.embedded.credentials import READER, Secrets, files_of
from harness.platforms.embedded.layout import Layout

_RECEIVES = "SELECT pg_is_in_recovery() AND status = 'streaming' FROM pg_stat_wal_receiver"
_CONFIRMED = """SELECT count(*) > 0 FROM pg_stat_replication
WHERE state = 'streaming' AND sync_state IN ('sync', 'quorum')"""


@dataclass(frozen=True, slots=True)
class OwnDatabase:
    """Two members, by their doors."""

    cluster: Cluster
    layout: Layout
    synchronous: bool

    def names(self) -> tuple[str, ...]:
        return tuple(node.name for node in self.cluster)

    def leader(self) -> str | None:
        """The node that takes writes; None when none does, or more than one."""
        leading = self._leading()
        return leading[0].name if len(leading) == 1 else None

    def leads(self, node: DatabaseNode) -> bool:
        return self._leading() == (node,)

    def follows(self, node: DatabaseNode) -> bool:
        """By its own word: it recovers, and receives what somebody sends."""
        return self._says(node, _RECEIVES)

    def has_joined(self, name: str) -> bool:
        """It leads alone, or follows while another leads."""
        leading, mine = self._leading(), self._node(name)
        return leading == (mine,) or (len(leading) == 1 and self.follows(mine))

    def protected(self) -> Wholeness:
        """One leads, every other one streams, and confirms commits where that is asked for."""
        leading = self._leading()
        if len(leading) != 1:
            several = ", ".join(node.name for node in leading)
            told = f"more than one database takes writes: {several}" if leading else ""
            return Wholeness(False, (told or "no database takes writes",))
        missing = [
            f"{node.member} on node {node.name} does not stream from the leader"
            for node in self.cluster
            if node not in leading and not self.follows(node)
        ]
        if not missing and self.synchronous and not self._says(leading[0], _CONFIRMED):
            missing.append("no standby confirms commits, although platform.yaml says synchronous")
        return Wholeness(not missing, tuple(missing))

    def application_dsn(self) -> str:
        """As the application's own role, to whoever takes writes."""
        return postgres.dsn(self._ports, files_of(self.layout).application_pass, user="shop")

    def superuser_dsn(self, node: str = "") -> str:
        """To whoever takes writes, or to the named node whatever its role."""
        passfile, user = files_of(self.layout).superuser_pass, postgres.SUPERUSER
        if node:
            return postgres.dsn_of_node(self._node(node).pg_port, passfile, user=user)
        return postgres.dsn(self._ports, passfile, user=user)

    def switchover(self, to: str = "") -> str:  # noqa: ARG002
        raise _not_ours("switched over")

    def reinitialize(self, node: str) -> None:  # noqa: ARG002
        raise _not_ours("copied anew")

    def corruption(self, node: str) -> tuple[str, ...]:  # noqa: ARG002
        raise _not_ours("walked for damage")

    def checksum_failures(self, node: str) -> int:  # noqa: ARG002
        raise _not_ours("asked for checksums")

    def corrupt_page(self, node: str, table: str) -> Instant:  # noqa: ARG002
        raise _not_ours("damaged")

    @property
    def _ports(self) -> tuple[int, ...]:
        return tuple(node.pg_port for node in self.cluster)

    def _node(self, name: str) -> DatabaseNode:
        for node in self.cluster:
            if node.name == name:
                return node
        raise PlatformError(f"no database node {name!r} here", next_step=" or ".join(self.names()))

    def _leading(self) -> Cluster:
        files = files_of(self.layout)
        return tuple(node for node in self.cluster if postgres.takes_writes(node.pg_port, files))

    def _says(self, node: DatabaseNode, question: LiteralString) -> bool:
        try:
            with postgres.connected(node.pg_port, files_of(self.layout)) as connection:
                row = connection.execute(question).fetchone()
        except psycopg.Error:
            return False
        return bool(row and row[0])


def furnish(layout: Layout, port: int, secrets: Secrets) -> None:
    """The roles that an application, a standby and the read-back need, and the database.

    Harmless where they are there: whoever looks after PostgreSQL may have made some of them.
    Raises PlatformError.
    """
    try:
        with postgres.connected(port, files_of(layout)) as connection:
            _log_in(connection, "replicator", secrets.replicator, "REPLICATION")
            _log_in(connection, "shop", secrets.shop)
            _log_in(connection, READER, secrets.readback)
            connection.execute(f"GRANT pg_monitor TO {READER}")
            asked = connection.execute(
                "SELECT 1 FROM pg_database WHERE datname = %s", [postgres.DATABASE]
            )
            if asked.fetchone() is None:
                connection.execute(f"CREATE DATABASE {postgres.DATABASE} OWNER shop")
        with postgres.connected(port, files_of(layout), database=postgres.DATABASE) as connection:
            connection.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {READER}")
            connection.execute(
                "ALTER DEFAULT PRIVILEGES FOR ROLE shop IN SCHEMA public "
                f"GRANT SELECT ON TABLES TO {READER}"
            )
    except psycopg.Error as error:
        raise PlatformError(
            f"the roles cannot be made in PostgreSQL: {type(error).__name__}",
            next_step="the image has to let `postgres` in with the password of /secrets/postgres",
        ) from error


def _log_in(
    connection: psycopg.Connection[tuple[object, ...]],
    role: LiteralString,
    password: str,
    rights: LiteralString = "",
) -> None:
    """The server is given the verifier alone: a statement that fails is written to its log."""
    there = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone()
    verb: LiteralString = "ALTER" if there else "CREATE"
    connection.execute(
        sql.SQL(verb + " ROLE {} LOGIN " + rights + " PASSWORD {}").format(
            sql.Identifier(role), postgres.verifier(connection, role, password)
        )
    )


def _not_ours(done: str) -> PlatformError:
    return PlatformError(
        f"a database that its own image looks after cannot be {done} from here",
        next_step="database.managed: patroni, with the reference image's role",
    )
