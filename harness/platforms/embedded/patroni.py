"""Patroni: who leads, who follows, who may be promoted. Stock code at its own floor values.

Synchronous by default, and not strict. In synchronous mode a standby that did not confirm every
acknowledged write is never promoted, and that is what protects them when a node dies. Strict mode
would also stop all writes for as long as one of only two nodes is away: the outage that the
standby is there to prevent.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.platforms.embedded import archive, etcd, postgres, programs, web
from harness.platforms.embedded.blueprint import Blueprint
from harness.platforms.embedded.cluster import Cluster, DatabaseNode, member_name
from harness.platforms.embedded.credentials import Secrets
from harness.platforms.embedded.layout import Layout, Options, write_private
from harness.platforms.embedded.node import Part, clean_environment

SCOPE = "shop"
LOOP_WAIT_S, RETRY_TIMEOUT_S = 2, 5
_RUNNER = Path(__file__).with_name("patroni_runner.py")
REST_USER = "peakdrill"


@dataclass(frozen=True, slots=True)
class Member:
    """One database node as the cluster sees it."""

    node: str
    role: str  # leader | sync_standby | replica | ...
    state: str  # running | streaming | starting | ...
    lag_bytes: int | None


def part(plan: Blueprint, node: str) -> Part:
    folder, gate = plan.layout.node(node), plan.layout.gate(node, "patroni")
    configuration = folder / "patroni.yml"  # JSON is YAML
    write_private(configuration, json.dumps(_configuration(plan, node), indent=1))
    return Part(
        name=member_name(node),
        argv=[programs.python(), "-P", str(_RUNNER), str(configuration), str(gate)],
        env=clean_environment(folder),
        folder=str(folder),
        log=str(plan.layout.logs / f"{member_name(node)}.log"),
    )


def _configuration(plan: Blueprint, node: str) -> dict[str, object]:
    ports = plan.ports
    rest = f"127.0.0.1:{ports[f'patroni_{node}']}"
    return {
        "scope": SCOPE,
        "namespace": "/service/",
        "name": member_name(node),
        "log": {"level": "INFO"},
        "restapi": {
            "listen": rest,
            "connect_address": rest,
            "authentication": {"username": REST_USER, "password": plan.secrets.patroni},
        },
        "etcd3": {"hosts": [f"127.0.0.1:{ports['etcd']}"]},
        "bootstrap": {"dcs": dynamic_configuration(plan.options)},
        "postgresql": _postgresql(plan, node),
        "tags": {},
    }


def _postgresql(plan: Blueprint, node: str) -> dict[str, object]:
    layout, ports = plan.layout, plan.ports
    address = f"127.0.0.1:{ports[f'pg_{node}']}"
    return {
        "listen": address,
        "connect_address": address,
        "data_dir": str(layout.pgdata(node)),
        "pgpass": str(layout.node(node) / "pgpass"),
        "parameters": {"archive_command": archive.command(layout, ports, node)},
        **every_member(plan.secrets),
    }


def every_member(secrets: Secrets) -> dict[str, object]:
    """Of Patroni's section `postgresql`: what no place and no address changes."""
    return {
        "bin_dir": programs.postgres_folder(),
        "use_unix_socket": False,
        "authentication": {
            "superuser": {"username": postgres.SUPERUSER, "password": secrets.postgres},
            "replication": {"username": "replicator", "password": secrets.replicator},
            "rewind": {"username": "rewind", "password": secrets.rewind},
        },
        "create_replica_methods": ["basebackup"],
        "basebackup": [{"checkpoint": "fast"}, "no-sync"],
        # whoever cannot be rewound is copied anew: nobody repairs a lab's node by hand
        "remove_data_directory_on_rewind_failure": True,
        "remove_data_directory_on_diverged_timelines": True,
    }


