"""How somebody's database is backed up: listed, verified and restored by the owner's commands.

CloudNativePG's are objects of the cluster, and can be listed without any command. Nothing here
has ever been run against a real barman-cloud store, CloudNativePG or pgBackRest: it is all named
`unproven` until somebody has.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import FaultError, PlatformError
from harness.inputs.own_cluster_file import BackupHooks
from harness.inputs.own_cluster_model import CNPG_BACKUPS
from harness.platforms.capabilities import Wholeness
from harness.platforms.kubernetes import hooks
from harness.platforms.kubernetes.client import Cluster
from harness.platforms.own_cluster.pods import OwnPods

UNPROVEN = "never run against a real one by anybody"
LOG = "backup-hooks.log"
_OBJECTS = "/apis/postgresql.cnpg.io/v1/namespaces/{}/backups"
_ANY = re.compile(r"\b\d{8}[T-]\d{6}F?(?:_\d{8}-\d{6}[DI])?\b")


@dataclass(frozen=True, slots=True)
class Listed:
    """A backup, as whoever keeps it says; nobody has looked into it."""

    name: str
    is_complete: bool
    taken_utc: str = ""


@dataclass(frozen=True, slots=True)
class OwnBackups:
    pods: OwnPods
    hooks: BackupHooks
    log: Path

    def listed(self) -> tuple[Listed, ...]:
        """Newest first. Raises PlatformError: a store that cannot be asked is no empty one."""
        if self.hooks.by == CNPG_BACKUPS and not self.hooks.list:
            return _objects(self.pods.cluster, self.pods.options.namespace)
        return read_listing(self._run(self.hooks.list, "list"))

    def verify(self, name: str) -> Wholeness:
        """By the owner's command. Raises PlatformError where none is named."""
        try:
            self._run(_words(self.hooks.verify, name), "verify")
        except FaultError as error:
            return Wholeness(False, (error.what,))
        return Wholeness(True)

    def restore(self, name: str, until_utc: str = "") -> None:
        """Over what is there: only the owner's command knows how. Raises FaultError."""
        self._run(_words(self.hooks.restore, name, until_utc), "restore")

    def _run(self, words: Sequence[str], what: str) -> str:
        if not words:
            raise PlatformError(
                f"no command is named that would {what} a backup of {self.hooks.by}",
                next_step=f"backups: {what}: in platform.yaml",
            )
        before = self.log.stat().st_size if self.log.exists() else 0
        folder = self.pods.options.folder
        hooks.Hook(words, folder, self.log, self.hooks.limit_s).wait()
        said = self.log.read_bytes()[before:].decode(errors="replace")
        return said.partition("\n")[2]  # the first line is the command itself


def read_listing(told: str) -> tuple[Listed, ...]:
    """What `barman-cloud-backup-list` and `pgbackrest info` print, as far as it names backups.

    >>> [one.name for one in read_listing("20261127T020000  'nightly'  2026-11-27 02:01:07")]
    ['20261127T020000']
    >>> read_listing("full backup: 20261126-010000F")[0].name
    '20261126-010000F'
    """
    found: dict[str, Listed] = {}
    for line in told.splitlines():
        for name in _ANY.findall(line)[:1]:
            found[name] = Listed(name, "FAILED" not in line and "STARTED" not in line)
    return tuple(sorted(found.values(), key=lambda one: one.name, reverse=True))


def _objects(cluster: Cluster, namespace: str) -> tuple[Listed, ...]:
    found = cluster.find(_OBJECTS.format(namespace))
    if found is None:
        raise PlatformError(
            "this cluster has no CloudNativePG: it does not know the kind Backup",
            next_step="backups: by: in platform.yaml",
        )
    listed = [_listed(item) for item in found["items"]]
    return tuple(sorted(listed, key=lambda one: (one.taken_utc, one.name), reverse=True))


def _listed(item: Mapping[str, Any]) -> Listed:
    status = item.get("status") or {}
    return Listed(
        name=str(item["metadata"]["name"]),
        is_complete=status.get("phase") == "completed",
        taken_utc=str(status.get("stoppedAt") or status.get("startedAt") or ""),
    )


def _words(words: Sequence[str], name: str, until_utc: str = "") -> list[str]:
    return [word.replace("{backup}", name).replace("{until}", until_utc) for word in words]
