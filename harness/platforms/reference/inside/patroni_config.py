"""Patroni's configuration of one member, in a file that nobody else can read.

Its consensus store is the Kubernetes API (Endpoints that bear the scope's name: the Service
`database` follows them) or etcd. Everything that decides about promotion is the embedded
platform's: the same code, the same settings, another place.
"""

from __future__ import annotations

import json
import shlex
from pathlib import Path

from harness.platforms.embedded import archive, patroni, postgres, programs
from harness.platforms.embedded.layout import write_private
from harness.platforms.reference.inside import places
from harness.platforms.reference.inside.places import ARCHIVE_PORT, PG_PORT, REST_PORT
from harness.platforms.reference.inside.settings import KUBERNETES, Settings

SCOPE = "database"  # the Service's name
LABELS = {"peakdrill.dev/part": "database"}
SCOPE_LABEL, ROLE_LABEL = "peakdrill.dev/patroni", "peakdrill.dev/role"
FIRST_ROLES = "harness.platforms.reference.inside.first_roles"
NEEDED = ("postgres", "replicator", "rewind", "shop", "readback", "patroni")
_TOKEN = "archive_token"  # noqa: S105  the name of its file
_ANY = "0.0.0.0"


def write(settings: Settings, folder: Path) -> Path:
    """The file, 0600, in `folder`. Raises PlatformError where something needed is not told."""
    file = folder / "patroni.json"  # JSON is YAML
    write_private(file, json.dumps(configuration(settings, folder), indent=1))
    return file


def configuration(settings: Settings, folder: Path) -> dict[str, object]:
    """Holds passwords. `folder` is for Patroni's own password file."""
    secrets = settings.secrets_of(*NEEDED)
    address = settings.text("ADDRESS", settings.name)
    return {
        "scope": SCOPE,
        "name": settings.name,
        "log": {"level": "INFO"},
        "restapi": {
            "listen": f"{_ANY}:{REST_PORT}",
            "connect_address": f"{address}:{REST_PORT}",
            "authentication": {"username": patroni.REST_USER, "password": secrets.patroni},
        },
        **_consensus(settings, address),
        "bootstrap": {
            "dcs": patroni.dynamic_configuration(settings.options),
            "initdb": [
                {"encoding": "UTF8"}, {"locale": "C"}, "data-checksums", "no-sync",
                {"auth": "scram-sha-256"},
            ],
            "post_bootstrap": shlex.join([programs.python(), "-m", FIRST_ROLES]),
        },
        "postgresql": {
            "listen": f"{_ANY}:{PG_PORT}",
            "connect_address": f"{address}:{PG_PORT}",
            "data_dir": str(places.pgdata(settings.data)),
            "pgpass": str(folder / "pgpass"),
            "pg_hba": list(postgres.hba("all")),
            "parameters": {"archive_command": archive_command(settings)},
            **patroni.every_member(secrets),
        },
        "tags": {},
    }  # fmt: skip


def archive_command(settings: Settings) -> str:
    """The token is named by its file."""
    asking = archive.asking(ARCHIVE_PORT, settings.secrets / _TOKEN)
    return f"{asking} {settings.name} %f"


def _consensus(settings: Settings, address: str) -> dict[str, object]:
    where = settings.text("CONSENSUS")
    if where != KUBERNETES:
        hosts = [str(settings.address("CONSENSUS"))]
        return {"namespace": "/service/", "etcd3": {"hosts": hosts}}  # elsewhere it would win
    return {
        "kubernetes": {
            "namespace": settings.text("NAMESPACE"),
            "use_endpoints": True,
            "pod_ip": address,
            "ports": [{"name": "postgresql", "port": PG_PORT}],
            "labels": LABELS,
            "scope_label": SCOPE_LABEL,
            "role_label": ROLE_LABEL,
        }
    }
