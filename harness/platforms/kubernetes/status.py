"""`platform status --json`: where to look, and what runs where. Holds no secret."""

from __future__ import annotations

from typing import Protocol

from harness.platforms.capabilities import Endpoints, Wholeness
from harness.platforms.embedded.credentials import files_of
from harness.platforms.embedded.database import PatroniDatabase
from harness.platforms.embedded.layout import Layout, State
from harness.platforms.kubernetes import objects
from harness.platforms.kubernetes.client import Cluster
from harness.platforms.kubernetes.state import Kept


class Told(Protocol):
    """What is asked of a platform here."""

    @property
    def layout(self) -> Layout: ...
    @property
    def cluster(self) -> Cluster: ...
    @property
    def database(self) -> PatroniDatabase: ...
    def endpoints(self) -> Endpoints: ...
    def whole(self) -> Wholeness: ...


def status(kept: Kept, state: State, platform: Told) -> dict[str, object]:
    """Everything that `--json` prints. Raises PlatformError where the cluster does not answer."""
    options, where, files = kept.options, kept.found.where, files_of(platform.layout)
    seen, known = platform.whole(), platform.endpoints()
    return {
        "platform": "kubernetes",
        "id": kept.platform_id,
        "directory": str(platform.layout.root),
        "phase": state.phase,
        "cluster": {"context": where.context, "server": where.server},
        "namespaces": [kept.tenant(state.environment), options.edge_namespace],
        "whole": seen.whole,
        "missing": list(seen.missing),
        "leader": platform.database.leader(),
        "pods": {
            f"{namespace}/{pod.name}": f"on {pod.node or 'no node'}, {pod.why_not or 'ready'}"
            for namespace in (kept.tenant(state.environment), options.edge_namespace)
            for pod in objects.pods(platform.cluster, namespace)
        },
        "application": {
            "url": known.application_url,
            "database": known.database,
            "login": known.login,
            "password_file": str(known.password_file),
            "api_key_file": str(files.api_key),
        },
        "database": {"dsn": known.dsn, "superuser_dsn": platform.database.superuser_dsn()},
        "s3": {
            "url": known.s3_url,
            "bucket": known.s3_bucket,
            "credentials_file": str(known.s3_credentials_file),
            "base_backup": state.backup_id,
        },
        "queue": {"url": known.queue_url, "password_file": str(known.queue_password_file)},
        "partners": {"url": known.partners_url},
        "ports": dict(sorted(state.ports.items())),
        "versions": dict(kept.found.versions),
    }
