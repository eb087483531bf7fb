"""The embedded platform's components, as far as a secret concerns them: files on this machine."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from harness.platforms.embedded import (
    admission,
    application,
    archive,
    cluster,
    credentials,
    ingress,
    parts,
    process,
    s3,
    valkey,
)
from harness.platforms.embedded import database as databases
from harness.platforms.embedded.blueprint import Blueprint, Commands
from harness.platforms.embedded.cluster import DatabaseNode
from harness.platforms.embedded.credentials import Secrets, files_of
from harness.platforms.embedded.database import PatroniDatabase
from harness.platforms.embedded.layout import (
    DATABASE_NODES,
    SUPPORT_NODE,
    Layout,
    Options,
    write_atomically,
)
from harness.platforms.embedded.renewal import Key, Replica
from harness.platforms.shown import Shown


@dataclass(frozen=True, slots=True)
class LocalReplica:
    """The replica on one node."""

    node: str
    ports: dict[str, int]

    @property
    def name(self) -> str:
        return f"the replica on node {self.node}"

    def serves(self) -> bool:
        return ingress.replica_serves(self.ports, self.node)

    def lets_in(self, password: str) -> bool | None:
        return admission.lets_in(self._port, password)

    def lets_in_by_key(self, key: str) -> bool | None:
        return admission.lets_in_by_key(self._port, key)

    def log_in(self, password: str) -> str | None:
        return admission.log_in(self._port, password)

    def has_ended_session(self, session_id: str) -> bool:
        return admission.has_ended_session(self._port, session_id)

    @property
    def _port(self) -> int:
        return self.ports[f"app_{self.node}"]


@dataclass(frozen=True, slots=True)
class LocalStack:
    """Of the environment that serves."""

    layout: Layout
    all_ports: dict[str, int]
    options: Options

    @property
    def ports(self) -> Mapping[str, int]:
        return self.all_ports

    @property
    def queue_port(self) -> int:
        return self.all_ports["valkey"]

    @property
    def dialect(self) -> int:
        return self.options.dialect

    @property
    def database(self) -> PatroniDatabase:
        return databases.embedded(self.layout, self.all_ports, self.options)

    def live_databases(self) -> tuple[DatabaseNode, ...]:
        return tuple(cluster.node_of(self.all_ports, node) for node in self._alive())

    def live_replicas(self) -> tuple[Replica, ...]:
        return tuple(LocalReplica(node, self.all_ports) for node in self._alive())

    def write_files(self, secrets: Secrets) -> None:
        """Customers' programs know the first environment's."""
        credentials.write(self.layout, secrets)
        if self.layout.environment:
            credentials.write_for_clients(self._base, secrets)

    def tell_replicas(self, secrets: Secrets) -> None:
        """Both replicas read it within a tenth of a second."""
        plan = self._plan(secrets)
        for node in DATABASE_NODES:
            application.configure(plan, node)
        application.partners_part(replace(plan, layout=self._base))

    def renew(self, what: str, secrets: Secrets, *, held: int) -> None:
        application.renew(self._plan(secrets), what, held=held)

    def keep_queue(self, secrets: Secrets) -> None:
        valkey.configure(self.layout, self.all_ports, secrets)

    def offer_store_keys(self, keys: Sequence[Key]) -> None:
        """The store reads its identities again on SIGHUP. It belongs to the first environment in
        every case: a clean one has a key of its own at the same store.
        """
        file = files_of(self._base).s3_identities
        told = json.loads(file.read_text(encoding="utf-8"))
        write_atomically(file, json.dumps(s3.with_archive_keys(told, keys)))
        self._hang_up()

    def shown(self) -> Iterator[Shown]:
        """Logs lie below the platform's folder, processes run on this machine: nothing else."""
        return iter(())

    def tell_archive(self, secrets: Secrets) -> None:
        """The running one reads its file again."""
        archive.part(self.layout, self.all_ports, secrets)

    @property
    def _base(self) -> Layout:
        """Where the store, the doors and the partners stand, in every environment."""
        return Layout(self.layout.root)

    def _hang_up(self) -> None:
        """A store that is about to start reads its identities by itself."""
        pid = parts.node_of(self._base, SUPPORT_NODE).part_pids().get("s3")
        found = process.identify(pid) if pid else None
        if found is not None:
            with process.held([found]) as descriptors:
                process.send(descriptors, signal.SIGHUP)

    def _alive(self) -> tuple[str, ...]:
        alive = (n for n in DATABASE_NODES if not parts.node_of(self.layout, n).is_dead())
        return tuple(alive)

    def _plan(self, secrets: Secrets) -> Blueprint:
        return Blueprint(self.layout, self.all_ports, secrets, self.options, Commands())
