"""The secrets that each part may read, as files: a folder a role, which its containers mount.

Readable by whatever user an image runs as, and yet by nobody else of this machine: the folder
above them is 0700. A container sees its own folder alone, read-only.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from harness.inputs.containers_file import ContainersOptions
from harness.platforms.containers import names, state
from harness.platforms.embedded import backup_key
from harness.platforms.embedded.credentials import Secrets
from harness.platforms.embedded.layout import Layout

KEY = "backup-key"
OWN_DATABASE = "own-database"  # PostgreSQL that its own image looks after
_ARCHIVIST = ("s3_archive_key", "s3_archive_secret")
_ADMIN = ("s3_admin_key", "s3_admin_secret")
NEEDED: Mapping[str, tuple[str, ...]] = {
    "application": ("shop", "valkey", "admin_password", "api_key"),
    "database": (
        "postgres", "replicator", "rewind", "shop", "readback", "patroni", "archive_token",
        *_ARCHIVIST, KEY,
    ),
    OWN_DATABASE: ("postgres", "replicator", "rewind", "patroni"),
    "keeper": _ARCHIVIST,
    "cache": ("valkey",),
    "store": (*_ADMIN, *_ARCHIVIST),
    "partners": (),
    "ingress": (),
    "consensus": (),
}  # fmt: skip


def folder(layout: Layout, role: str) -> Path:
    """What stands outside of every environment has but one."""
    of = Layout(layout.root) if role in names.OUTSIDE else layout
    return state.mounted(of) / role


def seen_by(options: ContainersOptions, role: str) -> str:
    """Whose folder a role's containers mount."""
    return OWN_DATABASE if role == "database" and not options.database.is_role else role


def write_all(layout: Layout, secrets: Secrets) -> None:
    """Every role's own."""
    backup_key.make(layout)
    for role in NEEDED:
        folder(layout, role).mkdir(mode=0o755, exist_ok=True)
        folder(layout, role).chmod(0o755)
    put(layout, {**asdict(secrets), KEY: backup_key.load(layout).key.hex()})


def put(layout: Layout, changed: Mapping[str, str]) -> None:
    """New values, for those who may read them; a reader sees the old or the new one."""
    for role, needed in NEEDED.items():
        for name in needed:
            if name in changed:
                write(folder(layout, role) / name, changed[name])


def write(file: Path, text: str) -> None:
    """Whole or not at all; for whoever its folder lets in."""
    unfinished = file.with_name(f".{file.name}.{os.getpid()}")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o444)
    with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
        os.fchmod(opened.fileno(), 0o444)
        opened.write(text)
    unfinished.replace(file)
