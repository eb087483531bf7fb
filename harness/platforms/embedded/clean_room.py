"""The clean room: a second environment below the same root, that shares nothing with the first.

What stays is what stands outside both: the doors (Traefik), the offsite store under object lock,
and the partners. They move into a perimeter of their own (the old support node without etcd,
queue and archive), with new identities at the store. Everything else is new: nodes, data folders,
credentials, ports. What customers handed to the old queue is taken over as data, entry by entry.

The candidate is on disk before anything of it runs, so that a restore can go on after any death.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

from harness.errors import PlatformError
from harness.platforms.capabilities import Restored, Wanted
from harness.platforms.embedded import (
    application,
    archive,
    backup_key,
    credentials,
    doors,
    etcd,
    first_boot,
    forensics,
    ingress,
    mirror,
    parts,
    ports,
    postgres,
    restore,
    s3,
    seating,
    store_ready,
    valkey,
)
from harness.platforms.embedded.blueprint import Blueprint, Commands
from harness.platforms.embedded.layout import (
    ALL_NODES,
    DATABASE_NODES,
    SUPPORT_NODE,
    Layout,
    State,
    load_state,
    save_state,
    write_atomically,
    write_private,
)
from harness.platforms.embedded.waiting import await_ready

_INNER = (
    "etcd", "etcd_peer", "pg_a", "pg_b", "patroni_a", "patroni_b", "app_a", "app_b", "valkey",
    "archive",
)  # fmt: skip
_CANDIDATE = "clean-room.json"
_PART_S, _STOP_S = 60.0, 15.0


@dataclass(frozen=True, slots=True)
class Candidate:
    """The environment that is being prepared, or that serves already."""

    name: str
    ports: dict[str, int]
    backup_id: str = ""


class EmbeddedCleanRoom:
    """Beside the environment that serves; `enter` makes it the one that does."""

    def __init__(self, root: Path) -> None:
        self._base = Layout(root)
        self._file = root / _CANDIDATE

    def name(self) -> str:
        """Of the environment that serves: "" the original, else "clean-1"."""
        return self._state.environment

    @property
    def _state(self) -> State:
        return load_state(self._base)

    def preserve(self, into: Path) -> tuple[tuple[str, str], ...]:
        """Stop the old database nodes, take over the queue's orders, and digest everything."""
        old = Layout(self._base.root, self._state.environment)
        into.mkdir(mode=0o700, exist_ok=True)
        queue, word = self._state.ports["valkey"], credentials.load(old).valkey
        forensics.take_over_queue(queue, word, into)
        for name in DATABASE_NODES:
            parts.node_of(old, name).kill()
        return forensics.digest(old, into)

    def preserved(self, names: Sequence[str]) -> Mapping[str, str]:
        root = self._base.root
        return forensics.digests(root, [root / name for name in names])

    def prepare(self) -> str:
        """New credentials, folders and ports; its support node runs, and knows the store."""
        made = self._candidate() or self._new_candidate()
        plan = self._plan(made)
        backup_key.make(plan.layout)
        self._perimeter(plan)
        node = parts.node_of(plan.layout, SUPPORT_NODE)
        archiving = archive.part(plan.layout, plan.ports, plan.secrets)
        gate = str(plan.layout.gate(SUPPORT_NODE, "archive"))  # opened when the room is entered:
        node.define(  # until then a restore may be repeated, and finds the archive as it was
            [
                etcd.part(plan.layout, plan.ports),
                valkey.part(plan.layout, plan.ports, plan.secrets),
                replace(archiving, after=gate),
            ],
            stop_s=_STOP_S,
        )
        node.start()
        await_ready("etcd", partial(etcd.is_healthy, plan.ports), within_s=_PART_S)
        await_ready("valkey", partial(valkey.is_healthy, plan.ports, plan.secrets),
                    within_s=_PART_S)  # fmt: skip
        return made.name

    def restore(self, backup_id: str, wanted: Wanted) -> Restored:
        """Database, roles, log-ins and documents into the prepared environment."""
        made = self._expected()
        plan = self._plan(made)
        for name in DATABASE_NODES:
            parts.node_of(plan.layout, name).kill()
        first = DATABASE_NODES[0]
        place = restore.on_node(plan.layout, first, plan.ports[f"pg_{first}"], plan.secrets)
        store, key = s3.archivist(plan.ports, plan.secrets), self._old_key()
        restored = restore.build(place, store, key, backup_id, wanted)
        folder = plan.layout.filestore / postgres.DATABASE
        seating.documents(mirror.embedded(folder, store))
        kept = self._base.root / forensics.FOLDER
        forensics.hand_over_queue(kept, plan.ports["valkey"], plan.secrets.valkey)
        seating.lead(plan, first)
        seating.forget_log_ins(plan.ports[f"pg_{first}"], credentials.files_of(plan.layout))
        application.install(plan, application.both_databases(plan))
        self._save(replace(made, backup_id=backup_id))
        return restored

    def enter(self) -> None:
        """From now on the platform is the clean environment. Doors stay as they are."""
        made, state = self._expected(), self._state
        plan = self._plan(made)
        for name in DATABASE_NODES:
            await_ready(
                f"the replica on node {name}",
                partial(ingress.replica_serves, plan.ports, name),
                within_s=_PART_S,
            )
        replicas = [ingress.replica_url(plan.ports, name) for name in DATABASE_NODES]
        doors.point(plan.layout, replicas, plan.ports["valkey"])
        credentials.write_for_clients(self._base, plan.secrets)
        save_state(
            self._base,
            replace(state, environment=made.name, ports=plan.ports, backup_id=made.backup_id),
        )
        first_boot.open_gate(plan.layout, SUPPORT_NODE, "archive")

    def shared(self) -> tuple[str, ...]:
        """Secrets, open files and ports that both environments know; and old nodes that live."""
        plan = self._plan(self._expected())
        old = self._base
        before, now = asdict(credentials.load(old)), asdict(plan.secrets)
        found = [f"the secret {name}" for name, word in now.items() if word in before.values()]
        found += [
            f"node {name} of the old environment lives"
            for name in DATABASE_NODES
            if not parts.node_of(old, name).is_dead()
        ]
        inner_before = {name: self._first_ports()[name] for name in _INNER}
        found += [f"port {name}" for name in _INNER if plan.ports[name] == inner_before[name]]
        for name in ALL_NODES:
            found += _open_below_old(parts.node_of(plan.layout, name).all_pids(), old)
        return tuple(found)

    def inside(self, credential: str) -> str:
        """Where a class of credentials is used in the environment that serves, doors or not."""
        plan = self._plan(self._expected())
        replica = ingress.replica_url(plan.ports, DATABASE_NODES[0])
        hosts = ",".join("127.0.0.1" for _ in DATABASE_NODES)
        numbers = ",".join(str(port) for port in application.both_databases(plan))
        places = {
            "database-role": (
                f"host={hosts} port={numbers} dbname={postgres.DATABASE} "
                "target_session_attrs=read-write"
            ),
            "backup-writer": f"{s3.url(plan.ports)}/{s3.BUCKET}",
            "queue": f"redis://127.0.0.1:{plan.ports['valkey']}/0",
        }
        return places.get(credential, replica)

    # the candidate on disk

    def _candidate(self) -> Candidate | None:
        if not self._file.exists():
            return None
        try:
            made = Candidate(**json.loads(self._file.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise PlatformError(f"{self._file} is damaged: {type(error).__name__}") from error
        return None if made.name == "" else made

    def _expected(self) -> Candidate:
        made = self._candidate()
        if made is None:
            raise PlatformError("no clean environment was prepared", next_step="prepare one first")
        return made

    def _new_candidate(self) -> Candidate:
        state = self._state
        if state.environment:
            raise PlatformError(
                "this platform lives in a clean environment already",
                next_step="peakdrill platform down, then up: one clean room a platform",
            )
        with ports.reserved() as free:
            chosen = {**state.ports, **{name: free[name] for name in _INNER}}
        made = Candidate("clean-1", chosen)
        layout = Layout(self._base.root, made.name)
        layout.make()
        credentials.generate(layout)
        write_private(self._base.root / "first-ports.json", json.dumps(state.ports))
        self._save(made)
        return made

    def _save(self, made: Candidate) -> None:
        write_atomically(self._file, json.dumps(asdict(made), indent=1))

    def _first_ports(self) -> dict[str, int]:
        file = self._base.root / "first-ports.json"
        told: dict[str, int] = json.loads(file.read_text(encoding="utf-8"))
        return told

    def _plan(self, made: Candidate) -> Blueprint:
        layout = Layout(self._base.root, made.name)
        known = credentials.load(layout)
        return Blueprint(layout, made.ports, known, self._state.options, Commands())

    def _old_key(self) -> bytes:
        return backup_key.load(self._base).key

    def _perimeter(self, plan: Blueprint) -> None:
        """What stands outside both environments starts anew, with the new identities alone."""
        outside = replace(plan, layout=self._base)
        node = parts.node_of(self._base, SUPPORT_NODE)
        queue_port = plan.ports["valkey"]
        replicas = tuple(ingress.replica_url(plan.ports, name) for name in DATABASE_NODES)
        perimeter = [
            s3.part(self._base, plan.ports, plan.secrets),
            ingress.part(self._base, plan.ports),
            application.partners_part(outside),
        ]
        closed = ingress.Routes(replicas, queue_port, closed=True, queue_closed=True)
        ingress.save(ingress.routes_file(self._base), closed)
        node.define(perimeter, stop_s=_STOP_S)
        node.kill()
        node.start()
        store = s3.admin(plan.ports, plan.secrets)
        await_ready("S3", store.is_up, within_s=_PART_S, next_step="see logs/s3.log")
        await_ready("what S3 holds", partial(store_ready.gives, store), within_s=_PART_S)
        both = doors.embedded(plan.layout, plan.ports)
        await_ready("the closed doors", both.is_closed, within_s=_PART_S)


def _open_below_old(pids: tuple[int, ...], old: Layout) -> list[str]:
    """Files of the old environment that a process of the new one holds open."""
    places = [f"{old.node(name)}/" for name in DATABASE_NODES]
    places += [f"{old.filestore}/", f"{old.secrets}/"]
    return [
        f"process {pid} holds {Path(held).relative_to(old.root)}"
        for pid in pids
        for held in _open_files(pid)
        if held.startswith(tuple(places))
    ]


def _open_files(pid: int) -> list[str]:
    try:
        return [str(entry.readlink()) for entry in Path(f"/proc/{pid}/fd").iterdir()]
    except (FileNotFoundError, ProcessLookupError):
        return []  # it ended while we looked: it holds nothing
    except PermissionError as error:
        if _is_gone(pid):
            return []
        raise PlatformError(f"the open files of process {pid} cannot be read") from error


def _is_gone(pid: int) -> bool:
    """Dead, and only not waited for yet."""
    try:
        told = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return True
    return told.rpartition(")")[2].split()[0] in ("Z", "X")
