"""The capability `backups` of a reference stack: the embedded platform's, through doors and agents.

Base backups are taken, gated, verified and measured on this side, over the published ports; what
needs a member's own files is asked of its agent. A restore holds both members, builds the data in
the first one's container, lets Patroni forget the old cluster, and has the second copied anew.

The backup key has two copies: the one in the platform's secrets, which the members read, and the
escrow's, which never leaves this machine.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass

from harness.errors import FaultError, NotReady, PlatformError
from harness.platforms.capabilities import Backup, Instant, Reach, Restored, Wanted, Wholeness
from harness.platforms.embedded import archive, backup_key, backup_store, credentials, s3, shelf
from harness.platforms.embedded.credentials import files_of
from harness.platforms.embedded.database import PatroniDatabase
from harness.platforms.embedded.layout import Layout, Options
from harness.platforms.embedded.shelf import Shelf
from harness.platforms.embedded.waiting import await_ready
from harness.platforms.reference import member_agent
from harness.platforms.reference.database import database
from harness.platforms.reference.inside import archive_fault
from harness.platforms.reference.inside.settings import BACKUP_KEY
from harness.platforms.reference.member_agent import Marks
from harness.platforms.reference.ports import Ports
from harness.platforms.reference.site import APPLICATION, MEMBERS, Site

_LEADS, _FOLLOWS = MEMBERS
_PENDING_S = 5.0
_LEADER_S = 120.0
_INSTALL_S = 120.0
_LOGS = "see the members' logs"
_LOST = "lost"  # what stands in a copy's place: no key
_INSTALL = ("python3", "-m", "harness.platforms.reference.inside", "install")


@dataclass(frozen=True, slots=True)
class ReferenceBackups:
    """`taken` is told of each base backup that passed its gates."""

    layout: Layout
    ports: Ports
    options: Options
    site: Site
    taken: Callable[[str], None]

    def candidates(self) -> tuple[Backup, ...]:
        return self._shelf().candidates()

    def take(self) -> Backup:
        """Raises PlatformError when a gate says no, or nobody leads."""
        leader = self._database().leader()
        if leader is None:
            raise PlatformError("no database takes writes: nothing can be backed up")
        made = self._shelf().take(self._port_of(leader))
        self.taken(made.backup_id)
        return made

    def verify(self, backup_id: str) -> Wholeness:
        return self._shelf().verify(backup_id)

    def close_archive(self) -> None:
        leader = self._database().leader()
        if leader is not None:
            shelf.close_segment(self._port_of(leader), files_of(self.layout), next_step=_LOGS)

    def reach(self, backup_id: str) -> Reach:
        return self._shelf().reach(backup_id, self._claimed())

    def stop_databases(self) -> None:
        """Both at once. Harmless when they are held. Raises PlatformError."""
        with ThreadPoolExecutor(max_workers=len(MEMBERS)) as pool:
            list(pool.map(lambda member: member_agent.hold(self.site, member), MEMBERS))

    def restore(self, backup_id: str, wanted: Wanted) -> Restored:
        """In place. The data that were there are kept beside, until the next restore.

        May be repeated after any death: until its end, the members are held or have data that
        are whole. Raises PlatformError; for a backup that is not ours before anything stands still.
        """
        restored = self.rebuild(backup_key.load(self.layout).key, backup_id, wanted)
        self.install()
        return restored

    def rebuild(self, key: bytes, backup_id: str, wanted: Wanted) -> Restored:
        """The databases alone, from a backup that was sealed with `key`."""
        known = credentials.load(self.layout)
        backup_store.record_of(self._shelf().store, key, backup_id)
        self.stop_databases()
        order = {
            "backup_id": backup_id, **asdict(wanted), "backup_key": key.hex(),
            "secrets": asdict(known),
        }  # fmt: skip
        restored = member_agent.restore(self.site, _LEADS, json.dumps(order).encode())
        member_agent.wipe(self.site, _FOLLOWS)  # before anybody can take it for the newest
        self.site.forget_cluster()
        member_agent.release(self.site, _LEADS)
        self._await_leader()
        member_agent.release(self.site, _FOLLOWS)
        return restored

    def install(self) -> None:
        """What was restored is brought up to the application and the secrets of now."""
        self.site.run(APPLICATION, _INSTALL, stdin=b"{}", within_s=_INSTALL_S)

    def stop_archive(self) -> Instant:
        """On both members, whoever leads next. Observed: what is marked is not in the store."""
        earliest_ns = time.monotonic_ns()
        for member in MEMBERS:
            member_agent.archive(self.site, member, "begin")
        latest_ns = time.monotonic_ns()
        self.close_archive()
        if not self._newest_is_absent():
            raise FaultError("S3 still gets what is archived", next_step=_LOGS)
        return Instant(earliest_ns, latest_ns)

    def archive_is_stopped(self) -> bool:
        """Also while it is mended: that ends with a base backup."""
        told = {member_agent.archive(self.site, member, "state") for member in MEMBERS}
        return told != {archive_fault.NONE} or self._newest_is_absent()

    def mend_archive(self) -> None:
        """Harmless when nothing was stopped. May be repeated after any death."""
        states = {member_agent.archive(self.site, member, "mend") for member in MEMBERS}
        if states == {archive_fault.NONE}:
            return
        self._ship_histories()
        self.close_archive()
        self.take()
        for member in MEMBERS:
            member_agent.archive(self.site, member, "end")

    def lose_key_copy(self) -> str:
        """The members' own; the escrow's is left. They go on with what they remember."""
        lost = backup_key.lose(self.layout)
        self.site.put_secrets({BACKUP_KEY: _LOST})
        return lost

    def mend_key(self) -> None:
        backup_key.mend(self.layout)
        word = backup_key.load(self.layout).key.hex()
        self.site.put_secrets({BACKUP_KEY: word})

    def _claimed(self) -> frozenset[str]:
        """What a leader has finished. One that waits for its turn is no gap: it gets a moment."""
        waiting = self._marks().ready
        with contextlib.suppress(NotReady):
            await_ready(
                "the archive",
                lambda: not waiting & self._marks().ready,
                within_s=_PENDING_S,
                poll_s=0.5,
            )
        return waiting | self._marks().done

    def _marks(self) -> Marks:
        """Of the members that led last: a standby marks as done what it was copied with."""
        found = member_agent.every_marks(self.site, MEMBERS)
        led = [marks for marks in found if marks.led]
        return Marks.together(led or found)

    def _ship_histories(self) -> None:
        """Timelines that began meanwhile: without their history nobody finds the way to them."""
        for member in MEMBERS:
            for name in member_agent.marks(self.site, member).histories:
                if self._shelf().lacks(archive.key_of(name)):
                    member_agent.ship(self.site, member, name)

    def _newest_is_absent(self) -> bool:
        newest = max(self._marks().done, default="")
        return bool(newest) and self._shelf().lacks(archive.key_of(newest))

    def _await_leader(self) -> None:
        leads = self.site.node_of(_LEADS)
        await_ready(
            f"the restored {_LEADS}",
            lambda: self._database().leader() == leads,
            within_s=_LEADER_S,
            poll_s=0.2,
            next_step=_LOGS,
        )

    def _port_of(self, node: str) -> int:
        return self.ports.pg(self.site.member_of(node))

    def _database(self) -> PatroniDatabase:
        return database(self.layout, self.ports, self.options, self.site)

    def _shelf(self) -> Shelf:
        known = credentials.load(self.layout)
        return Shelf(self.layout, s3.archivist(self.ports.named(), known))
