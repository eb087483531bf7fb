"""Traefik: one door in front of two application replicas, and one in front of the queue.

It asks each replica every second whether its database answers, and sends requests only to those
that do. There is no retry middleware: an ingress must never send a POST twice.

Which doors are closed, and where they lead, is said by the routes file alone: it is replaced at
once, as a whole, and Traefik watches it. A closed door keeps its replicas under watch, so that it
opens on those that are well.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import PlatformError
from harness.platforms.embedded import programs, web
from harness.platforms.embedded.layout import (
    DATABASE_NODES,
    Layout,
    write_atomically,
    write_private,
)
from harness.platforms.embedded.node import Part, clean_environment

HEALTH = "/web/health?db_server_status=1"
INTERVAL_S = 1.0
_SERVICE = "shop"
_QUEUE = "queue"
CLOSED = "closed"  # a service without a server: Traefik answers 503 by itself
SIGN = "X-Door"  # only the door says it; 503 alone is also what dead replicas look like


@dataclass(frozen=True, slots=True)
class Routes:
    """Where the two doors lead, and whether they are closed."""

    replicas: tuple[str, ...]  # URLs
    queue_port: int
    closed: bool = False
    queue_closed: bool = False
    queue_host: str = "127.0.0.1"
    health: str = HEALTH  # a path that answers 200 only while the database does


def part(layout: Layout, ports: dict[str, int]) -> Part:
    folder = layout.part("ingress")
    static, dynamic = folder / "traefik.yml", routes_file(layout)
    urls = tuple(replica_url(ports, node) for node in DATABASE_NODES)
    save(dynamic, Routes(urls, ports["valkey"]))
    door, queue, api = (f"127.0.0.1:{ports[d]}" for d in ("ingress", "queue_door", "ingress_api"))
    write_private(static, configuration(door, queue, api, dynamic))
    return Part(
        name="ingress",
        argv=[programs.traefik(), f"--configFile={static}"],
        env=clean_environment(folder),
        folder=str(folder),
        log=str(layout.logs / "ingress.log"),
    )


def routes_file(layout: Layout) -> Path:
    """Of the one Traefik there is: every environment stands behind the same doors."""
    return Layout(layout.root).part("ingress") / "routes.yml"  # JSON is YAML


def save(file: Path, routes: Routes) -> None:
    """Traefik reads the old or the new routes, never half of them."""
    write_atomically(file, text_of(routes))


def text_of(routes: Routes) -> str:
    """As Traefik's file provider reads it."""
    return json.dumps(_dynamic(routes), indent=1)


def load(file: Path) -> Routes:
    """What the file says. Raises PlatformError where it does not say it."""
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
        web_, tcp = told["http"], told["tcp"]
        balancer = web_["services"][_SERVICE]["loadBalancer"]
        address = tcp["services"][_QUEUE]["loadBalancer"]["servers"][0]["address"]
        return Routes(
            replicas=tuple(server["url"] for server in balancer["servers"]),
            queue_port=int(address.rpartition(":")[2]),
            queue_host=address.rpartition(":")[0],
            closed=web_["routers"][_SERVICE]["service"] == CLOSED,
            queue_closed=tcp["routers"][_QUEUE]["service"] == CLOSED,
            health=str(balancer["healthCheck"]["path"]),
        )
    except (OSError, ValueError, KeyError, IndexError, TypeError) as error:
        raise PlatformError(
            f"the ingress's routes in {file.name} cannot be read: {type(error).__name__}",
            next_step="peakdrill platform down, then up",
        ) from error


def configuration(customers: str, queue: str, api: str, dynamic: Path) -> str:
    """What Traefik reads at its start: where its doors are, and the file with the routes."""
    told = {
        "global": {"checkNewVersion": False, "sendAnonymousUsage": False},
        "log": {"level": "WARN"},
        "entryPoints": {
            "web": {"address": customers},
            "queue": {"address": queue},
            "traefik": {"address": api},
        },
        "api": {"insecure": True, "dashboard": False},
        "providers": {
            "file": {"filename": str(dynamic), "watch": True},
            "providersThrottleDuration": "100ms",
        },
    }
    return json.dumps(told, indent=1)


def _dynamic(routes: Routes) -> dict[str, Any]:
    return {"http": _http(routes), "tcp": _tcp(routes)}


def _http(routes: Routes) -> dict[str, Any]:
    check = {
        "path": routes.health,
        "interval": f"{INTERVAL_S:g}s",
        "unhealthyInterval": "500ms",
        "timeout": "1s",
    }
    balancer = {
        "servers": [{"url": url} for url in routes.replicas],
        "healthCheck": check,
        "passHostHeader": True,
        "serversTransport": "replicas",
    }
    door: dict[str, Any] = {
        "rule": "PathPrefix(`/`)",
        "service": CLOSED if routes.closed else _SERVICE,
        "entryPoints": ["web"],
    }
    if routes.closed:
        door["middlewares"] = [CLOSED]
    return {
        "routers": {
            _SERVICE: door,
            # leads nowhere: Traefik watches only the servers of services that a router names
            "watch": {
                "rule": "Host(`replicas.invalid`)",
                "service": _SERVICE,
                "entryPoints": ["traefik"],
                "middlewares": ["nobody"],
            },
        },
        "services": {
            _SERVICE: {"loadBalancer": balancer},
            CLOSED: {"loadBalancer": {"servers": []}},
        },
        "middlewares": {
            CLOSED: {"headers": {"customResponseHeaders": {SIGN: CLOSED}}},
            "nobody": {"ipAllowList": {"sourceRange": ["192.0.2.1/32"]}},  # an address of nobody
        },
        "serversTransports": {
            "replicas": {
                "maxIdleConnsPerHost": 200,
                "forwardingTimeouts": {"dialTimeout": "1s"},
            }
        },
    }


def _tcp(routes: Routes) -> dict[str, Any]:
    queue = f"{routes.queue_host}:{routes.queue_port}"
    return {
        "routers": {
            _QUEUE: {
                "rule": "HostSNI(`*`)",
                "service": CLOSED if routes.queue_closed else _QUEUE,
                "entryPoints": ["queue"],
            }
        },
        "services": {
            _QUEUE: {"loadBalancer": {"servers": [{"address": queue}]}},
            CLOSED: {"loadBalancer": {"servers": []}},
        },
    }


def replica_url(ports: dict[str, int], node: str) -> str:
    return f"http://127.0.0.1:{ports[f'app_{node}']}"


def url(ports: Mapping[str, int]) -> str:
    return f"http://127.0.0.1:{ports['ingress']}"


def queue_url(ports: Mapping[str, int]) -> str:
    """The queue's own door, as those outside know it."""
    return f"redis://127.0.0.1:{ports['queue_door']}/0"


def replica_serves(ports: dict[str, int], node: str) -> bool:
    answer = web.ask(ports[f"app_{node}"], HEALTH, timeout_s=2.0)
    return answer is not None and answer.status == 200


def routed_nodes(ports: dict[str, int]) -> tuple[str, ...]:
    """The nodes whose replica Traefik itself holds for healthy."""
    routed = routed_urls(ports)
    return tuple(node for node in DATABASE_NODES if replica_url(ports, node) in routed)


def routed_urls(ports: dict[str, int]) -> frozenset[str]:
    """The replicas that Traefik itself holds for healthy; none where it does not say."""
    told = web.ask_json(ports["ingress_api"], f"/api/http/services/{_SERVICE}@file")
    states = told.get("serverStatus", {}) if isinstance(told, dict) else {}
    return frozenset(url for url, state in states.items() if state == "UP")
