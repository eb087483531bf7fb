"""One drill's at a time, also across machines: a Lease in the stack's own namespace.

On one machine the lock in the platform's folder comes first, and dies with its holder. Whoever has
that folder therefore knows that a lease which was taken from there is a dead one's, and takes it
over at once. One of another place is waited out: it is believed dead when it has run out, and
stays as it is for another renewal's time, whatever the two clocks say.
"""

from __future__ import annotations

import datetime as dt
import getpass
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from kubernetes.client.exceptions import ApiException

from harness.errors import PlatformError, Refused
from harness.interrupts import interrupt
from harness.platforms.kubernetes.client import JSON, MERGE, Cluster, NotThere
from harness.platforms.reference import lease as leases

NAME = "peakdrill-drill"
PLACE = "peakdrill.dev/place"
LASTS_S, EVERY_S = 30, 5.0
_QUICK_S = 5.0
_CONFLICT = 409
_TRIES = 3


@dataclass(frozen=True, slots=True)
class Tenancy:
    """Of the stack in a namespace. `mine`: who may take over what a dead one of ours left.

    `lost` is told why the stack is another's while it was held: what is measured from then on is
    two drills' doing, so the run is stopped, and no verdict comes of it.
    """

    cluster: Cluster
    namespace: str
    mine: str
    lasts_s: int = LASTS_S
    every_s: float = EVERY_S
    lost: Callable[[str], object] = interrupt

    @contextmanager
    def held(self) -> Iterator[None]:
        """Raises Refused while a drill of another place has it, PlatformError."""
        if not self._take():
            yield  # the namespace goes, or is gone: nobody can have what is in it
            return
        over = threading.Event()
        thread = threading.Thread(target=self._keep, args=(over,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join(self.every_s)
            with suppress(PlatformError):  # else it runs out by itself
                if self._is_mine(self._find()):
                    self.cluster.delete(self._path)

    def _take(self) -> bool:
        """False where the namespace is gone, or on its way."""
        for _ in range(_TRIES):
            found = self._find()
            try:
                if found is None:
                    body = self._document()
                    self._call("POST", leases.path(self.namespace), body)
                    return True
                if not self._is_mine(found) and not self._is_dead(found):
                    raise self._refused(found)
                body = self._document(found["metadata"]["resourceVersion"])
                self._call("PATCH", self._path, body)
            except NotThere:
                if found is None:
                    return False
            except PlatformError as error:
                if "being terminated" in error.what:
                    return False
                if not _is_conflict(error):
                    raise  # who was quicker is looked at once more
            else:
                return True
        raise Refused(
            f"several drills want the stack in namespace {self.namespace} just now",
            next_step="run again: one of them has it by then",
        )

    def _keep(self, over: threading.Event) -> None:
        """Until it is over, or somebody else's: that one has seen us silent for long enough."""
        while not over.wait(self.every_s):
            with suppress(PlatformError):
                found = self._find()
                if found is None:  # deleted by hand, or with its namespace
                    self._call("POST", leases.path(self.namespace), self._document())
                    continue
                if not self._is_mine(found):
                    self.lost(self._told_lost(found))
                    return
                self._call("PATCH", self._path, {"spec": {"renewTime": _now()}})

    def _told_lost(self, found: Mapping[str, Any]) -> str:
        holder = _printable((found.get("spec") or {}).get("holderIdentity") or "somebody")
        return (
            f"the stack in namespace {self.namespace} is another drill's by now: {holder} took it, "
            f"since it was not told for {self.lasts_s} s that this one lives"
        )

    def _is_mine(self, found: Mapping[str, Any] | None) -> bool:
        says = (found or {}).get("metadata", {}).get("annotations") or {}
        return says.get(PLACE) == self.mine

    def _is_dead(self, found: Mapping[str, Any]) -> bool:
        """It has run out by our clock, and nobody renews it: a clock may be wrong."""
        if dt.datetime.now(dt.UTC) < _expires(found):
            return False
        time.sleep(self.every_s + 1.0)
        again = self._find()
        version = found["metadata"]["resourceVersion"]
        return again is None or again["metadata"]["resourceVersion"] == version

    def _refused(self, found: Mapping[str, Any]) -> Refused:
        spec = found.get("spec") or {}
        holder, since = spec.get("holderIdentity") or "somebody", spec.get("acquireTime") or "?"
        return Refused(
            f"another drill has the stack in namespace {self.namespace} ({self.cluster.where}): "
            f"{_printable(holder)}, since {_printable(since)}",
            next_step="wait for its end; when its machine is dead, its lease runs out by itself "
            f"within {spec.get('leaseDurationSeconds') or self.lasts_s} s",
        )

    def _document(self, version: str = "") -> dict[str, Any]:
        now = _now()
        meta: dict[str, Any] = {"name": NAME, "annotations": {PLACE: self.mine}}
        if version:
            meta["resourceVersion"] = version
        spec = {
            "holderIdentity": _us(), "leaseDurationSeconds": self.lasts_s,
            "acquireTime": now, "renewTime": now,
        }  # fmt: skip
        kind = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease"}
        return {**kind, "metadata": meta, "spec": spec}

    def _find(self) -> dict[str, Any] | None:
        found: dict[str, Any] | None = self.cluster.find(self._path)
        return found

    def _call(self, method: str, path: str, body: Mapping[str, Any]) -> None:
        content = MERGE if method == "PATCH" else JSON
        self.cluster.call(method, path, body=dict(body), content=content, within_s=_QUICK_S)

    @property
    def _path(self) -> str:
        return leases.path(self.namespace, NAME)


def _expires(found: Mapping[str, Any]) -> dt.datetime:
    """One that does not say all of it is believed for as long as nobody touches it: not at all."""
    spec = found.get("spec") or {}
    try:
        renewed = dt.datetime.fromisoformat(str(spec["renewTime"]))
        return renewed + dt.timedelta(seconds=int(spec["leaseDurationSeconds"]))
    except (KeyError, ValueError, TypeError):
        return dt.datetime.min.replace(tzinfo=dt.UTC)


def _now() -> str:
    return leases.spelled(dt.datetime.now(dt.UTC))


def _us() -> str:
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = f"uid {os.getuid()}"
    return f"{name} on {socket.gethostname()}, process {os.getpid()}"


def _printable(told: object) -> str:
    text = str(told)[:200]
    return text if text.isprintable() else repr(text)


def _is_conflict(error: PlatformError) -> bool:
    cause = error.__cause__
    return isinstance(cause, ApiException) and cause.status == _CONFLICT
