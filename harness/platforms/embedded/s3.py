"""S3 with object lock: one SeaweedFS process that plays the backup store.

The lock holds against S3 clients. SeaweedFS's own inner ports know no passwords, so they are
bound to loopback, and nobody is pointed to them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from harness.platforms.embedded import programs
from harness.platforms.embedded.credentials import Secrets, files_of
from harness.platforms.embedded.layout import Layout, write_private
from harness.platforms.embedded.node import Part, clean_environment
from harness.platforms.embedded.s3_client import S3Client

BUCKET = "peakdrill"
_ARCHIVE = "archive"  # the identity of whoever writes backups, WAL and documents
RETENTION_DAYS = 1  # the shortest that S3 knows; the folder goes with `down`


def part(layout: Layout, ports: dict[str, int], secrets: Secrets) -> Part:
    folder = layout.part("s3")
    identities = files_of(layout).s3_identities
    write_private(identities, json.dumps(known_identities(secrets)))
    numbers = {
        "master.port": "weed_master",
        "master.port.grpc": "weed_master_grpc",
        "volume.port": "weed_volume",
        "volume.port.grpc": "weed_volume_grpc",
        "filer.port": "weed_filer",
        "filer.port.grpc": "weed_filer_grpc",
        "s3.port": "s3",
        "s3.port.grpc": "s3_grpc",
        "admin.port": "weed_admin",
        "admin.port.grpc": "weed_admin_grpc",
    }
    return Part(
        name="s3",
        argv=[
            programs.weed(), "-logtostderr=true", "mini", f"-dir={folder}",
            "-ip=127.0.0.1", "-ip.bind=127.0.0.1",
            *(f"-{flag}={ports[name]}" for flag, name in numbers.items()),
            "-s3.port.iceberg=0", "-s3.port.lance=0", "-admin.ui=false", "-webdav=false",
            "-master.telemetry=false", "-s3.iam.readOnly=false", f"-s3.config={identities}",
        ],
        env=clean_environment(folder),
        folder=str(folder),
        log=str(layout.logs / "s3.log"),
    )  # fmt: skip


def known_identities(secrets: Secrets) -> dict[str, object]:
    """Who may do what in the store: its administrator everything, the writer nothing but write."""

    def identity(name: str, key: str, secret: str, actions: list[str]) -> dict[str, object]:
        credentials = [{"accessKey": key, "secretKey": secret}]
        return {"name": name, "credentials": credentials, "actions": actions}

    everything = ["Admin", "Read", "Write", "List", "Tagging"]
    return {
        "identities": [
            identity("admin", secrets.s3_admin_key, secrets.s3_admin_secret, everything),
            identity(
                _ARCHIVE,
                secrets.s3_archive_key,
                secrets.s3_archive_secret,
                [f"{action}:{BUCKET}" for action in ("Read", "Write", "List")],
            ),
        ]
    }


def with_archive_keys(
    identities: dict[str, Any], keys: Sequence[tuple[str, str]]
) -> dict[str, Any]:
    """The same, with these keys of the archive and no others."""
    pairs = [{"accessKey": key, "secretKey": secret} for key, secret in keys]
    return {
        "identities": [
            {**one, "credentials": pairs} if one["name"] == _ARCHIVE else one
            for one in identities["identities"]
        ]
    }


def url(ports: Mapping[str, int]) -> str:
    return f"http://127.0.0.1:{ports['s3']}"


def admin(ports: Mapping[str, int], secrets: Secrets) -> S3Client:
    return S3Client(ports["s3"], secrets.s3_admin_key, secrets.s3_admin_secret, BUCKET)


def archivist(ports: Mapping[str, int], secrets: Secrets) -> S3Client:
    """The identity of backup and archive: it cannot delete."""
    return S3Client(ports["s3"], secrets.s3_archive_key, secrets.s3_archive_secret, BUCKET)
