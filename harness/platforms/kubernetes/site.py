"""Where a reference stack runs, as pods of a cluster: `reference.site.Site` over the API."""

from __future__ import annotations

import base64
import datetime as dt
import json
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import NotReady, PlatformError
from harness.platforms.embedded.layout import write_atomically
from harness.platforms.embedded.waiting import await_ready
from harness.platforms.kubernetes import execution, objects
from harness.platforms.kubernetes.client import Cluster, NotThere, Silent
from harness.platforms.kubernetes.objects import Pod
from harness.platforms.reference.site import (
    APPLICATION,
    INGRESS,
    KEEPER,
    MEMBERS,
    PARTNERS,
    QUEUE,
    STORE,
)

DATABASE = "database"
SECRETS, ROUTES, SETTINGS = "secrets", "routes", "settings"
UNDOER = "undoer"  # plays the undo of whoever breaks something and dies
EDGE_PARTS = (INGRESS, STORE, PARTNERS, UNDOER)
_DEPLOYMENTS, _STATEFULSETS = "deployments", "statefulsets"
WORKLOADS = {  # part -> kind, how many
    DATABASE: (_STATEFULSETS, 2),
    APPLICATION: (_DEPLOYMENTS, 2),
    QUEUE: (_STATEFULSETS, 1),
    KEEPER: (_DEPLOYMENTS, 1),
    INGRESS: (_DEPLOYMENTS, 1),
    STORE: (_STATEFULSETS, 1),
    PARTNERS: (_DEPLOYMENTS, 1),
    UNDOER: (_DEPLOYMENTS, 2),
}
_MEMORY = ("", "-config", "-sync", "-failover", "-failsafe", "-leader")  # of Patroni
_LOG_LINES = "4000"
_STDERR_TOLD = 500
_POLL_S = 0.3


