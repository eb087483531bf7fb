"""The platform of containers as a drill sees it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from harness.core.plan import PlatformFacts
from harness.inputs.containers_file import KIND, ODOO, ContainersOptions
from harness.platforms.capabilities import Endpoints, Wholeness
from harness.platforms.containers import (
    backups,
    capabilities,
    clearing,
    databases,
    images,
    names,
    state,
    whole,
)
from harness.platforms.containers.isolation import ContainerIsolation
from harness.platforms.containers.nodes import ContainerNodes
from harness.platforms.containers.own_database import OwnDatabase
from harness.platforms.containers.rooms import ContainerRooms
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
from harness.platforms.odoo.platform import PROVEN
from harness.platforms.reference import audit, endpoints, filestore, ingress, secrets
from harness.platforms.reference.backups import ReferenceBackups
from harness.platforms.reference.clean_room import ReferenceCleanRoom

_NOTES = (
    "process death, not power loss: the page cache survives",
    "one machine; store, ingress, queue, partners, consensus and keeper are never killed",
    "a part that crashes is started again by Docker; one that a drill killed is not",
)


class ContainersPlatform:
    """One platform that is up, whichever command started it."""

    commands = None

    def __init__(self, layout: Layout) -> None:
        self._base = Layout(layout.root)

    @property
    def directory(self) -> Path:
        return self._base.root

    @property
    def nodes(self) -> ContainerNodes:
        return ContainerNodes(self._site)

    @property
    def isolation(self) -> ContainerIsolation:
        return ContainerIsolation(self._site)

    @property
    def database(self) -> PatroniDatabase | OwnDatabase:
        return databases.of(self._site)

    @property
    def backups(self) -> ReferenceBackups | None:
        now = self._state
        return None if self._lacks("backups") else backups.backups(self._layout, now)

    @property
    def ingress(self) -> Doors:
        now = self._state
        return ingress.ingress(self._layout, now.ports, self._site, now.options.application.health)

    @property
    def filestore(self) -> MirroredFilestore:
        return filestore.filestore(self._layout, self._state.ports, self._site)

    @property
    def secrets(self) -> RotatedSecrets | None:
        now = self._state
        if self._lacks("secrets"):
            return None
        return secrets.secrets(self._layout, now.ports, now.asked, self._site)

    @property
    def audit(self) -> PlatformAudit | None:
        if self._lacks("audit"):
            return None
        return audit.audit(self._layout, self._state.ports, self._site)

    @property
    def clean_room(self) -> ReferenceCleanRoom | None:
        lacks = self._lacks("clean-room")
        return None if lacks else ReferenceCleanRoom(ContainerRooms(self._base))

    def facts(self) -> PlatformFacts:
        now = self._state
        return facts(now.options, now.versions)

    def endpoints(self) -> Endpoints:
        now = self._state
        found = endpoints.endpoints(self._layout, now.ports, now.asked)
        if now.options.application.is_role:
            return found
        found = replace(found, kind=now.options.application.kind)
        if "cache" in capabilities.lacking(now.options):
            found = replace(found, queue_url="", queue_inside_url="", queue_password_file=None)
        if "integrations" in capabilities.lacking(now.options):
            found = replace(found, partners_url="")
        return found

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
            "containers": {n: self._site.container(n) for n in names.ALL},
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
        clearing.remove(self._base)

    @property
    def _state(self) -> State:
        return state.load(self._base)

    @property
    def _layout(self) -> Layout:
        """Of the environment that serves."""
        return state.serving(self._base)

    def _lacks(self, capability: str) -> bool:
        return capability in capabilities.lacking(self._state.options)

    @property
    def _site(self) -> ContainersSite:
        return ContainersSite(self._layout, self._state.ports)


def facts(options: ContainersOptions, versions: tuple[tuple[str, str], ...] = ()) -> PlatformFacts:
    """What it says of itself; before one is started, as the images on this machine are."""
    asked = options.application
    stand_in, ours = images.is_reference(options), options.database.is_role
    return PlatformFacts(
        name=KIND,
        kind=asked.kind,
        heading="stand-in application" if stand_in else options.images.application,
        disposable=True,
        capabilities=capabilities.had(options),
        versions=versions or images.versions_if_known(options),
        loops_s=(
            *((("patroni loop_wait", float(patroni.LOOP_WAIT_S)),) if ours else ()),
            ("traefik health interval", doors.INTERVAL_S),
        ),
        notes=(*_NOTES, *_notes(options)),
        unproven=_unproven(options),
    )


def _notes(options: ContainersOptions) -> tuple[str, ...]:
    copies = "synchronous" if options.synchronous else "asynchronous"
    is_odoo = options.application.kind == ODOO
    spoken = (f"the application is an Odoo {options.dialect}",) if is_odoo else ()
    if options.database.is_role:
        return (*spoken, f"{copies} replication, Patroni ttl {options.leader_ttl_s} s")
    return (*spoken, f"{copies} replication, looked after by the database's own image")


def _unproven(options: ContainersOptions) -> tuple[str, ...]:
    """What no whole drill has been run against: a version of Odoo, a program beside the nodes."""
    is_odoo = options.application.kind == ODOO
    found = (f"Odoo {options.dialect}",) if is_odoo and options.dialect not in PROVEN else ()
    beside = (("cache", options.cache), ("ingress", options.ingress))
    return (
        *found,
        *(f"{part}: its image's own program" for part, run in beside if not run.is_role),
    )
