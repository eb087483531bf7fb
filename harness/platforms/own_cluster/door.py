"""What customers come in by, closed and seen to be closed.

Closed is each Service behind the owner's Ingress or IngressRoute: its selector gets one more label
that no pod has, so that it has no endpoints, whatever the door is made of. Undone by taking that
label out again. The undo is on disk before the deed, and the selector itself says whose it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import PlatformError
from harness.inputs.odoo_file import OdooOptions
from harness.inputs.own_cluster_file import Door
from harness.platforms.embedded.layout import write_durably
from harness.platforms.embedded.waiting import await_ready
from harness.platforms.kubernetes.client import Cluster, NotThere
from harness.platforms.odoo import rpc
from harness.platforms.odoo.rpc import How

CLOSED = "peakdrill.dev/closed"  # a label that no pod bears
FILE = "door.json"
_TRAEFIK = ("traefik.io/v1alpha1", "traefik.containo.us/v1alpha1")
_KINDS = {"traefik": "ingressroutes", "ingress": "ingresses"}
_ASK_S, _CLOSED_S, _POLL_S = 2.0, 30.0, 0.3
_TURNED_AWAY = re.compile(r"HTTP (403|404|502|503|504)$|Connection refused$|ConnectionRefused")


@dataclass(frozen=True, slots=True)
class OwnDoor:
    cluster: Cluster
    namespace: str
    door: Door
    application: OdooOptions
    file: Path  # the undo

    def services(self) -> tuple[str, ...]:
        """Those behind it. Raises PlatformError where it is not there, or has none of ours."""
        found = sorted(set(_services(self._object(), self.namespace)))
        if not found:
            raise PlatformError(
                f"{self.door.kind} {self.door.name} leads to no Service of namespace "
                f"{self.namespace}",
                next_step="name the one that customers come in by: ingress: name:",
            )
        return tuple(found)

    def close(self, *, queue: bool = False) -> None:
        if queue:
            raise PlatformError("this platform has no queue's door")
        if not self.door.may_close:
            raise PlatformError(
                "nobody said that a drill may close the door",
                next_step="ingress: may_close: true in platform.yaml",
            )
        services = self.services()
        for name in services:
            self._refuse_unselective(name)
        write_durably(self.file, json.dumps(sorted({*services, *self._held()})))
        for name in services:
            self._select(name, "true")
        await_ready("the closed door", self.is_closed, within_s=_CLOSED_S, poll_s=_POLL_S)

    def open(self) -> None:
        """Harmless when it is open, and only what a drill has closed."""
        held = self._held()
        for name in held:
            self._select(name, None)
        self.file.unlink(missing_ok=True)
        if held:
            await_ready("the open door", self.is_open, within_s=_CLOSED_S, poll_s=_POLL_S)

    def is_held(self) -> bool:
        """A drill, alive or dead, has it closed."""
        return self.file.exists()

    def is_closed(self) -> bool:
        """No endpoints by the API's word, and turned away from outside: both."""
        if any(self._has_endpoints(name) for name in self.services()):
            return False
        told = rpc.version(self.application, timeout_s=_ASK_S)
        return told.how is How.FAILED and bool(_TURNED_AWAY.search(told.why))

    def is_open(self) -> bool:
        return rpc.version(self.application, timeout_s=_ASK_S).answered

    def _held(self) -> tuple[str, ...]:
        """Raises PlatformError for an undo that cannot be read: nobody guesses one."""
        try:
            told = json.loads(self.file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return ()
        except (OSError, ValueError) as error:
            raise PlatformError(
                f"what is closed cannot be read: {self.file}: {error}",
                next_step=f"take {CLOSED} out of the selector of the Services, delete that file",
            ) from error
        return tuple(str(name) for name in told)

    def _select(self, service: str, value: str | None) -> None:
        path = f"/api/v1/namespaces/{self.namespace}/services/{service}"
        try:
            self.cluster.patch(path, {"spec": {"selector": {CLOSED: value}}})
        except NotThere:
            if value is not None:
                raise

    def _refuse_unselective(self, service: str) -> None:
        """Endpoints that somebody wrote by hand would be gone for good: no undo knows them."""
        found = self.cluster.get(f"/api/v1/namespaces/{self.namespace}/services/{service}")
        selector = (found.get("spec") or {}).get("selector") or {}
        if not set(selector) - {CLOSED}:
            raise PlatformError(
                f"Service {service} has no selector: it cannot be closed by one",
                next_step="ingress: may_close: false in platform.yaml",
            )

    def _has_endpoints(self, service: str) -> bool:
        found = self.cluster.find(f"/api/v1/namespaces/{self.namespace}/endpoints/{service}")
        return any(subset.get("addresses") for subset in (found or {}).get("subsets") or ())

    def _object(self) -> Mapping[str, Any]:
        plural = _KINDS[self.door.kind]
        for version in self._versions():
            path = f"/apis/{version}/namespaces/{self.namespace}/{plural}/{self.door.name}"
            found: Mapping[str, Any] | None = self.cluster.find(path)
            if found is not None:
                return found
        raise PlatformError(
            f"no {self.door.kind} {self.door.name} in namespace {self.namespace}",
            next_step=f"`kubectl -n {self.namespace} get {plural}`; mend ingress: in platform.yaml",
        )

    def _versions(self) -> tuple[str, ...]:
        return _TRAEFIK if self.door.kind == "traefik" else ("networking.k8s.io/v1",)


def _services(found: Mapping[str, Any], namespace: str) -> Iterator[str]:
    """Of an Ingress or an IngressRoute, those of its own namespace."""
    spec = found.get("spec") or {}
    for route in spec.get("routes") or ():
        for service in route.get("services") or ():
            plain = service.get("kind", "Service") == "Service"
            if plain and service.get("namespace", namespace) == namespace:
                yield str(service["name"])
    paths = [
        path
        for rule in spec.get("rules") or ()
        for path in (rule.get("http") or {}).get("paths") or ()
    ]
    backends = [path.get("backend") or {} for path in paths] + [spec.get("defaultBackend") or {}]
    for backend in backends:
        if name := (backend.get("service") or {}).get("name"):
            yield str(name)
