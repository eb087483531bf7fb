"""The embedded platform as a drill sees it.

What only some scenarios ask for is loaded when one does: a start waits for no program that it
does not run.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from harness.core.plan import PlatformFacts
from harness.errors import Refused
from harness.platforms.capabilities import Endpoints, Wholeness
from harness.platforms.embedded import (
    credentials,
    database,
    doors,
    ingress,
    life,
    mirror,
    patroni,
    postgres,
    programs,
    s3,
    status,
    whole,
)
from harness.platforms.embedded.backups import EmbeddedBackups
from harness.platforms.embedded.database import PatroniDatabase
from harness.platforms.embedded.doors import Doors
from harness.platforms.embedded.layout import LEADER_TTL_S, Layout, State, load_state
from harness.platforms.embedded.mirror import MirroredFilestore
from harness.platforms.embedded.nodes import EmbeddedNodes

if TYPE_CHECKING:
    from harness.platforms.embedded.audit import PlatformAudit
    from harness.platforms.embedded.clean_room import EmbeddedCleanRoom
    from harness.platforms.embedded.rotation import RotatedSecrets

_CAPABILITIES = (  # what a scenario can ask for
    "nodes", "database", "database.standby", "database.damage", "ingress", "application",
    "filestore", "cache", "integrations", "backups", "secrets", "audit", "clean-room",
)  # fmt: skip
_NOTES = (
    "process death, not power loss: the page cache survives",
    "node c (etcd, S3, ingress, queue, partners, filestore) is never killed",
)


class EmbeddedPlatform:
    """One platform that is up, whichever command started it."""

    commands = None  # it knows its own faults

    def __init__(self, layout: Layout, state: State) -> None:
        self._root = layout.root
        self._given = state

    @property
    def _state(self) -> State:
        """As it is on disk now: a backup or a clean room changes it while others look."""
        try:
            return load_state(Layout(self._root))
        except Refused:
            return self._given

    @property
    def _layout(self) -> Layout:
        """Of the environment that serves."""
        return Layout(self._root, self._state.environment)

    @property
    def directory(self) -> Path:
        return self._root

    @property
    def nodes(self) -> EmbeddedNodes:
        return EmbeddedNodes(self._layout, self._state.ports)

    @property
    def database(self) -> PatroniDatabase:
        return database.embedded(self._layout, self._state.ports, self._state.options)

    @property
    def backups(self) -> EmbeddedBackups:
        return EmbeddedBackups(self._layout, self._state)

    @property
    def ingress(self) -> Doors:
        return doors.embedded(self._layout, self._state.ports)

    @property
    def filestore(self) -> MirroredFilestore:
        store = s3.archivist(self._state.ports, self._secrets())
        return mirror.embedded(self._layout.filestore / postgres.DATABASE, store)

    @property
    def secrets(self) -> RotatedSecrets:
        from harness.platforms.embedded import rotation

        return rotation.embedded(self._layout, self._state.ports, self._state.options)

    @property
    def audit(self) -> PlatformAudit:
        from harness.platforms.embedded import audit

        return audit.embedded(self._layout, self._state.ports)

    @property
    def clean_room(self) -> EmbeddedCleanRoom:
        from harness.platforms.embedded.clean_room import EmbeddedCleanRoom

        return EmbeddedCleanRoom(self._root)

    def facts(self) -> PlatformFacts:
        options = self._state.options
        return facts(synchronous=options.synchronous, leader_ttl_s=options.leader_ttl_s)

    def endpoints(self) -> Endpoints:
        return status.endpoints(self._layout, self._state)

    def whole(self) -> Wholeness:
        return whole.look(self._layout, self._state, self._secrets())

    def status(self) -> dict[str, object]:
        """For `--json`: every endpoint, every pid, no secret."""
        return status.status(self._layout, self._state, self._secrets())

    def down(self) -> None:
        """End every process and remove the folder. Harmless when it is down already."""
        life.remove(Layout(self._root))

    def _secrets(self) -> credentials.Secrets:
        return credentials.load(self._layout)


def facts(*, synchronous: bool = True, leader_ttl_s: int = LEADER_TTL_S) -> PlatformFacts:
    """What this platform says of itself, also before one is started."""
    copies = "synchronous" if synchronous else "asynchronous"
    return PlatformFacts(
        name="embedded",
        kind="shop",
        heading="stand-in application",
        disposable=True,
        capabilities=_CAPABILITIES,
        versions=programs.versions(),
        loops_s=(
            ("patroni loop_wait", float(patroni.LOOP_WAIT_S)),
            ("traefik health interval", ingress.INTERVAL_S),
        ),
        notes=(*_NOTES, f"{copies} replication, Patroni ttl {leader_ttl_s} s"),
    )


def up(directory: Path | None = None, **asked: Unpack[life.Asked]) -> EmbeddedPlatform:
    """Start a platform and return when it is whole: see `life.up`."""
    return EmbeddedPlatform(*life.up(directory, **asked))


def attach(directory: Path) -> EmbeddedPlatform:
    """The platform in a folder. Raises Refused where there is none that lives."""
    return EmbeddedPlatform(*life.attach(directory))


def find() -> EmbeddedPlatform | None:
    """The platform that is up, None when there is none. What a crash left behind is cleared."""
    found = life.find()
    return EmbeddedPlatform(*found) if found else None


def remove(layout: Layout) -> None:
    """Kill every node that lives, then delete the folder."""
    life.remove(layout)
