"""A secret of the owner's renewed: a new value in its Secret, and whoever reads it rolled out.

Where the value has to be known elsewhere too (a role's password in the database), the owner's
workloads do that when they start, or it is none to be named here: no password is set by us.
"""

from __future__ import annotations

import base64
import datetime as dt
import secrets
from dataclasses import dataclass
from functools import partial
from typing import Any

from harness.errors import PlatformError
from harness.inputs.own_cluster_file import Credential
from harness.platforms.embedded.waiting import await_ready
from harness.platforms.kubernetes.client import Cluster

_STAMP = "peakdrill.dev/restarted"
_ROLLED_S, _POLL_S = 300.0, 0.5
_BYTES = 24


@dataclass(frozen=True, slots=True)
class OwnCredentials:
    """By the names that platform.yaml gives them."""

    cluster: Cluster
    namespace: str
    named: tuple[Credential, ...]

    def names(self) -> tuple[str, ...]:
        return tuple(one.name for one in self.named)

    def look(self) -> str:
        """That all of it is there; nothing is changed. Raises PlatformError."""
        for one in self.named:
            self._secret(one)
            for workload in one.restart:
                self.cluster.get(self._path(workload))
        return f"can be renewed: {', '.join(self.names())}; not tried"

    def rotate(self, name: str) -> None:
        """Returns once none of its readers runs with the old one. May be repeated."""
        one = next((found for found in self.named if found.name == name), None)
        if one is None:
            raise PlatformError(
                f"platform.yaml names no credential {name!r}",
                next_step=f"one of: {', '.join(self.names()) or 'none'}",
            )
        self._secret(one)
        told = base64.b64encode(secrets.token_urlsafe(_BYTES).encode()).decode()
        path = f"/api/v1/namespaces/{self.namespace}/secrets/{one.secret}"
        self.cluster.patch(path, {"data": {one.key: told}})
        now = f"{dt.datetime.now(dt.UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
        stamp = {"metadata": {"annotations": {_STAMP: now}}}
        for workload in one.restart:
            self.cluster.patch(self._path(workload), {"spec": {"template": stamp}})
        for workload in one.restart:
            await_ready(
                f"the rollout of {workload}",
                partial(self._is_rolled_out, workload),
                within_s=_ROLLED_S,
                poll_s=_POLL_S,
            )

    def _secret(self, one: Credential) -> None:
        path = f"/api/v1/namespaces/{self.namespace}/secrets/{one.secret}"
        if one.key not in (self.cluster.get(path).get("data") or {}):
            raise PlatformError(
                f"Secret {one.secret} in namespace {self.namespace} has no key {one.key}",
                next_step=f"mend credentials: {one.name}: in platform.yaml",
            )

    def _is_rolled_out(self, workload: str) -> bool:
        """All of the newest, all ready, and none of the old ones left."""
        told: Any = self.cluster.get(self._path(workload))
        spec, status = told["spec"], told.get("status") or {}
        wanted = int(spec.get("replicas", 1))
        if status.get("observedGeneration", 0) < told["metadata"]["generation"]:
            return False
        counted = [status.get(key, 0) for key in ("replicas", "updatedReplicas", "readyReplicas")]
        return counted == [wanted] * len(counted)

    def _path(self, workload: str) -> str:
        kind, _, name = workload.partition("/")
        return f"/apis/apps/v1/namespaces/{self.namespace}/{kind}s/{name}"
