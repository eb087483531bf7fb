"""Undo leases from outside: taken before a deed, renewed while it holds, given back after.

What they say is harness.platforms.reference.lease; who plays them is the stack's `undoer`.
"""

from __future__ import annotations

import datetime as dt
import os
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass

from kubernetes.client.exceptions import ApiException

from harness.errors import FaultError, PlatformError
from harness.platforms.kubernetes.client import MERGE, Cluster, NotThere
from harness.platforms.reference import lease as leases
from harness.platforms.reference.lease import Step, UndoLease

SEEN_WITHIN_S = 10.0
_POLL_S = 0.1
_QUICK_S = 3.0  # of each call of a renewal: a slow one must not let it run out
_CONFLICT = 409


@dataclass(frozen=True, slots=True)
class Leases:
    """Those of one namespace. `platform`: whose of them are ours."""

    cluster: Cluster
    namespace: str
    platform: str
    duration_s: int
    seen_within_s: float = SEEN_WITHIN_S

    def take(self, name: str, fault: str, run_id: str, steps: tuple[Step, ...]) -> None:
        """Returns once the cluster's keeper says that it has read it.

        Raises FaultError, and leaves none behind, where no keeper does.
        """
        lease = UndoLease(
            name=name,
            namespace=self.namespace,
            fault=fault,
            run_id=run_id,
            platform=self.platform,
            steps=steps,
            duration_s=self.duration_s,
            renewed_utc=_now(),
            holder=f"{socket.gethostname()}/{os.getpid()}",
        )
        folder = leases.path(self.namespace)
        self.cluster.call("POST", folder, body=leases.document(lease))
        try:
            self._await_keeper(name)
        except BaseException:
            self.give_back(name)
            raise

    def renew(self, name: str) -> bool:
        """False where the keeper was quicker, or it is gone: the fault is being undone.

        Raises PlatformError where nobody can tell.
        """
        for _ in range(3):  # the keeper's own word on it may come in between
            found = self._find(name)
            if found is None or found.state != leases.PENDING:
                return False
            try:
                change = leases.renewed(_now(), found.version)
                self.cluster.call(
                    "PATCH", self._path(name), body=change, content=MERGE, within_s=_QUICK_S
                )
            except NotThere:
                return False
            except PlatformError as error:
                if not _is_conflict(error):
                    raise
            else:
                return True
        return False

    def give_back(self, name: str) -> None:
        self.cluster.delete(self._path(name))

    def left_behind(self) -> tuple[UndoLease, ...]:
        """Ours, and those of others that nobody has renewed in time; also what was played."""
        listed = self.cluster.get(leases.path(self.namespace), labelSelector=leases.STATE)
        now = _now()
        found = []
        for item in listed["items"]:
            try:
                lease = leases.read(item)
            except ValueError as error:
                raise FaultError(
                    f"an undo in the cluster cannot be read: {error}",
                    next_step=f"see `kubectl -n {self.namespace} get leases -l {leases.STATE}`",
                ) from error
            if lease.platform == self.platform or now >= lease.expires_utc:
                found.append(lease)
        return tuple(found)

    def _await_keeper(self, name: str) -> None:
        deadline = time.monotonic() + self.seen_within_s
        while True:
            found = self._find(name)
            if found is not None and found.seen_by:
                return
            if time.monotonic() >= deadline:
                raise FaultError(
                    f"nobody in the cluster keeps the undos of namespace {self.namespace}: within "
                    f"{self.seen_within_s:g} s no undoer has read one, so nothing was broken",
                    next_step="see that the Deployment `undoer` is there and ready",
                )
            time.sleep(_POLL_S)

    def _find(self, name: str) -> UndoLease | None:
        try:
            item = self.cluster.get(self._path(name), within_s=_QUICK_S)
        except NotThere:
            return None
        try:
            return leases.read(item)
        except ValueError as error:
            raise FaultError(f"an undo in the cluster cannot be read: {error}") from error

    def _path(self, name: str) -> str:
        return leases.path(self.namespace, name)


def play(lease: UndoLease, how: Callable[[Step, str], None]) -> str:
    """Each of its steps; what was done, as a sentence."""
    for step in lease.steps:
        how(step, lease.name)
    steps = ", ".join(str(step) for step in lease.steps)
    return f"{lease.fault} of run {lease.run_id}, kept in the cluster: {steps}"


def _is_conflict(error: PlatformError) -> bool:
    cause = error.__cause__
    return isinstance(cause, ApiException) and cause.status == _CONFLICT


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
