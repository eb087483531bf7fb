"""Traefik: one door in front of two application replicas.

It asks each replica every second whether its database answers, and sends requests only to those
that do. There is no retry middleware: an ingress must never send a POST twice.
"""

from __future__ import annotations

import json

from harness.platforms.embedded import programs, web
from harness.platforms.embedded.layout import DATABASE_NODES, Layout, write_private
from harness.platforms.embedded.node import Part, clean_environment

HEALTH = "/web/health?db_server_status=1"
INTERVAL_S = 1.0
_SERVICE = "shop"


def part(layout: Layout, ports: dict[str, int]) -> Part:
    folder = layout.part("ingress")
    static, dynamic = folder / "traefik.yml", folder / "routes.yml"  # JSON is YAML
    write_private(dynamic, json.dumps(_routes(ports), indent=1))
    write_private(static, json.dumps(_static(ports, str(dynamic)), indent=1))
    return Part(
        name="ingress",
        argv=[programs.traefik(), f"--configFile={static}"],
        env=clean_environment(folder),
        folder=str(folder),
        log=str(layout.logs / "ingress.log"),
    )


def _static(ports: dict[str, int], dynamic: str) -> dict[str, object]:
    return {
        "global": {"checkNewVersion": False, "sendAnonymousUsage": False},
        "log": {"level": "WARN"},
        "entryPoints": {
            "web": {"address": f"127.0.0.1:{ports['ingress']}"},
            "traefik": {"address": f"127.0.0.1:{ports['ingress_api']}"},
        },
        "api": {"insecure": True, "dashboard": False},
        "providers": {"file": {"filename": dynamic, "watch": True}},
    }


def _routes(ports: dict[str, int]) -> dict[str, object]:
    check = {
        "path": HEALTH,
        "interval": f"{INTERVAL_S:g}s",
        "unhealthyInterval": "500ms",
        "timeout": "1s",
    }
    servers = [{"url": replica_url(ports, node)} for node in DATABASE_NODES]
    balancer = {
        "servers": servers,
        "healthCheck": check,
        "passHostHeader": True,
        "serversTransport": "replicas",
    }
    return {
        "http": {
            "routers": {
                _SERVICE: {
                    "rule": "PathPrefix(`/`)",
                    "service": _SERVICE,
                    "entryPoints": ["web"],
                }
            },
            "services": {_SERVICE: {"loadBalancer": balancer}},
            "serversTransports": {
                "replicas": {
                    "maxIdleConnsPerHost": 200,
                    "forwardingTimeouts": {"dialTimeout": "1s"},
                }
            },
        }
    }


def replica_url(ports: dict[str, int], node: str) -> str:
    return f"http://127.0.0.1:{ports[f'app_{node}']}"


def url(ports: dict[str, int]) -> str:
    return f"http://127.0.0.1:{ports['ingress']}"


def serves(ports: dict[str, int]) -> bool:
    """The door answers 200 on the application's own health page."""
    answer = web.ask(ports["ingress"], HEALTH, timeout_s=2.0)
    return answer is not None and answer.status == 200


def replica_serves(ports: dict[str, int], node: str) -> bool:
    answer = web.ask(ports[f"app_{node}"], HEALTH, timeout_s=2.0)
    return answer is not None and answer.status == 200


def routed_nodes(ports: dict[str, int]) -> tuple[str, ...]:
    """The nodes whose replica Traefik itself holds for healthy."""
    told = web.ask_json(ports["ingress_api"], f"/api/http/services/{_SERVICE}@file")
    states = told.get("serverStatus", {}) if isinstance(told, dict) else {}
    return tuple(n for n in DATABASE_NODES if states.get(replica_url(ports, n)) == "UP")
