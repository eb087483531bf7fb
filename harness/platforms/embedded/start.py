"""The order in which everything comes up: as much at once as can be, each part's readiness seen.

node c: etcd, S3 ... ─┐
                      ├─ nodes a and b ─ leader ─ shop installed ┐
snapshot, passwords ──┘                        └─ standby in sync├─ whole
bucket under lock ─ base backup stored ──────────────────────────┘
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from harness.errors import Interrupted
from harness.platforms.embedded import (
    application,
    backup,
    etcd,
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
from harness.platforms.embedded.layout import DATABASE_NODES, SUPPORT_NODE
from harness.platforms.embedded.waiting import await_ready
from harness.progress import Progress

T = TypeVar("T")
_PART_S = 60.0
_NUDGE_EVERY = 10  # polls


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
        data = pool.submit(self._data)
        store = pool.submit(self._store, data)
        found = data.result()
        support.result()
        patroni.introduce(self.plan.ports, self.plan.options, found.system_identifier)
        for name in DATABASE_NODES:
            self._power(name)
        self.progress.phase("platform: electing a leader", _PART_S)
        self._await("a leader that takes writes", self._leads, "see logs/pg1.log and pg2.log")
        last: list[Future[None]] = [
            pool.submit(self._install),
            pool.submit(self._redundant),
            pool.submit(self._served),
            store,
        ]
        for done in last:
            done.result()

    def _power(self, name: str) -> None:
        if self._cancelled.is_set():
            raise Interrupted("the start was given up")
        parts.node_of(self.plan.layout, name).start()

    def _support(self) -> None:
        self._power(SUPPORT_NODE)
        ports, secrets = self.plan.ports, self.plan.secrets
        self._await("etcd", lambda: etcd.is_healthy(ports), "see logs/etcd.log")
        self._await("valkey", lambda: valkey.is_healthy(ports, secrets), "see logs/valkey.log")

    def _data(self) -> snapshot.Snapshot:
        """Both nodes' data folders, with this start's passwords in them."""
        plan = self.plan
        found = None if self.fresh else snapshot.find(plan.commands)
        if found is None:
            self.progress.say("platform: seeding a database (the next start reuses it)")
            found = snapshot.build(plan)
        first, second = (plan.layout.pgdata(name) for name in DATABASE_NODES)
        snapshot.place(found, first, plan.layout.backup)
        postgres.renew_passwords(first, plan.secrets)
        snapshot.copy(first, second)
        return found

    def _store(self, data: Future[snapshot.Snapshot]) -> None:
        ports, secrets = self.plan.ports, self.plan.secrets
        admin = s3.admin(ports, secrets)
        self._await("S3", admin.is_up, "see logs/s3.log")
        admin.create_locked_bucket(s3.RETENTION_DAYS)
        data.result()
        backup.upload(self.plan.layout.backup, self.backup_id, s3.archivist(ports, secrets))

    def _install(self) -> None:
        application.install(self.plan, application.both_databases(self.plan))

    def _leads(self) -> bool:
        files, ports = files_of(self.plan.layout), self.plan.ports
        return any(
            patroni.is_leader(ports, name) and postgres.takes_writes(ports[f"pg_{name}"], files)
            for name in DATABASE_NODES
        )

    def _redundant(self) -> None:
        """Patroni looks every 2 s; a nudge has it look as soon as there is something to see."""
        wanted = "sync_standby" if self.plan.options.synchronous else "replica"
        polls = 0

        def look() -> bool:
            nonlocal polls
            if polls % _NUDGE_EVERY == 0:
                patroni.nudge(self.plan.ports, self.plan.secrets)
            polls += 1
            seen = patroni.members(self.plan.ports)
            return any(m.role == wanted and m.state == "streaming" for m in seen)

        self._await("a standby that streams", look, "see logs/pg1.log and pg2.log")

    def _served(self) -> None:
        ports = self.plan.ports
        for name in DATABASE_NODES:
            what = application.replica_name(name)
            self._await(what, partial(ingress.replica_serves, ports, name), f"see logs/{what}.log")
        self._await(
            "the ingress",
            lambda: ingress.serves(ports) and ingress.routed_nodes(ports) == DATABASE_NODES,
            "see logs/ingress.log",
        )

    def _await(self, what: str, look: Callable[[], T | None], next_step: str) -> T:
        def unless_cancelled() -> T | None:
            if self._cancelled.is_set():
                raise Interrupted("the start was given up")
            return look()

        return await_ready(what, unless_cancelled, within_s=_PART_S, next_step=next_step)