def dynamic_configuration(options: Options) -> dict[str, object]:
    """What all nodes share; Patroni keeps it in etcd."""
    return {
        "ttl": options.leader_ttl_s,
        "loop_wait": LOOP_WAIT_S,
        "retry_timeout": RETRY_TIMEOUT_S,
        "maximum_lag_on_failover": 1_048_576,
        "synchronous_mode": options.synchronous,
        "synchronous_mode_strict": False,
        "postgresql": {
            "use_pg_rewind": True,
            "use_slots": True,
            "parameters": postgres.parameters(),
        },
    }


def introduce(ports: dict[str, int], options: Options, system_identifier: str) -> None:
    """Tell etcd of the cluster whose data both nodes already hold, before Patroni asks."""
    configuration = json.dumps(dynamic_configuration(options))
    etcd.put(ports, f"/service/{SCOPE}/config", configuration)
    etcd.put(ports, f"/service/{SCOPE}/initialize", system_identifier)


def members(cluster: Cluster) -> tuple[Member, ...]:
    """The cluster by whichever Patroni answers; empty when none does."""
    names = {node.member: node.name for node in cluster}
    for node in cluster:
        told = web.ask_json(node.patroni_port, "/cluster")
        if isinstance(told, dict) and "members" in told:
            rows = (row for row in told["members"] if row["name"] in names)
            return tuple(_member(row, names[row["name"]]) for row in rows)
    return ()


def _member(row: dict[str, Any], node: str) -> Member:
    lag = row.get("lag")
    return Member(
        node=node,
        role=str(row.get("role", "")),
        state=str(row.get("state", "")),
        lag_bytes=lag if isinstance(lag, int) else None,
    )


def is_leader(node: DatabaseNode) -> bool:
    """Holds the lease and runs as primary, by its own word."""
    answer = web.ask(node.patroni_port, "/primary")
    return answer is not None and answer.status == 200


def is_running(node: DatabaseNode) -> bool:
    """Its database runs, by its own Patroni's word of this moment."""
    answer = web.ask(node.patroni_port, "/health")
    return answer is not None and answer.status == 200


def nudge(cluster: Cluster, secrets: Secrets) -> None:
    """Have every Patroni look again now instead of at its next loop; changes nothing."""
    for node in cluster:
        _patch(node, secrets, {"loop_wait": LOOP_WAIT_S})


def synchronise(cluster: Cluster, secrets: Secrets) -> None:
    """From now on only a standby that confirms may be promoted. Harmless when it is so already."""
    for node in cluster:
        _patch(node, secrets, {"synchronous_mode": True})


def _patch(node: DatabaseNode, secrets: Secrets, change: Mapping[str, object]) -> None:
    """Change what all share, by one node's Patroni; it also has that one look at once."""
    web.ask(
        node.patroni_port, "/config", method="PATCH", body=json.dumps(change).encode(),
        headers=web.basic(REST_USER, secrets.patroni),
    )  # fmt: skip


def configure(cluster: Cluster, secrets: Secrets) -> None:
    """Have every Patroni write its configuration anew.

    One that finds its standby running goes on with what that standby's own postgresql.conf says,
    and would write no more than that at the next change: without an archive, among others.
    """
    for node in cluster:
        order(node, secrets, "/reload", {})


def is_configured(layout: Layout, node: str) -> bool:
    """The server's own file names what only Patroni's configuration holds.

    Patroni moves initdb's own file aside before it writes its own: in between there is none.
    """
    try:
        written = (layout.pgdata(node) / "postgresql.conf").read_text(encoding="utf-8")
    except FileNotFoundError:
        return False
    return "archive_command" in written


def order(
    node: DatabaseNode,
    secrets: Secrets,
    path: str,
    body: Mapping[str, object],
    *,
    within_s: float = 5.0,
) -> web.Answer | None:
    """Have one node's Patroni do something; its answer, None where there was none in time."""
    return web.ask(
        node.patroni_port, path, method="POST", body=json.dumps(body).encode(),
        headers=web.basic(REST_USER, secrets.patroni), timeout_s=within_s,
    )  # fmt: skip
