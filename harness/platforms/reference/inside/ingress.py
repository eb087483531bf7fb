"""The role `ingress`: Traefik, and the routes that it watches.

On Kubernetes a watcher beside it writes them; elsewhere the first ones are told by the environment
and an exec (`doors`) changes them. They outlive the container where /data does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from harness.errors import PlatformError
from harness.platforms.embedded import ingress, programs
from harness.platforms.embedded.layout import write_private
from harness.platforms.reference.inside import routing, running
from harness.platforms.reference.inside.account import account
from harness.platforms.reference.inside.settings import FILE, KUBERNETES, Settings

WEB_PORT, QUEUE_DOOR_PORT, API_PORT = 8080, 6380, 8081
_DOORS = ("closed", "queue_closed")


def main(settings: Settings) -> int:
    """Until it is told to end. Raises PlatformError."""
    routes, static = routes_file(settings), settings.data / "traefik.yml"
    if _by_the_cluster(settings):
        watcher = routing.Watcher(account(), settings.text("NAMESPACE"), routes)
        watcher.first()
        running.beside(watcher.run)
    elif not routes.exists():
        ingress.save(routes, first_routes(settings))
    where = (f":{WEB_PORT}", f":{QUEUE_DOOR_PORT}", f":{API_PORT}")
    write_private(static, ingress.configuration(*where, routes))
    return running.run([programs.traefik(), f"--configFile={static}"], home=settings.data)


def routes_file(settings: Settings) -> Path:
    return settings.data / "routes.yml"


def first_routes(settings: Settings) -> ingress.Routes:
    queue = settings.address("QUEUE")
    return ingress.Routes(
        replicas=tuple(f"http://{replica}" for replica in settings.addresses("REPLICAS")),
        queue_port=queue.port,
        queue_host=queue.host,
        health=settings.text("HEALTH", ingress.HEALTH),
    )


def doors(
    settings: Settings, words: Sequence[str], asked: Mapping[str, object]
) -> dict[str, object]:
    """What Traefik is told of the doors, after they were changed as asked. Raises PlatformError."""
    if words or not set(asked) <= set(_DOORS):
        raise PlatformError(f"doors takes nothing but {' and '.join(_DOORS)}, from stdin")
    if not all(isinstance(value, bool) for value in asked.values()):
        raise PlatformError("a door is closed, or it is not: true or false")
    file = routes_file(settings)
    now = ingress.load(file)
    if asked:
        if _by_the_cluster(settings):
            raise PlatformError(
                "the doors of this ingress are the cluster's", next_step="ConfigMap routes"
            )
        closed = {name: bool(value) for name, value in asked.items()}
        now = replace(
            now,
            closed=closed.get("closed", now.closed),
            queue_closed=closed.get("queue_closed", now.queue_closed),
        )
        ingress.save(file, now)
    return {"closed": now.closed, "queue_closed": now.queue_closed}


def _by_the_cluster(settings: Settings) -> bool:
    told = settings.text("ROUTES")
    if told not in {KUBERNETES, FILE}:
        raise PlatformError(f"PEAKDRILL_ROUTES is {told!r}; wanted: {KUBERNETES} or {FILE}")
    return told == KUBERNETES
