"""The platform of containers as a drill sees it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from harness.core.plan import PlatformFacts
from harness.inputs.containers_file import KIND, ContainersOptions
from harness.platforms.capabilities import Endpoints, Wholeness
from harness.platforms.containers import backups, clearing, images, names, state, whole
from harness.platforms.containers.isolation import ContainerIsolation
from harness.platforms.containers.nodes import ContainerNodes
from harness.platforms.containers.site import ContainersSite
from harness.platforms.containers.state import State
from harness.platforms.embedded import credentials, patroni
from harness.platforms.embedded import ingress as doors
from harness.platforms.embedded.audit import PlatformAudit
from harness.platforms.embedded.database import PatroniDatabase
from harness.platforms.embedded.doors import Doors
from harness.platforms.embedded.layout import Layout
from harness.platforms.embedded.mirror import MirroredFilestore
from harness.platforms.embedded.rotation import RotatedSecrets
from harness.platforms.isolation import DISCONNECT, PAUSE
from harness.platforms.reference import audit, database, endpoints, filestore, ingress, secrets
from harness.platforms.reference.backups import ReferenceBackups

_CAPABILITIES = (
    "nodes", "database", "database.standby", "database.damage", "ingress", "application",
    "filestore", "cache", "integrations", "backups", "secrets", "audit", PAUSE, DISCONNECT,
)  # fmt: skip
_NOTES = (
    "process death, not power loss: the page cache survives",
    "one machine; store, ingress, queue, partners, consensus and keeper are never killed",
    "a part that crashes is started again by Docker; one that a drill killed is not",
)


class ContainersPlatform:
    """One platform that is up, whichever command started it."""

    commands = clean_room = None

    def __init__(self, layout: Layout) -> None:
        self._layout = layout

    @property
    def directory(self) -> Path:
        return self._layout.root

    @property
    def nodes(self) -> ContainerNodes:
        return ContainerNodes(self._site)

    @property
    def isolation(self) -> ContainerIsolation:
        return ContainerIsolation(self._site)

    @property
    def database(self) -> PatroniDatabase:
        now = self._state
        return database.database(self._layout, now.ports, now.asked, self._site)

    @property
    def backups(self) -> ReferenceBackups:
        return backups.backups(self._layout, self._state)

    @property
    def ingress(self) -> Doors:
        return ingress.ingress(self._layout, self._state.ports, self._site)

    @property
    def filestore(self) -> MirroredFilestore:
        return filestore.filestore(self._layout, self._state.ports, self._site)

    @property
    def secrets(self) -> RotatedSecrets:
        now = self._state
        return secrets.secrets(self._layout, now.ports, now.asked, self._site)

    @property
    def audit(self) -> PlatformAudit:
        return audit.audit(self._layout, self._state.ports, self._site)

    def facts(self) -> PlatformFacts:
        now = self._state
        return facts(now.options, now.versions)

    def endpoints(self) -> Endpoints:
        now = self._state
        found = endpoints.endpoints(self._layout, now.ports, now.asked)
        return replace(found, kind=now.options.application.kind)

    def whole(self) -> Wholeness:
        return whole.look(self._layout, self._state)

    def status(self) -> dict[str, object]:
        """For `--json`: every endpoint and container, no secret."""
        now, known, seen = self._state, self.endpoints(), self.whole()
        files = credentials.files_of(self._layout)
        return {
            "platform": KIND,
            "id": now.platform_id,
            "directory": str(self.directory),
            "phase": now.phase,
            "whole": seen.whole,
            "missing": list(seen.missing),
            "leader": self.database.leader(),
            "containers": {n: names.container(now.platform_id, n) for n in names.ALL},
            "application": {
                "url": known.application_url,
                "database": known.database,
                "login": known.login,
                "password_file": str(known.password_file),
            },
            "database": {"dsn": known.dsn, "superuser_dsn": self.database.superuser_dsn()},
            "s3": {"url": known.s3_url, "credentials_file": str(files.aws_credentials)},
            "queue": {"url": known.queue_url, "password_file": str(known.queue_password_file)},
            "partners": {"url": known.partners_url},
            "ports": now.ports.named(),
            "versions": dict(now.versions),
        }

    def down(self) -> None:
        """Remove every container, volume and network of it, and the folder. Harmless when gone."""
        clearing.remove(self._layout)

    @property
    def _state(self) -> State:
        return state.load(self._layout)

    @property
    def _site(self) -> ContainersSite:
        return ContainersSite(self._layout, self._state.ports)


def facts(options: ContainersOptions, versions: tuple[tuple[str, str], ...] = ()) -> PlatformFacts:
    """What it says of itself; before one is started, as the images on this machine are."""
    asked = options.application
    copies = "synchronous" if options.synchronous else "asynchronous"
    stand_in = images.is_reference(options)
    return PlatformFacts(
        name=KIND,
        kind=asked.kind,
        heading="stand-in application" if stand_in else options.images.application,
        disposable=True,
        capabilities=_CAPABILITIES,
        versions=versions or images.versions_if_known(options),
        loops_s=(
            ("patroni loop_wait", float(patroni.LOOP_WAIT_S)),
            ("traefik health interval", doors.INTERVAL_S),
        ),
        notes=(*_NOTES, f"{copies} replication, Patroni ttl {options.leader_ttl_s} s"),
    )
