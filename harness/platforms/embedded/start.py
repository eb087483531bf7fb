"""The order in which everything comes up: as much at once as can be, each part's readiness seen.

the seeded database: found in the cache, or built; copied to both nodes; new passwords
node c: etcd, S3 ...    bucket under lock, base backup stored
node a: primary         credentials, replicas, ingress
                        leader
node b: standby                 taken over by Patroni, in sync
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeVar

import psycopg

from harness.errors import Interrupted, PlatformError
from harness.platforms.embedded import (
    application,
    backup,
    backup_key,
    cluster,
    doors,
    etcd,
    first_boot,
    ingress,
    parts,
    patroni,
    postgres,
    s3,
    snapshot,
    valkey,
)
from harness.platforms.embedded.blueprint import Blueprint
from harness.platforms.embedded.credentials import files_of
from harness.platforms.embedded.layout import ALL_NODES, DATABASE_NODES, SUPPORT_NODE
from harness.platforms.embedded.waiting import await_ready
from harness.progress import Progress

T = TypeVar("T")
_PART_S = 60.0
_NUDGE_EVERY = 5  # polls
_PATRONI_LOGS = "see logs/pg1.log and pg2.log"


@dataclass
class Start:
    """One start of one platform. Several threads; the first failure ends all of them."""

    plan: Blueprint
    progress: Progress
    fresh: bool
    backup_id: str = field(default_factory=backup.new_id)
    _cancelled: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Returns when the platform trades, redundantly. Raises PlatformError."""
        self.progress.phase("platform: starting", _PART_S)
        with ThreadPoolExecutor(max_workers=6) as pool:
            try:
                self._run(pool)
            except BaseException:
                self._cancelled.set()
                raise

    def _run(self, pool: ThreadPoolExecutor) -> None:
        support = pool.submit(self._support)
        databases = pool.submit(self._databases)
        seeded = self._seeded()
        store = pool.submit(self._store, seeded)
        standby = pool.submit(self._standby_data, seeded)
        self._primary_data(seeded)
        support.result()
        databases.result()
        self.progress.phase("platform: becoming redundant", _PART_S)
        alone = replace(self.plan.options, synchronous=False)  # until there is a standby
        patroni.introduce(self.plan.ports, alone, seeded.system_identifier)
        self._await_primary()
        last: list[Future[None]] = [pool.submit(step) for step in (self._served, self._install)]
        self._lead(standby)
        self._redundant()
        self._hand_over()
        for done in (*last, store):
            done.result()

    def _hand_over(self) -> None:
        """Both databases by Patroni's configuration alone."""
        both, layout = cluster.embedded(self.plan.ports), self.plan.layout
        patroni.configure(both, self.plan.secrets)
        patroni.nudge(both, self.plan.secrets)
        self._await(
            "Patroni's configuration of both databases",
            lambda: all(patroni.is_configured(layout, node) for node in DATABASE_NODES),
            _PATRONI_LOGS,
        )
        first_boot.forget(layout)

    def _seeded(self) -> snapshot.Snapshot:
        found = None if self.fresh else snapshot.find(self.plan.commands)
        if found is None:
            self.progress.say("platform: seeding a database (the next start reuses it)")
            found = snapshot.build(self.plan)
        return found

    def _primary_data(self, seeded: snapshot.Snapshot) -> None:
        """A copy with new passwords; then the primary may start."""
        layout, name = self.plan.layout, first_boot.PRIMARY
        snapshot.place(seeded.pgdata, layout.pgdata(name))
        postgres.renew_passwords(layout.pgdata(name), self.plan.secrets)
        first_boot.prepare(self.plan, name)
        first_boot.open_gate(layout, name, "data")

    def _standby_data(self, seeded: snapshot.Snapshot) -> None:
        """A copy as it is: it learns the new passwords from its primary."""
        layout, name = self.plan.layout, first_boot.STANDBY
        snapshot.place(seeded.pgdata, layout.pgdata(name))
        first_boot.prepare(self.plan, name)
        first_boot.open_gate(layout, name, "data")

    def _databases(self) -> None:
        """Nodes a and b, waiting at their gates with everything imported."""
        parts.define_databases(self.plan, first=True)
        for name in DATABASE_NODES:
            self._power(name)
        parts.define_databases(self.plan, first=False)  # for every later start of the nodes

    def _await_primary(self) -> None:
        """Patroni first, whose way is the longest; the replicas ask nobody but the database, and
        door and partners have nobody to serve before them.
        """
        layout, files = self.plan.layout, files_of(self.plan.layout)
        port = self.plan.ports[f"pg_{first_boot.PRIMARY}"]
        self._await("the primary", lambda: postgres.takes_writes(port, files), _PATRONI_LOGS)
        first_boot.open_gate(layout, first_boot.PRIMARY, "patroni")
        for name in ALL_NODES:
            first_boot.open_gate(layout, name, "app")

    def _lead(self, standby: Future[None]) -> None:
        """First Patroni takes the primary over, then the standby's may come: no election."""
        plan, ports = self.plan, self.plan.ports
        files, first = files_of(plan.layout), cluster.node_of(ports, first_boot.PRIMARY)
        self._await("a leader", lambda: patroni.is_leader(first), _PATRONI_LOGS)
        standby.result()
        self._await(
            "the standby",
            lambda: postgres.answers(ports[f"pg_{first_boot.STANDBY}"], files),
            _PATRONI_LOGS,
        )
        first_boot.open_gate(plan.layout, first_boot.STANDBY, "patroni")

    def _power(self, name: str) -> None:
        if self._cancelled.is_set():
            raise Interrupted("the start was given up")
        parts.node_of(self.plan.layout, name).start()

    def _support(self) -> None:
        parts.define_support(self.plan)
        self._power(SUPPORT_NODE)
        ports, secrets = self.plan.ports, self.plan.secrets
        self._await("etcd", lambda: etcd.is_healthy(ports), "see logs/etcd.log")
        self._await("valkey", lambda: valkey.is_healthy(ports, secrets), "see logs/valkey.log")

    def _store(self, seeded: snapshot.Snapshot) -> None:
        layout, ports, secrets = self.plan.layout, self.plan.ports, self.plan.secrets
        admin = s3.admin(ports, secrets)
        self._await("S3", admin.is_up, "see logs/s3.log")
        admin.create_locked_bucket(s3.RETENTION_DAYS)
        snapshot.place(seeded.backup, layout.backup)
        key = backup_key.load(layout).key
        backup.upload(layout.backup, self.backup_id, s3.archivist(ports, secrets), key)

    def _install(self) -> None:
        application.install(self.plan, application.both_databases(self.plan))

    def _redundant(self) -> None:
        """Two by Patroni's word, in sync where that was asked for."""
        both, wanted = cluster.embedded(self.plan.ports), "replica"
        if self.plan.options.synchronous:
            wanted = "sync_standby"
            self._synchronise(both)

        def look() -> bool:
            seen = patroni.members(both)
            return any(m.role == wanted and m.state == "streaming" for m in seen)

        self._await("a standby that streams", self._nudging(look), _PATRONI_LOGS)

    def _synchronise(self, both: cluster.Cluster) -> None:
        """Synchronous mode, as soon as its standby confirms what the primary commits.

        The primary waits for that standby since its first boot. Patroni, had it been told of the
        mode before it knew the standby, would take the name away, and set it again 2 s later.
        """
        primary, standby = both
        try:
            with postgres.connected(primary.pg_port, files_of(self.plan.layout)) as connection:
                self._await(
                    "a standby that confirms",
                    self._nudging(partial(first_boot.confirms, connection, standby.member)),
                    _PATRONI_LOGS,
                )
        except psycopg.Error as error:
            raise PlatformError(
                f"the primary went away: {error}", next_step=_PATRONI_LOGS
            ) from error
        patroni.synchronise(both, self.plan.secrets)

    def _nudging(self, look: Callable[[], T | None]) -> Callable[[], T | None]:
        """Patroni looks every 2 s; a nudge has it look as soon as there is something to see."""
        both, polls = cluster.embedded(self.plan.ports), 0

        def nudged() -> T | None:
            nonlocal polls
            if polls % _NUDGE_EVERY == 0:
                patroni.nudge(both, self.plan.secrets)
            polls += 1
            return look()

        return nudged

    def _served(self) -> None:
        ports = self.plan.ports
        for name in DATABASE_NODES:
            what = application.replica_name(name)
            self._await(what, partial(ingress.replica_serves, ports, name), f"see logs/{what}.log")
        self._await(
            "the ingress",
            lambda: doors.serves(ports) and ingress.routed_nodes(ports) == DATABASE_NODES,
            "see logs/ingress.log",
        )

    def _await(self, what: str, look: Callable[[], T | None], next_step: str) -> T:
        def unless_cancelled() -> T | None:
            if self._cancelled.is_set():
                raise Interrupted("the start was given up")
            return look()

        return await_ready(what, unless_cancelled, within_s=_PART_S, next_step=next_step)
