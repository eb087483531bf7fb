"""Somebody's own stack in a cluster as a drill sees it. `down` only forgets it."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from pathlib import Path

from harness.core.plan import Plan, PlatformFacts
from harness.errors import PlatformError, Refused
from harness.faults import journal
from harness.inputs.own_cluster_file import OwnClusterOptions
from harness.platforms.capabilities import Endpoints, Wholeness
from harness.platforms.kubernetes import hooks
from harness.platforms.kubernetes.client import Cluster, connect
from harness.platforms.kubernetes.faults import KubernetesFaults
from harness.platforms.kubernetes.finding import found_in
from harness.platforms.kubernetes.nodes import KubernetesNodes
from harness.platforms.odoo import platform as odoo
from harness.platforms.odoo.commands import OdooCommands
from harness.platforms.odoo.detect import detect
from harness.platforms.own_cluster import facts, whole
from harness.platforms.own_cluster import state as states
from harness.platforms.own_cluster.credentials import OwnCredentials
from harness.platforms.own_cluster.database import OwnDatabase
from harness.platforms.own_cluster.documents import PodDocuments
from harness.platforms.own_cluster.door import FILE as DOOR_FILE
from harness.platforms.own_cluster.door import OwnDoor
from harness.platforms.own_cluster.faults import faults
from harness.platforms.own_cluster.leaders import Leaders
from harness.platforms.own_cluster.nodes import OwnStanding
from harness.platforms.own_cluster.pods import APPLICATION, DATABASE, OwnPods
from harness.platforms.own_cluster.state import Kept

_PLACES = "places.json"


class OwnClusterPlatform:
    """One stack that a drill has, as its folder keeps it."""

    backups = secrets = audit = clean_room = None
    isolation = None
    undo_lease_s = 15.0

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    @property
    def directory(self) -> Path:
        return self._directory

    @property
    def is_kept(self) -> bool:
        """Whether a drill has taken it up and not let go."""
        return (self._directory / states.FILE).exists()

    @cached_property
    def kept(self) -> Kept:
        return states.load(self._directory)

    @property
    def options(self) -> OwnClusterOptions:
        return self.kept.options

    @cached_property
    def cluster(self) -> Cluster:
        """The one that it was found in, whatever the current context is now."""
        where = self.kept.found.where
        return connect(where.context, where.kubeconfig)

    @property
    def pods(self) -> OwnPods:
        return OwnPods(self.cluster, self.options)

    @property
    def database(self) -> OwnDatabase:
        return OwnDatabase(Leaders(self.pods))

    @property
    def standing(self) -> OwnStanding:
        return OwnStanding(self.pods, self._directory / _PLACES)

    @property
    def nodes(self) -> KubernetesNodes | None:
        options = self.options
        if options.nodes is None:
            return None
        return KubernetesNodes(
            cluster=self.cluster,
            site=self.standing,
            hooks=options.nodes,
            folder=options.folder,
            log=self._directory / hooks.LOG,
            leader=self.database.leader,
            rejoined=lambda: self.database.protected().whole,
            members=self.standing.members(),
        )

    @property
    def cluster_faults(self) -> KubernetesFaults | None:
        """None while nobody has taken it up: it is not known yet where it is."""
        if not self.is_kept:
            return None
        return faults(self.pods, Leaders(self.pods), self._directory.name)

    @property
    def ingress(self) -> OwnDoor | None:
        options = self.options
        if options.door is None:
            return None
        file = self._directory / DOOR_FILE
        return OwnDoor(self.cluster, options.namespace, options.door, options.application, file)

    @property
    def filestore(self) -> PodDocuments | None:
        where = self.options.documents_in_pod
        return PodDocuments(self.pods, where) if where else None

    @property
    def credentials(self) -> OwnCredentials:
        """Beside the capability `secrets`, which knows what can leak, and where it was used."""
        return OwnCredentials(self.cluster, self.options.namespace, self.options.credentials)

    @property
    def commands(self) -> OdooCommands | None:
        if not self.options.application.faults:
            return None
        return OdooCommands(self._directory, self.kept.application)

    def facts(self) -> PlatformFacts:
        return facts.facts(self.options, self.kept)

    def endpoints(self) -> Endpoints:
        return odoo.endpoints(self.kept.application)

    def whole(self) -> Wholeness:
        return whole.look(
            self.kept.application, self.endpoints(), self.database, self.standing, self.ingress
        )

    def take_up(self, options: OwnClusterOptions) -> None:
        """Ask it what it is, and keep that. Raises Refused and PlatformError; nothing is kept."""
        kept = found(options)
        states.save(self._directory, kept)
        vars(self).pop("kept", None)
        vars(self).pop("cluster", None)

    def refuse_unserved(self, plan: Plan) -> None:
        """Raises Refused where a workload, or the fault that is asked for, is not offered."""
        odoo.refuse_unserved_by(self.kept.application, plan)

    def mend(self) -> list[str]:
        """What is no fault of the journal's: a door that a killed drill has closed."""
        door = self.ingress
        if door is None or not door.is_held():
            return []
        door.open()
        return [f"the door {door.door.name} is open again"]

    def down(self) -> None:
        """Forget it, unless something is still to be undone. It runs on as it did."""
        held = (self._directory / DOOR_FILE).exists()
        if not held and not journal.scan(self._directory)[0]:
            states.forget(self._directory)


def found(options: OwnClusterOptions) -> Kept:
    """The stack, asked what it is; every selector has to mean something. Raises Refused."""
    cluster = connect(options.context)
    in_cluster = found_in(cluster)
    pods = OwnPods(cluster, options)
    for part in (APPLICATION, DATABASE):
        try:
            pods.some(part)
        except PlatformError as error:  # nothing was touched yet
            raise Refused(error.what, next_step=error.next_step) from error
    application = detect(options.application)
    kind = "shop" if application.stand_in else "odoo"
    if kind != options.kind:
        told = "peakdrill's stand-in" if application.stand_in else "an Odoo"
        raise Refused(
            f"{options.application.url} is {told}, and platform.yaml says kind: {options.kind}",
            next_step=f"say application: kind: {kind}",
        )
    return Kept(replace(options, disposable=True), application, in_cluster)


def at(options: OwnClusterOptions) -> OwnClusterPlatform:
    """The one that is described, in its folder; nothing is asked of it yet.

    Raises Refused unless it may be broken.
    """
    if not options.disposable:
        raise Refused(
            f"namespace {options.namespace} is not declared disposable: a drill breaks it while "
            "it trades, and leaves the drill's own orders in it",
            next_step="drill a copy, with `disposable: true` in platform.yaml; for production an "
            "allowance of two named people with a stated blast radius is needed: a game day",
        )
    directory = states.directory_of(options)
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    return OwnClusterPlatform(directory)


def attach(directory: Path) -> OwnClusterPlatform:
    """The one that is kept in a folder. Raises Refused where none is."""
    states.load(directory)
    return OwnClusterPlatform(directory.absolute())


def known() -> tuple[OwnClusterPlatform, ...]:
    """Every one that a drill, alive or dead, has not let go of."""
    return tuple(OwnClusterPlatform(directory) for directory in states.known())