@dataclass(frozen=True, slots=True)
class KubernetesSite:
    """One environment, and what stands outside it. `memory` keeps where the databases were."""

    cluster: Cluster
    namespace: str
    edge_namespace: str
    memory: Path
    asks_kubelets: bool = True  # not from a pod: nodes/proxy is the right to run anything anywhere

    def run(
        self, part: str, words: Sequence[str], *, stdin: bytes = b"", within_s: float = 60.0
    ) -> bytes:
        place = self.place(part)
        ran = execution.run(self.cluster, place, words, stdin=stdin, within_s=within_s)
        if ran.code != 0:
            said = ran.stderr.decode(errors="replace").strip()[-_STDERR_TOLD:]
            raise PlatformError(
                f"{' '.join(words[:4])} in {place} ended with exit code {ran.code}: {said}"
            )
        return ran.stdout

    def is_running(self, part: str) -> bool:
        """By the API's word, on a node that answers."""
        return bool(self.replicas(part))

    def replicas(self, part: str) -> tuple[str, ...]:
        there = [pod for pod in self._pods(part) if pod.running and not pod.leaving]
        alive = {node for node in {pod.node for pod in there} if self.answers(node)}
        return tuple(pod.name for pod in there if pod.node in alive)

    def put_secrets(self, changed: Mapping[str, str]) -> None:
        data = {name: base64.b64encode(text.encode()).decode() for name, text in changed.items()}
        for namespace in (self.namespace, self.edge_namespace):
            self.cluster.patch(f"/api/v1/namespaces/{namespace}/secrets/{SECRETS}", {"data": data})
        self._nudge()

    def restart(self, part: str, *, within_s: float) -> None:
        if part in MEMBERS:
            self._replace(part, within_s)
            return
        self.begin_restart(part)
        self._await(f"the restart of {part}", lambda: not self.gap(part, strict=True), within_s)

    def begin_restart(self, part: str) -> None:
        """Of a part that is no member; nobody waits for its end."""
        now = f"{dt.datetime.now(dt.UTC):%Y-%m-%dT%H:%M:%SZ}-{time.monotonic_ns()}"
        stamp = {"metadata": {"annotations": {"peakdrill.dev/restarted": now}}}
        self.cluster.patch(self._workload(part), {"spec": {"template": stamp}})

    def set_doors(self, *, closed: bool, queue_closed: bool) -> None:
        data = {"closed": _word(closed), "queue_closed": _word(queue_closed)}
        self.cluster.patch(self._routes, {"data": data})

    def doors(self) -> tuple[bool, bool]:
        told = self.cluster.get(self._routes).get("data") or {}
        return _truth(told, "closed"), _truth(told, "queue_closed")

    def logs(self, part: str) -> str:
        told = []
        for pod in self._pods(part):
            path = f"/api/v1/namespaces/{self.namespace_of(pod.part)}/pods/{pod.name}/log"
            query = {"tailLines": _LOG_LINES, "container": pod.part}
            try:
                told.append(self.cluster.text(path, query))
            except (NotThere, Silent):
                told.append(f"(no log of {pod.name}: its node does not answer)\n")
        if not told:
            raise PlatformError(f"no pod of {part} in {self.namespace_of(part)}")
        return "".join(told)

    def forget_cluster(self) -> None:
        folder = f"/api/v1/namespaces/{self.namespace}/endpoints"
        for suffix in _MEMORY:
            self.cluster.delete(f"{folder}/{DATABASE}{suffix}")

    def member_of(self, node: str) -> str:
        if node in MEMBERS:
            return node
        found = [member for member in MEMBERS if self.node_of(member) == node]
        if len(found) != 1:
            raise PlatformError(f"no database member is on node {node}")
        return found[0]

    def node_of(self, member: str) -> str:
        """Where its pod is; while it has none, where it was."""
        pod = objects.pod(self.cluster, self.namespace, member)
        kept = self._remembered()
        if pod is not None and pod.node:
            if kept.get(member) != pod.node:
                write_atomically(self.memory, json.dumps({**kept, member: pod.node}))
            return pod.node
        if member not in kept:
            raise PlatformError(f"no node is known for {member} in {self.namespace}")
        return kept[member]

    def gaps(self) -> tuple[str, ...]:
        """A sentence for each part that is not all there and ready."""
        return tuple(gap for part in WORKLOADS if (gap := self.gap(part)))

    def gap(self, part: str, *, strict: bool = False) -> str:
        """Nothing where every replica is of the newest template and ready.

        Strict: and none of those that are leaving is left.
        """
        _, wanted = WORKLOADS[part]
        told = self.cluster.get(self._workload(part))
        spec, status = told["spec"], told.get("status") or {}
        if status.get("observedGeneration", 0) < told["metadata"]["generation"]:
            return f"{part}: the change is not taken up yet"
        count = int(spec.get("replicas", 1))
        if count != wanted:
            return f"{part}: {count} replicas are asked for, not {wanted}"
        pods = self._pods(part)
        staying = [pod for pod in pods if strict or not pod.leaving]
        for pod in staying:
            if not pod.serves:
                return f"{pod.name} is not ready: {pod.why_not or 'it is leaving'}"
        if len(staying) != wanted or status.get("updatedReplicas", 0) != wanted:
            return f"{part}: {len(staying)} of {wanted} pods are there"
        return ""

    def answers(self, node: str, *, within_s: float = 1.0) -> bool:
        """The node's kubelet, through the API server; in a pod, the API's own word on it."""
        try:
            if not self.asks_kubelets:
                return bool(node) and objects.node_is_ready(self.cluster, node, within_s=within_s)
            path = f"/api/v1/nodes/{node}/proxy/healthz"
            return bool(node) and self.cluster.text(path, within_s=within_s).strip() == "ok"
        except Silent:
            return False

    def namespace_of(self, part: str) -> str:
        """Of a part, or of the pod of that name: a pod bears its part's name before its own."""
        of_edge = any(part == name or part.startswith(f"{name}-") for name in EDGE_PARTS)
        return self.edge_namespace if of_edge else self.namespace

    def _replace(self, name: str, within_s: float) -> None:
        """A pod goes politely, and another one of its name comes."""
        path = f"/api/v1/namespaces/{self.namespace}/pods/{name}"
        old = (self.cluster.find(path) or {}).get("metadata", {}).get("uid", "")
        self.cluster.delete(path)

        def there() -> bool:
            found = self.cluster.find(path)
            return bool(found) and found["metadata"]["uid"] != old and objects.is_ready(found)

        self._await(f"the restart of {name}", there, within_s)

    def _await(self, what: str, look: Callable[[], bool], within_s: float) -> None:
        try:
            await_ready(what, look, within_s=within_s, poll_s=_POLL_S)
        except NotReady as error:
            gaps = "; ".join(self.gaps()) or "every pod is ready now"
            raise NotReady(f"{error.what}: {gaps}") from error

    def place(self, part: str) -> execution.Container:
        """Of the ready ones the first, else one that runs: a held database is not ready."""
        there = [pod for pod in self._pods(part) if pod.running and not pod.leaving]
        if not there:
            raise PlatformError(
                f"no pod of {part} runs in {self.namespace_of(part)}",
                next_step=f"`kubectl -n {self.namespace_of(part)} get pods` says why",
            )
        best = next((pod for pod in there if pod.ready), there[0])
        return execution.Container(self.namespace_of(best.part), best.name, best.part)

    def _pods(self, part: str) -> tuple[Pod, ...]:
        """Of a part, or the one of that name: a member's, or a replica's."""
        if part in WORKLOADS:
            return objects.pods(self.cluster, self.namespace_of(part), f"{objects.PART}={part}")
        found = objects.pod(self.cluster, self.namespace_of(part), part)
        return () if found is None else (found,)

    def _nudge(self) -> None:
        """A kubelet looks at a pod that changed at once, and at its secrets with it."""
        told = {"metadata": {"annotations": {"peakdrill.dev/nudged": str(time.time_ns())}}}
        for namespace in (self.namespace, self.edge_namespace):
            for pod in objects.pods(self.cluster, namespace, objects.PART):
                with suppress(NotThere):
                    self.cluster.patch(f"/api/v1/namespaces/{namespace}/pods/{pod.name}", told)

    def _workload(self, part: str) -> str:
        kind, _ = WORKLOADS[part]
        return f"/apis/apps/v1/namespaces/{self.namespace_of(part)}/{kind}/{part}"

    @property
    def _routes(self) -> str:
        return f"/api/v1/namespaces/{self.edge_namespace}/configmaps/{ROUTES}"

    def _remembered(self) -> dict[str, str]:
        try:
            told = json.loads(self.memory.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return told if isinstance(told, dict) else {}


def _word(value: bool) -> str:
    return "true" if value else "false"


def _truth(told: Mapping[str, Any], key: str) -> bool:
    """Raises PlatformError for anything else: a door of which nothing is known is not open."""
    if told.get(key) not in {"true", "false"}:
        raise PlatformError(f"ConfigMap {ROUTES} says nothing of {key}")
    return bool(told[key] == "true")
