"""The capability `database`: who takes writes, and whether they would survive him."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import psycopg

from harness.errors import PlatformError
from harness.platforms.capabilities import Instant, Wholeness
from harness.platforms.embedded import changeover, cluster, corruption, damage, patroni, postgres
from harness.platforms.embedded.cluster import Cluster, DatabaseNode
from harness.platforms.embedded.corruption import Copy
from harness.platforms.embedded.credentials import READER, SecretFiles, files_of, load
from harness.platforms.embedded.disk import Disk, LocalDisk
from harness.platforms.embedded.layout import Layout, Options
from harness.platforms.embedded.waiting import await_ready

_LEADER_S = 10.0  # one look may fail on a busy machine
_WAITING_SEGMENTS = 3  # more finished segments than this, not in S3: the archive is behind
_ARCHIVE = """
SELECT (SELECT count(*) FROM pg_ls_archive_statusdir() WHERE name LIKE '%.ready'),
       last_failed_time > coalesce(last_archived_time, '-infinity'::timestamptz)
FROM pg_stat_archiver
"""
_STANDBYS = "SELECT application_name, state, sync_state FROM pg_stat_replication"


@dataclass(frozen=True, slots=True)
class PatroniDatabase:
    """Two nodes under Patroni, by their doors; `disk` finds a node's data folder."""

    cluster: Cluster
    layout: Layout
    options: Options
    disk: Callable[[DatabaseNode], Disk]

    def names(self) -> tuple[str, ...]:
        return tuple(node.name for node in self.cluster)

    def leader(self) -> str | None:
        """The node that holds the lease and takes writes; None when there is none."""
        for node in self.cluster:
            if patroni.is_leader(node) and postgres.takes_writes(node.pg_port, self._files):
                return node.name
        return None

    def protected(self) -> Wholeness:
        """Standby streaming, synchronous as configured; WAL archive not behind."""
        leader = self.leader()
        if leader is None:
            return Wholeness(False, ("no database takes writes",))
        missing = [
            *self._replication_gaps(self.node(leader)),
            *self._archive_gaps(self.node(leader)),
        ]
        return Wholeness(not missing, tuple(missing))

    def application_dsn(self) -> str:
        """As the shop's own role, to whoever takes writes."""
        return postgres.dsn(self.pg_ports, self._files.application_pass, user="shop")

    def reader_dsn(self) -> str:
        """The same for the read-back's role."""
        return postgres.dsn(self.pg_ports, self._files.reader_pass, user=READER)

    def superuser_dsn(self, node: str = "") -> str:
        """To whoever takes writes, or to the named node whatever its role."""
        passfile = self._files.superuser_pass
        if not node:
            return postgres.dsn(self.pg_ports, passfile, user=postgres.SUPERUSER)
        port = self.node(node).pg_port
        return postgres.dsn_of_node(port, passfile, user=postgres.SUPERUSER)

    def switchover(self, to: str = "") -> str:
        """Planned: the leader hands over, by default to the other node. Harmless when `to` leads.

        Returns the node that leads when it takes writes. Raises PlatformError.
        """
        old = self._leader_or_refuse()
        new = self.node(to) if to else self._other(old)
        if new != old:
            changeover.switch(
                load(self.layout), old=old, new=new, leads=lambda: self.leader() == new.name
            )
        return new.name

    def reinitialize(self, node: str) -> None:
        """Throw a standby's data away and copy it anew; returns when the old data are gone.

        `nodes.is_back` tells when the new ones stream. Raises PlatformError, and for the leader.
        """
        mine = self.node(node)
        if self._leader_or_refuse() == mine:
            raise PlatformError(
                f"node {node} leads: its data are what the others are copied from",
                next_step="switch over first",
            )
        changeover.rebuild(
            self.cluster,
            load(self.layout),
            node=mine,
            disk=self.disk(mine),
            answers=lambda: postgres.answers(mine.pg_port, self._files),
        )

    def corruption(self, node: str) -> tuple[str, ...]:
        """A sentence for each damage in any relation of any database on this node."""
        return corruption.damages(self._copy(node))

    def checksum_failures(self, node: str) -> int:
        return corruption.checksum_failures(self._copy(node))

    def corrupt_page(self, node: str, table: str) -> Instant:
        """Garbage in the most read page of a table of the shop; observed by reading the table."""
        return damage.corrupt_page(self._copy(node), table)

    @property
    def pg_ports(self) -> tuple[int, ...]:
        return tuple(node.pg_port for node in self.cluster)

    def node(self, name: str) -> DatabaseNode:
        """Raises PlatformError where it is none of the two."""
        for node in self.cluster:
            if node.name == name:
                return node
        raise PlatformError(f"no database node {name!r} here", next_step=" or ".join(self.names()))

    @property
    def _files(self) -> SecretFiles:
        return files_of(self.layout)

    def _other(self, than: DatabaseNode) -> DatabaseNode:
        return next(node for node in self.cluster if node != than)

    def _copy(self, name: str) -> Copy:
        node, leader = self.node(name), self.leader()
        return Copy(
            node=name,
            port=node.pg_port,
            disk=self.disk(node),
            files=self._files,
            leader_port=self.node(leader).pg_port if leader else None,
        )

    def _leader_or_refuse(self) -> DatabaseNode:
        leader = await_ready(
            "a database that takes writes",
            self.leader,
            within_s=_LEADER_S,
            next_step="wait for a leader, then try again",
        )
        return self.node(leader)

    def _replication_gaps(self, leader: DatabaseNode) -> list[str]:
        """By the leader's own view, and by Patroni's: both must hold for a safe failover.

        A standby that was away for a moment is still called synchronous by both. The leader's
        Patroni takes that back at its next look if the standby's own record does not say it runs.
        """
        standby = self._other(leader)
        name = standby.member
        rows = self._rows(leader, _STANDBYS)
        if rows is None:
            return [f"the leader on node {leader.name} does not say who streams from it"]
        seen = {str(row[0]): row for row in rows if row[1] == "streaming"}
        if name not in seen:
            return [f"{name} on node {standby.name} does not stream from the leader"]
        if not self.options.synchronous:
            return []
        by_patroni = {m.node: (m.role, m.state) for m in patroni.members(self.cluster)}
        agreed = by_patroni.get(standby.name) == ("sync_standby", "streaming")
        if seen[name][2] not in ("sync", "quorum") or not agreed:
            return [f"{name} on node {standby.name} streams, and is not synchronous yet"]
        return []

    def _archive_gaps(self, leader: DatabaseNode) -> list[str]:
        rows = self._rows(leader, _ARCHIVE)
        if not rows:
            return ["the leader does not say how its archive stands"]
        waiting, failing = rows[0]
        gaps = []
        if isinstance(waiting, int) and waiting > _WAITING_SEGMENTS:
            gaps.append(f"{waiting} WAL segments wait for the archive")
        if failing:
            gaps.append("the last WAL segment could not be archived")
        return gaps

    def _rows(self, node: DatabaseNode, query: str) -> list[tuple[object, ...]] | None:
        try:
            with postgres.connected(node.pg_port, self._files) as connection:
                return connection.execute(query.encode()).fetchall()
        except psycopg.Error:
            return None


def embedded(layout: Layout, ports: dict[str, int], options: Options) -> PatroniDatabase:
    """Nodes a and b, with their data folders on this machine."""
    return PatroniDatabase(
        cluster.embedded(ports),
        layout,
        options,
        disk=lambda node: LocalDisk(layout.pgdata(node.name)),
    )
