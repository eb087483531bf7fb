"""A reference stack in a cluster as a drill sees it."""

from __future__ import annotations

import shutil
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from harness.core.plan import PlatformFacts
from harness.errors import PlatformError
from harness.inputs.kubernetes_file import KubernetesOptions
from harness.platforms.capabilities import Endpoints, Wholeness
from harness.platforms.embedded.audit import PlatformAudit
from harness.platforms.embedded.database import PatroniDatabase
from harness.platforms.embedded.doors import Doors
from harness.platforms.embedded.layout import Layout, State, load_state, save_state
from harness.platforms.embedded.mirror import MirroredFilestore
from harness.platforms.embedded.rotation import RotatedSecrets
from harness.platforms.kubernetes import bringing, forwarding, hooks
from harness.platforms.kubernetes import state as states
from harness.platforms.kubernetes.client import Cluster, Silent, connect
from harness.platforms.kubernetes.facts import facts
from harness.platforms.kubernetes.faults import KubernetesFaults, Scope
from harness.platforms.kubernetes.load_pods import KubernetesLoadPods
from harness.platforms.kubernetes.nodes import KubernetesNodes
from harness.platforms.kubernetes.rooms import QUEUE_PORT, KubernetesRooms, site_of
from harness.platforms.kubernetes.site import KubernetesSite
from harness.platforms.kubernetes.state import Kept
from harness.platforms.kubernetes.status import status
from harness.platforms.reference.audit import audit
from harness.platforms.reference.backups import ReferenceBackups
from harness.platforms.reference.clean_room import ReferenceCleanRoom
from harness.platforms.reference.database import database
from harness.platforms.reference.endpoints import endpoints
from harness.platforms.reference.filestore import filestore
from harness.platforms.reference.ingress import ingress
from harness.platforms.reference.ports import Ports
from harness.platforms.reference.secrets import secrets
from harness.platforms.reference.site import QUEUE
from harness.platforms.reference.whole import look


class KubernetesPlatform:
    """One stack that is up, whichever command brought it."""

    commands = None  # its own faults are known
    isolation = None
    undo_lease_s = 15.0

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._kept, self._given = states.load(directory)

    @property
    def directory(self) -> Path:
        return self._directory

    @property
    def state(self) -> State:
        """As it is on disk now: a backup changes it while others look."""
        return load_state(Layout(self._directory))

    @property
    def kept(self) -> Kept:
        """Whose it is, and of which cluster."""
        return self._kept

    @property
    def options(self) -> KubernetesOptions:
        """As it was asked for."""
        return self._kept.options

    @property
    def layout(self) -> Layout:
        """Of the environment that serves."""
        return Layout(self._directory, self.state.environment)

    @property
    def ports(self) -> Ports:
        """As the environment that serves has them."""
        return Ports.of(self.state.ports)

    @cached_property
    def cluster(self) -> Cluster:
        """The one that it was brought to, whatever the current context is now."""
        where = self._kept.found.where
        return connect(where.context, where.kubeconfig)

    @property
    def site(self) -> KubernetesSite:
        return site_of(self.cluster, self._kept, self.layout)

    @property
    def nodes(self) -> KubernetesNodes | None:
        asked = self._kept.options
        if asked.nodes is None:
            return None
        return KubernetesNodes(
            cluster=self.cluster,
            site=self.site,
            hooks=asked.nodes,
            folder=asked.folder,
            log=self.layout.logs / hooks.LOG,
            leader=self._leader,
            rejoined=self._rejoined,
        )

    @property
    def database(self) -> PatroniDatabase:
        return database(self.layout, self.ports, self._given.options, self.site)

    @property
    def backups(self) -> ReferenceBackups:
        options = self._given.options
        return ReferenceBackups(self.layout, self.ports, options, self.site, self._remember)

    @property
    def secrets(self) -> RotatedSecrets:
        return secrets(self.layout, self.ports, self._given.options, self.site)

    @property
    def audit(self) -> PlatformAudit:
        return audit(self.layout, self.ports, self.site)

    @property
    def cluster_faults(self) -> KubernetesFaults:
        scope = Scope(self.site.namespace, platform=self._kept.owner)
        return KubernetesFaults(self.cluster, scope)

    @property
    def clean_room(self) -> ReferenceCleanRoom | None:
        """None for a stack that was brought from elsewhere: whoever did knows nothing of it."""
        if self._kept.brought_by or self.cluster.where.is_pod:
            return None
        return ReferenceCleanRoom(KubernetesRooms(self._directory, self.cluster, self._kept))

    @property
    def ingress(self) -> Doors:
        return ingress(self.layout, self.ports, self.site)

    @property
    def filestore(self) -> MirroredFilestore:
        return filestore(self.layout, self.ports, self.site)

    @property
    def load_pods(self) -> KubernetesLoadPods:
        site = self.site
        return KubernetesLoadPods(self.cluster, site.edge_namespace, site.namespace)

    def facts(self) -> PlatformFacts:
        return facts(self._kept.options, self._kept.found, adopted=bool(self._kept.brought_by))

    def endpoints(self) -> Endpoints:
        """The queue is reached beside its door by way of the API."""
        found = endpoints(self.layout, self.ports, self._given.options)
        if self.cluster.where.is_pod:
            return found
        beside = forwarding.port_to(self.site, QUEUE, QUEUE_PORT)
        return replace(found, queue_inside_url=f"redis://127.0.0.1:{beside}/0")

    def whole(self) -> Wholeness:
        state = self.state
        return look(self.layout, self.ports, state.options, self.site, state.backup_id)

    @property
    def brought_by(self) -> str:
        """Who brought it from elsewhere; "" where it was brought from here."""
        return self._kept.brought_by

    def down(self, *, brought_elsewhere: bool = False) -> None:
        """Everything that was brought goes, and the folder. Harmless when it is gone.

        What somebody brought from elsewhere is only let go of, unless we are told to end it.
        """
        try:
            if brought_elsewhere or not self._kept.brought_by:
                bringing.take_away(self.cluster, self._kept)
        except Silent as error:
            raise PlatformError(
                error.what,
                next_step=f"start the cluster; if it is gone for ever, delete {self._directory}",
            ) from error
        shutil.rmtree(self._directory, ignore_errors=True)

    def status(self) -> dict[str, object]:
        """For `--json`: every endpoint, pod and node, no secret."""
        return status(self._kept, self.state, self)

    def _remember(self, backup_id: str) -> None:
        save_state(Layout(self._directory), replace(self.state, backup_id=backup_id))

    def _leader(self) -> str | None:
        return self.database.leader()

    def _rejoined(self) -> bool:
        return self.database.protected().whole
