"""A platform that is nothing but a namespace of a real cluster: what faults in it need.

Everything that another process has to know lies in its directory.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from harness.core.plan import PlatformFacts
from harness.platforms.capabilities import Endpoints, Wholeness
from harness.platforms.kubernetes.client import Cluster, connect
from harness.platforms.kubernetes.faults import KubernetesFaults, Scope

_SAYS = "platform.json"


class ClusterPlatform:
    nodes = database = backups = ingress = filestore = secrets = audit = clean_room = None
    commands = isolation = None

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    @classmethod
    def up(
        cls, directory: Path, *, kubeconfig: str, namespace: str, lease_s: int, seen_within_s: float
    ) -> ClusterPlatform:
        directory.mkdir()
        says = {
            "kubeconfig": kubeconfig, "namespace": namespace, "lease_s": lease_s,
            "seen_within_s": seen_within_s,
        }  # fmt: skip
        (directory / _SAYS).write_text(json.dumps(says))
        return cls(directory)

    @property
    def directory(self) -> Path:
        return self._directory

    @property
    def cluster_faults(self) -> KubernetesFaults:
        says = json.loads((self._directory / _SAYS).read_text())
        scope = Scope(
            says["namespace"], "stand", says["lease_s"], seen_within_s=says["seen_within_s"]
        )
        return KubernetesFaults(_cluster(says["kubeconfig"]), scope)

    def whole(self) -> Wholeness:
        return Wholeness(whole=True)

    def facts(self) -> PlatformFacts:
        raise NotImplementedError

    def endpoints(self) -> Endpoints:
        raise NotImplementedError

    def down(self) -> None:
        raise NotImplementedError


@cache
def _cluster(kubeconfig: str) -> Cluster:
    return connect(kubeconfig=kubeconfig)


def platform_at(directory: Path) -> ClusterPlatform:
    return ClusterPlatform(directory)


def running() -> ClusterPlatform | None:
    return None
