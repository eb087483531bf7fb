"""A Traefik that its own image starts: what it reads lies in the folder that it mounts.

Where ours is asked by an exec, this one is only ever told by its file, as Traefik itself has it;
that a door is closed is seen from outside, as everywhere.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from harness.inputs.containers_file import ContainersOptions
from harness.platforms.containers import names, secret_files
from harness.platforms.embedded import ingress
from harness.platforms.embedded.layout import Layout
from harness.platforms.reference.inside.ingress import API_PORT, QUEUE_DOOR_PORT, WEB_PORT
from harness.platforms.reference.site import INGRESS, QUEUE

INSIDE = Path("/secrets")  # mounted like every part's; this one holds no secret
COMMAND = (f"--configFile={INSIDE}/traefik.yml",)
_QUEUE_PORT = 6379


def write_first(layout: Layout, options: ContainersOptions) -> None:
    """What it reads at its start, and the first routes."""
    where = (f":{WEB_PORT}", f":{QUEUE_DOOR_PORT}", f":{API_PORT}")
    static = ingress.configuration(*where, INSIDE / "routes.yml")
    secret_files.write(_folder(layout) / "traefik.yml", static)
    port = options.application.port
    routes = ingress.Routes(
        replicas=tuple(f"http://{replica}:{port}" for replica in names.REPLICAS),
        queue_port=_QUEUE_PORT,
        queue_host=QUEUE,
        health=options.application.health,
    )
    secret_files.write(_routes(layout), ingress.text_of(routes))


def set_doors(layout: Layout, *, closed: bool, queue_closed: bool) -> None:
    now = replace(ingress.load(_routes(layout)), closed=closed, queue_closed=queue_closed)
    secret_files.write(_routes(layout), ingress.text_of(now))


def doors(layout: Layout) -> tuple[bool, bool]:
    """(closed, queue_closed) as last told. Raises PlatformError."""
    now = ingress.load(_routes(layout))
    return now.closed, now.queue_closed


def _folder(layout: Layout) -> Path:
    return secret_files.folder(layout, INGRESS)


def _routes(layout: Layout) -> Path:
    return _folder(layout) / "routes.yml"
