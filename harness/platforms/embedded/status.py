"""`platform status --json`: where to look, with psql, curl or any S3 client. Holds no secret."""

from __future__ import annotations

import time

from harness.platforms.capabilities import Endpoints
from harness.platforms.embedded import (
    application,
    cluster,
    database,
    ingress,
    parts,
    patroni,
    postgres,
    programs,
    s3,
)
from harness.platforms.embedded.credentials import ADMIN_LOGIN, Secrets, files_of
from harness.platforms.embedded.layout import ALL_NODES, DATABASE_NODES, Layout, State
from harness.platforms.embedded.whole import look


def endpoints(layout: Layout, state: State) -> Endpoints:
    ports, files = state.ports, files_of(layout)
    return Endpoints(
        application_url=ingress.url(ports),
        application_replicas=tuple(ingress.replica_url(ports, name) for name in DATABASE_NODES),
        database=postgres.DATABASE,
        login=ADMIN_LOGIN,
        password_file=files.admin_password,
        dsn=database.embedded(layout, ports, state.options).reader_dsn(),
        kind="shop",
        version=state.options.dialect,
        queue_url=ingress.queue_url(ports),
        queue_password_file=files.valkey_password,
        filestore=layout.filestore / postgres.DATABASE,
        s3_url=s3.url(ports),
        s3_credentials_file=files.aws_credentials,
        s3_bucket=s3.BUCKET,
        partners_url=f"http://127.0.0.1:{ports['partners']}",
        queue_inside_url=f"redis://127.0.0.1:{ports['valkey']}/0",
    )


def status(layout: Layout, state: State, secrets: Secrets) -> dict[str, object]:
    """Everything that `--json` prints."""
    known, files = endpoints(layout, state), files_of(layout)
    whole = look(layout, state, secrets)
    return {
        "platform": "embedded",
        "id": state.platform_id,
        "directory": str(layout.root),
        "phase": state.phase,
        "asked_monotonic_ns": time.monotonic_ns(),
        "whole": whole.whole,
        "missing": list(whole.missing),
        "synchronous": state.options.synchronous,
        "dialect": state.options.dialect,
        "leader": database.embedded(layout, state.ports, state.options).leader(),
        "nodes": {name: _node(layout, state, name) for name in ALL_NODES},
        "application": {
            "url": known.application_url,
            "replicas": list(known.application_replicas),
            "database": known.database,
            "login": known.login,
            "password_file": str(known.password_file),
            "api_key_file": str(files.api_key),
        },
        "database": {
            "dsn": known.dsn,
            "superuser_dsn": database.embedded(layout, state.ports, state.options).superuser_dsn(),
        },
        "s3": {
            "url": known.s3_url,
            "bucket": known.s3_bucket,
            "credentials_file": str(known.s3_credentials_file),
            "base_backup": state.backup_id,
        },
        "queue": {"url": known.queue_url, "password_file": str(known.queue_password_file)},
        "partners": {"url": known.partners_url},
        "filestore": str(known.filestore),
        "ports": dict(sorted(state.ports.items())),
        "logs": str(layout.logs),
        "versions": dict(programs.versions()),
    }


def _node(layout: Layout, state: State, name: str) -> dict[str, object]:
    node = parts.node_of(layout, name)
    told: dict[str, object] = {"alive": not node.is_dead(), "parts": node.part_pids()}
    if name in DATABASE_NODES:
        seen = next(
            (m for m in patroni.members(cluster.embedded(state.ports)) if m.node == name), None
        )
        told["database"] = cluster.member_name(name)
        told["application"] = application.replica_name(name)
        told["role"] = seen.role if seen else "unknown"
        told["state"] = seen.state if seen else "unknown"
        told["lag_bytes"] = seen.lag_bytes if seen else None
    return told
