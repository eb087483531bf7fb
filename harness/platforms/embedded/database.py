"""The capability `database`: who takes writes, and whether they would survive him."""

from __future__ import annotations

from dataclasses import dataclass

import psycopg

from harness.platforms.capabilities import Instant, Wholeness
from harness.platforms.embedded import patroni, postgres
from harness.platforms.embedded.credentials import files_of
from harness.platforms.embedded.layout import DATABASE_NODES, Layout, Options

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
        raise NotImplementedError

    def superuser_dsn(self, node: str = "") -> str:
        raise NotImplementedError

    def switchover(self, to: str = "") -> str:
        raise NotImplementedError

    def reinitialize(self, node: str) -> None:
        raise NotImplementedError

    def corruption(self, node: str) -> tuple[str, ...]:
        raise NotImplementedError

    def checksum_failures(self, node: str) -> int:
        raise NotImplementedError

    def corrupt_page(self, node: str, table: str) -> Instant:
        raise NotImplementedError

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
