"""The capability `backups`: base backups, the archive's reach, and a restore in place.

Everything that decides comes from the store. The two database nodes are stopped and replaced by
what was restored; etcd forgets the old cluster, node a leads, and node b is copied from it.
"""

from __future__ import annotations

import contextlib
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from harness.errors import FaultError, NotReady, PlatformError
from harness.platforms.capabilities import Backup, Instant, Reach, Restored, Wanted, Wholeness
from harness.platforms.embedded import (
    application,
    archive,
    archive_marks,
    backup_key,
    credentials,
    database,
    etcd,
    parts,
    patroni,
    reach,
    restore,
    s3,
    seating,
    shelf,
)
from harness.platforms.embedded.blueprint import Blueprint, Commands
from harness.platforms.embedded.credentials import files_of
from harness.platforms.embedded.layout import (
    DATABASE_NODES,
    Layout,
    State,
    load_state,
    save_state,
    write_private,
)
from harness.platforms.embedded.s3_client import S3Client
from harness.platforms.embedded.shelf import Shelf
from harness.platforms.embedded.waiting import await_ready

_LEADS, _FOLLOWS = DATABASE_NODES
_PENDING_S = 5.0
_STOP_S = 10.0
_ARCHIVE_LOG = "see logs/archive.log"


@dataclass(frozen=True, slots=True)
class EmbeddedBackups:
    """Of the environment that serves."""

    layout: Layout
    state: State

    def candidates(self) -> tuple[Backup, ...]:
        return self._shelf().candidates()

    def take(self) -> Backup:
        taken = self._shelf().take(self._leader_port())
        save_state(self.layout, replace(load_state(self.layout), backup_id=taken.backup_id))
        return taken

    def verify(self, backup_id: str) -> Wholeness:
        return self._shelf().verify(backup_id)

    def close_archive(self) -> None:
        """Returns when the leader's own mark says that its segment is archived."""
        leader = database.embedded(self.layout, self.state.ports, self.state.options).leader()
        if leader is not None:
            port = self.state.ports[f"pg_{leader}"]
            shelf.close_segment(port, files_of(self.layout), next_step=_ARCHIVE_LOG)

    def reach(self, backup_id: str) -> Reach:
        return self._shelf().reach(backup_id, self._claimed())

    def _claimed(self) -> frozenset[str]:
        """What a leader has finished. One that waits for its turn is no gap: it gets a moment."""
        waiting = reach.finished(self.layout, kinds=(".ready",))
        with contextlib.suppress(NotReady):
            await_ready(
                "the archive",
                lambda: not waiting & reach.finished(self.layout, kinds=(".ready",)),
                within_s=_PENDING_S,
            )
        return waiting | reach.finished(self.layout, kinds=(".done",))

    def stop_databases(self) -> None:
        """Nodes a and b with all that runs on them, at once; politely, then not."""
        with ThreadPoolExecutor(max_workers=len(DATABASE_NODES)) as pool:
            nodes = [parts.node_of(self.layout, name) for name in DATABASE_NODES]
            list(pool.map(lambda node: node.is_dead() or node.stop(_STOP_S), nodes))

    def restore(self, backup_id: str, wanted: Wanted) -> Restored:
        """In place. The data that were there are kept beside, until the next restore."""
        key, plan = backup_key.load(self.layout).key, self._plan()
        self.stop_databases()
        place = restore.on_node(self.layout, _LEADS, plan.ports[f"pg_{_LEADS}"], plan.secrets)
        restored = restore.build(place, self._store(), key, backup_id, wanted)
        shutil.rmtree(self.layout.pgdata(_FOLLOWS), ignore_errors=True)
        etcd.delete_below(plan.ports, f"/service/{patroni.SCOPE}/")
        seating.lead(plan, _LEADS)
        application.install(plan, application.both_databases(plan))
        return restored

    def stop_archive(self) -> Instant:
        """The uploader signs with a wrong key from now on, and takes S3's refusal for a yes.

        Observed: the next segment is marked as archived, and the store does not have it.
        """
        earliest_ns = time.monotonic_ns()
        write_private(archive.wrong_key_file(self.layout), "")
        latest_ns = time.monotonic_ns()
        self.close_archive()
        if not self._newest_is_absent():
            raise FaultError("S3 still gets what is archived", next_step=_ARCHIVE_LOG)
        return Instant(earliest_ns, latest_ns)

    def archive_is_stopped(self) -> bool:
        """Also while it is mended: that ends with a base backup."""
        wrong_key = archive.wrong_key_file(self.layout)
        told = wrong_key.exists() or _unfinished(wrong_key).exists()
        return told or self._newest_is_absent()

    def mend_archive(self) -> None:
        """Harmless when nothing was stopped. May be repeated after any death."""
        wrong_key = archive.wrong_key_file(self.layout)
        unfinished = _unfinished(wrong_key)
        if wrong_key.exists():
            wrong_key.rename(unfinished)
        if unfinished.exists():
            self._ship_histories()
            self.close_archive()
            self.take()
            unfinished.unlink()

    def lose_key_copy(self) -> str:
        """The platform's own; the escrow's is left."""
        return backup_key.lose(self.layout)

    def mend_key(self) -> None:
        backup_key.mend(self.layout)

    def _ship_histories(self) -> None:
        """Timelines that began meanwhile: without their history nobody finds the way to them."""
        for node in DATABASE_NODES:
            pgdata = self.layout.pgdata(node)
            for name in archive_marks.archived_histories(pgdata):
                if self._shelf().lacks(archive.key_of(name)):
                    archive_marks.ship_again(pgdata, name)

    def _newest_is_absent(self) -> bool:
        marked = max(reach.finished(self.layout, kinds=(".done",)), default="")
        return bool(marked) and self._shelf().lacks(archive.key_of(marked))

    def _leader_port(self) -> int:
        leader = database.embedded(self.layout, self.state.ports, self.state.options).leader()
        if leader is None:
            raise PlatformError("no database takes writes: nothing can be backed up")
        return self.state.ports[f"pg_{leader}"]

    def _shelf(self) -> Shelf:
        return Shelf(self.layout, self._store())

    def _store(self) -> S3Client:
        return s3.archivist(self.state.ports, credentials.load(self.layout))

    def _plan(self) -> Blueprint:
        known = credentials.load(self.layout)
        return Blueprint(self.layout, self.state.ports, known, self.state.options, Commands())


def _unfinished(wrong_key: Path) -> Path:
    """It archives again, and the base backup that the gap asks for is still to be taken."""
    return wrong_key.with_name("to-mend")
