"""The capability `database`: who takes writes, and whether they would survive him."""

from __future__ import annotations

from dataclasses import dataclass

import psycopg

from harness.errors import PlatformError
from harness.platforms.capabilities import Instant, Wholeness
from harness.platforms.embedded import changeover, corruption, damage, patroni, postgres
from harness.platforms.embedded.corruption import Copy
from harness.platforms.embedded.credentials import files_of, load
from harness.platforms.embedded.layout import DATABASE_NODES, Layout, Options
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
class EmbeddedDatabase:
    """Two Patroni nodes."""

    layout: Layout
    ports: dict[str, int]
    options: Options

    def leader(self) -> str | None:
        """The node that holds the lease and takes writes; None when there is none."""
        files = files_of(self.layout)
        for name in DATABASE_NODES:
            if patroni.is_leader(self.ports, name) and postgres.takes_writes(
                self.ports[f"pg_{name}"], files
            ):
                return name
        return None

    def protected(self) -> Wholeness:
        """Standby streaming, synchronous as configured; WAL archive not behind."""
        leader = self.leader()
        if leader is None:
            return Wholeness(False, ("no database takes writes",))
        missing = [*self._replication_gaps(leader), *self._archive_gaps(leader)]
        return Wholeness(not missing, tuple(missing))

    def application_dsn(self) -> str:
        """As the shop's own role, to whoever takes writes."""
        files = files_of(self.layout)
        return postgres.dsn(self.ports, files.application_pass, user="shop")

    def superuser_dsn(self, node: str = "") -> str:
        """To whoever takes writes, or to the named node whatever its role."""
        passfile = files_of(self.layout).superuser_pass
        if not node:
            return postgres.dsn(self.ports, passfile, user=postgres.SUPERUSER)
        port = self.ports[f"pg_{self._known(node)}"]
        return postgres.dsn_of_node(port, passfile, user=postgres.SUPERUSER)

    def switchover(self, to: str = "") -> str:
        """Planned: the leader hands over, by default to the other node. Harmless when `to` leads.

        Returns the node that leads when it takes writes. Raises PlatformError.
        """
        old = self._leader_or_refuse()
        new = self._known(to) if to else next(n for n in DATABASE_NODES if n != old)
        if new != old:
            changeover.switch(
                self.ports, load(self.layout), old=old, new=new, leads=lambda: self.leader() == new
            )
        return new

    def reinitialize(self, node: str) -> None:
        """Throw a standby's data away and copy it anew; returns when the old data are gone.

        `nodes.is_back` tells when the new ones stream. Raises PlatformError, and for the leader.
        """
        if self._leader_or_refuse() == self._known(node):
            raise PlatformError(
                f"node {node} leads: its data are what the others are copied from",
                next_step="switch over first",
            )
        changeover.rebuild(
            self.ports,
            load(self.layout),
            node=node,
            pgdata=self.layout.pgdata(node),
            answers=lambda: postgres.answers(self.ports[f"pg_{node}"], files_of(self.layout)),
        )

    def corruption(self, node: str) -> tuple[str, ...]:
        """A sentence for each damage in any relation of any database on this node."""
        return corruption.damages(self._copy(node))

    def checksum_failures(self, node: str) -> int:
        return corruption.checksum_failures(self._copy(node))

    def corrupt_page(self, node: str, table: str) -> Instant:
        """Garbage in the most read page of a table of the shop; observed by reading the table."""
        return damage.corrupt_page(self._copy(node), table)

    def _copy(self, node: str) -> Copy:
        leader = self.leader()
        return Copy(
            node=self._known(node),
            port=self.ports[f"pg_{node}"],
            pgdata=self.layout.pgdata(node),
            files=files_of(self.layout),
            leader_port=self.ports[f"pg_{leader}"] if leader else None,
        )

    def _leader_or_refuse(self) -> str:
        return await_ready(
            "a database that takes writes",
            self.leader,
            within_s=_LEADER_S,
            next_step="wait for a leader, then try again",
        )

    def _known(self, node: str) -> str:
        if node not in DATABASE_NODES:
            raise PlatformError(f"no database node {node!r} here", next_step="a or b")
        return node

    def _replication_gaps(self, leader: str) -> list[str]:
        """By the leader's own view, and by Patroni's: both must hold for a safe failover."""
        standby = next(name for name in DATABASE_NODES if name != leader)
        name = patroni.member_name(standby)
        rows = self._rows(leader, _STANDBYS)
        if rows is None:
            return [f"the leader on node {leader} does not say who streams from it"]
        seen = {str(row[0]): row for row in rows if row[1] == "streaming"}
        if name not in seen:
            return [f"{name} on node {standby} does not stream from the leader"]
        if not self.options.synchronous:
            return []
        by_patroni = {m.node: m.role for m in patroni.members(self.ports)}
        if seen[name][2] not in ("sync", "quorum") or by_patroni.get(standby) != "sync_standby":
            return [f"{name} on node {standby} streams, and is not synchronous yet"]
        return []

    def _archive_gaps(self, leader: str) -> list[str]:
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

    def _rows(self, node: str, query: str) -> list[tuple[object, ...]] | None:
        try:
            port = self.ports[f"pg_{node}"]
            with postgres.connected(port, files_of(self.layout)) as connection:
                return connection.execute(query.encode()).fetchall()
        except psycopg.Error:
            return None
