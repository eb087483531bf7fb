"""A second environment in a cluster: a tenant's namespace of its own behind the same edge.

What stands in the edge is started anew, and its Secret holds the new identities alone. The old
namespace keeps its volumes and runs nothing any more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from harness.errors import PlatformError
from harness.platforms.embedded import backup_key, credentials
from harness.platforms.embedded.layout import Layout, load_state, save_state
from harness.platforms.embedded.waiting import await_ready
from harness.platforms.kubernetes import bringing, forwarding, in_common, manifests, objects
from harness.platforms.kubernetes.client import Cluster
from harness.platforms.kubernetes.site import DATABASE, ROUTES, UNDOER, WORKLOADS, KubernetesSite
from harness.platforms.kubernetes.state import Kept
from harness.platforms.kubernetes.witness import Witness
from harness.platforms.reference import member_agent
from harness.platforms.reference.inside.settings import BACKUP_KEY
from harness.platforms.reference.ports import Ports
from harness.platforms.reference.rooms import Serving
from harness.platforms.reference.site import (
    APPLICATION,
    INGRESS,
    KEEPER,
    MEMBERS,
    PARTNERS,
    QUEUE,
    STORE,
)

QUEUE_PORT, APPLICATION_PORT = 6379, 8069
_PLACES = "places.json"
_INSIDE = (DATABASE, APPLICATION, QUEUE, KEEPER)  # of an environment
_OUTSIDE = (STORE, INGRESS, PARTNERS)  # of every environment
_STILL_S, _STAGE_S = 120.0, 90.0


def site_of(cluster: Cluster, kept: Kept, layout: Layout) -> KubernetesSite:
    """The environment of a layout."""
    return KubernetesSite(
        cluster,
        kept.tenant(layout.environment),
        kept.options.edge_namespace,
        layout.home / _PLACES,
        asks_kubelets=not cluster.where.is_pod,
    )


@dataclass(frozen=True, slots=True)
class KubernetesRooms:
    """Of one stack; `directory` is the platform's."""

    directory: Path
    cluster: Cluster
    kept: Kept

    @property
    def base(self) -> Layout:
        return Layout(self.directory)

    def serving(self) -> Serving:
        now = load_state(self.base)
        return Serving(now.environment, Ports.of(now.ports), now.options)

    def site(self, environment: str, ports: Ports) -> KubernetesSite:  # noqa: ARG002  by names
        return site_of(self.cluster, self.kept, Layout(self.directory, environment))

    def queue_port(self, environment: str, ports: Ports) -> int:
        return forwarding.port_to(self.site(environment, ports), QUEUE, QUEUE_PORT)

    def application_port(self, environment: str, ports: Ports) -> int:
        return forwarding.port_to(self.site(environment, ports), APPLICATION, APPLICATION_PORT)

    def stand_still(self) -> None:
        namespace = self.kept.tenant("")
        for part in _INSIDE:
            kind, _ = WORKLOADS[part]
            path = f"/apis/apps/v1/namespaces/{namespace}/{kind}/{part}"
            self.cluster.patch(path, {"spec": {"replicas": 0}})
        await_ready(
            f"the end of every pod in {namespace}",
            lambda: not objects.pods(self.cluster, namespace, objects.PART),
            within_s=_STILL_S, poll_s=0.5, next_step=f"`kubectl -n {namespace} get pods`",
        )  # fmt: skip

    def look_into(self, volume: str, words: Sequence[str], *, within_s: float) -> bytes:
        return Witness(self.cluster, self.kept).look_into(volume, words, within_s=within_s)

    def furnish(self, environment: str) -> Ports:
        layout = Layout(self.directory, environment)
        namespace = self.kept.tenant(environment)
        bringing.claim(self.cluster, self.kept, namespace, bringing.TENANT)
        key = backup_key.load(layout).key.hex()
        told = {**asdict(credentials.load(layout)), BACKUP_KEY: key}
        bringing.bring_secrets(self.cluster, self.kept, told, environment)
        place = manifests.folder(serves_policy_v1=self.cluster.serves("policy", "v1"))
        documents = manifests.for_room(manifests.rendered(place), self.kept, environment)
        bringing.bring(self.cluster, documents)
        site = site_of(self.cluster, self.kept, layout)
        with ThreadPoolExecutor(max_workers=len(_OUTSIDE)) as pool:
            list(pool.map(partial(site.restart, within_s=_STAGE_S), _OUTSIDE))
        for part in (QUEUE, KEEPER):
            _await(f"{part} in {namespace}", partial(_has_no_gap, site, part))
        for member in MEMBERS:
            _await(f"{member} at a standstill", partial(_is_held, site, member))
        return self._ports(namespace)

    def lead(self, environment: str) -> None:
        """The ingress's watcher reads it; the undoer looks after the leases of that namespace."""
        site = self.site(environment, self.serving().ports)
        path = f"/api/v1/namespaces/{site.edge_namespace}/configmaps/{ROUTES}"
        self.cluster.patch(path, {"data": {"tenant": site.namespace}})
        site.begin_restart(UNDOER)

    def become(self, environment: str, ports: Ports, backup_id: str) -> None:
        now = load_state(self.base)
        theirs = replace(now, environment=environment, ports=ports.named(), backup_id=backup_id)
        save_state(self.base, theirs)

    def addresses(self, environment: str) -> tuple[str, ...]:
        """By their selectors: Patroni's own Service keeps the address of a pod that is gone."""
        namespace = self.kept.tenant(environment)
        members = (f"{member}.{namespace}:5432" for member in MEMBERS)
        others = (f"{QUEUE}.{namespace}:{QUEUE_PORT}", f"{APPLICATION}.{namespace}:8069")
        return (*members, *others)

    def shared(self, environment: str) -> tuple[str, ...]:
        return in_common.between(self.cluster, self.kept, environment)

    def _ports(self, namespace: str) -> Ports:
        """As the cluster has chosen them. Raises PlatformError."""
        found: dict[str, int] = {}
        for member in MEMBERS:
            service: Any = self.cluster.get(f"/api/v1/namespaces/{namespace}/services/{member}")
            by_name = {port["name"]: port.get("nodePort") for port in service["spec"]["ports"]}
            for door, name in (("pg", "postgresql"), ("patroni", "patroni")):
                if not by_name.get(name):
                    raise PlatformError(f"Service {member} in {namespace} has no NodePort")
                found[f"{door}_{member.rpartition('-')[2]}"] = int(by_name[name])
        return replace(self.kept.ports, **found)


def _has_no_gap(site: KubernetesSite, part: str) -> bool:
    return not site.gap(part)


def _is_held(site: KubernetesSite, member: str) -> bool:
    try:
        return member_agent.is_held(site, member)
    except PlatformError:  # its pod is just starting
        return False


def _await(what: str, look: Callable[[], bool]) -> None:
    await_ready(what, look, within_s=_STAGE_S, poll_s=0.5, next_step="`kubectl get pods` says why")
