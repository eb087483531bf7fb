"""Where the doors lead, as the cluster says: a ConfigMap, and the ready replicas of a Service.

    ConfigMap `routes`      tenant: the namespace that serves; closed, queue_closed: "true"|"false"
    Endpoints `application` in the tenant's namespace; a replica that is not ready is not in it

What cannot be read changes nothing: the doors stay as they are, and the log says so once.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from harness.errors import PlatformError
from harness.platforms.embedded.ingress import Routes, save
from harness.platforms.reference.inside.cache import PORT as QUEUE_PORT

LOOK_EVERY_S = 0.3
_FIRST_S = 120.0
_TRUTH = {"true": True, "false": False}


class Asks(Protocol):
    """The cluster's API, as far as it is needed here."""

    def get(self, path: str) -> Any: ...


@dataclass
class Watcher:
    """Writes the routes whenever they are other ones. `namespace` is the ingress's own."""

    api: Asks
    namespace: str
    file: Path
    _written: Routes | None = None

    def look(self) -> bool:
        """Whether the routes changed. Raises PlatformError."""
        wanted = routes_now(self.api, self.namespace)
        if wanted == self._written:
            return False
        save(self.file, wanted)
        self._written = wanted
        replicas = ", ".join(wanted.replicas) or "nobody"
        doors = f"closed {wanted.closed}, the queue's closed {wanted.queue_closed}"
        print(f"ingress: {doors}, to {replicas}", flush=True)
        return True

    def first(self, *, pause: Callable[[float], None] = time.sleep) -> None:
        """Nobody is let in before it is known whether he may. Raises PlatformError."""
        told = ""
        for _ in range(int(_FIRST_S / LOOK_EVERY_S)):
            told = self._try(told)
            if self._written is not None:
                return
            pause(LOOK_EVERY_S)
        raise PlatformError(f"the routes were not told within {_FIRST_S:g} s: {told}")

    def run(self) -> None:
        """Never returns."""
        told = ""
        while True:
            time.sleep(LOOK_EVERY_S)
            told = self._try(told)

    def _try(self, told: str) -> str:
        try:
            self.look()
        except (PlatformError, OSError) as error:
            if str(error) != told:
                print(f"ingress: the routes stay: {error}", file=sys.stderr, flush=True)
            return str(error)
        return ""


def routes_now(api: Asks, namespace: str) -> Routes:
    """What the cluster says. Raises PlatformError where it is not said clearly."""
    told = api.get(f"/api/v1/namespaces/{namespace}/configmaps/routes").get("data") or {}
    tenant = told.get("tenant", "")
    if not tenant:
        raise PlatformError(f"ConfigMap routes in {namespace} names no tenant")
    ready = api.get(f"/api/v1/namespaces/{tenant}/endpoints/application")
    return Routes(
        replicas=addresses_in(ready),
        queue_port=QUEUE_PORT,
        closed=_truth(told, "closed"),
        queue_closed=_truth(told, "queue_closed"),
        queue_host=f"queue.{tenant}",
    )


def addresses_in(endpoints: dict[str, Any]) -> tuple[str, ...]:
    """URLs of those that are ready, in a settled order."""
    return tuple(
        sorted(
            f"http://{address['ip']}:{port['port']}"
            for subset in endpoints.get("subsets") or ()
            for address in subset.get("addresses") or ()
            for port in subset.get("ports") or ()
        )
    )


def _truth(told: dict[str, str], name: str) -> bool:
    value = told.get(name, "")
    if value not in _TRUTH:
        raise PlatformError(f"ConfigMap routes: {name} is {value!r}; wanted: true or false")
    return _TRUTH[value]
