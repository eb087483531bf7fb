"""Is one container ready? Asked through its door, or through whoever has it under watch."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from harness.errors import PlatformError
from harness.platforms.containers import daemon, names, state
from harness.platforms.embedded import web
from harness.platforms.reference.site import INGRESS, KEEPER, MEMBERS, PARTNERS, QUEUE, STORE

if TYPE_CHECKING:
    from harness.platforms.containers.site import ContainersSite

_ROUTED = "/api/http/services/shop@file"
_LISTENS = "import socket; socket.create_connection(('{}', {}), 2).close()"
_ANSWER_S = 10.0


def is_ready(site: ContainersSite, name: str) -> bool:
    """It runs, and does what it is there for."""
    seen = daemon.state_of(site.container(name))
    if not seen.running or seen.paused:
        return False
    ports = site.ports
    if name in MEMBERS:
        return _database_is_ready(site, name)
    if name in names.REPLICAS:
        return name in routed(site)
    if name == INGRESS:
        return web.ask(ports.ingress_api, "/api/overview") is not None
    if name == STORE:
        return web.ask(ports.store, "/") is not None
    if name == PARTNERS:
        return web.ask(ports.partners, "/payment/calls?prefix=none") is not None
    if name == KEEPER:
        return _runs(site, KEEPER, "pass")
    port = {QUEUE: 6379, names.CONSENSUS: 2379}[name]
    return _runs(site, KEEPER, _LISTENS.format(name, port))


def _database_is_ready(site: ContainersSite, name: str) -> bool:
    """Patroni says so; of one that is not ours, PostgreSQL: it takes writes, or follows."""
    if state.load(site.layout).options.database.is_role:
        answer = web.ask(site.ports.patroni(name), "/readiness")
        return answer is not None and answer.status == 200
    from harness.platforms.containers import databases

    return databases.has_joined(site, site.node_of(name))


def routed(site: ContainersSite) -> tuple[str, ...]:
    """The replicas that the ingress itself holds for healthy."""
    told = web.ask_json(site.ports.ingress_api, _ROUTED)
    states = told.get("serverStatus", {}) if isinstance(told, dict) else {}
    up = [url for url, state in states.items() if state == "UP"]
    return tuple(name for name in names.REPLICAS if any(_names(url, name) for url in up))


def listens(port: int) -> bool:
    """Somebody takes connections at a door on this machine."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1.0):
            return True
    except OSError:
        return False


def _names(url: str, name: str) -> bool:
    return url.partition("//")[2].partition(":")[0] == name


def _runs(site: ContainersSite, part: str, program: str) -> bool:
    try:
        site.run(part, ("python3", "-c", program), within_s=_ANSWER_S)
    except PlatformError:
        return False
    return True
