"""The seeded database, made once and kept: a data folder with the shop installed, and its backup.

The backup is taken of the application's release before; then the database is brought up. So the
first backup of every platform is one release older than the application that it would restore.

Every start copies it to both nodes, so a start need not initialise a database. It is bound to
this boot of the machine (it is not fsynced), to the versions of PostgreSQL and of the shop, and
its passwords are worthless: each start sets new ones before anybody can connect.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg

from harness.errors import PlatformError
from harness.platforms.embedded import application, backup, credentials, postgres, programs
from harness.platforms.embedded.blueprint import Blueprint, Commands
from harness.platforms.embedded.layout import Layout, boot_id, cache_home, write_private
from harness.platforms.embedded.node import Node, Part, clean_environment
from harness.platforms.embedded.waiting import await_ready

_FORMAT = "2"
_SEED_NODE = "seed"
_KEPT = 3
_START_S = 30.0
_STOP_S = 20.0
_COPY_S = 120.0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A folder of the cache, complete because it was renamed into place."""

    folder: Path
    system_identifier: str

    @property
    def pgdata(self) -> Path:
        return self.folder / "pgdata"

    @property
    def backup(self) -> Path:
        return self.folder / "backup"


def find(commands: Commands) -> Snapshot | None:
    """The snapshot that fits, None when it has to be built."""
    folder = _place(commands)
    try:
        told = json.loads(folder.joinpath("snapshot.json").read_text(encoding="utf-8"))
        os.utime(folder)
        return Snapshot(folder, told["system_identifier"])
    except (OSError, ValueError, KeyError):
        return None


def build(plan: Blueprint) -> Snapshot:
    """Initialise, install, back up and gate; stop cleanly; move into the cache.

    The seed has passwords of its own, which are thrown away with it.
    """
    node = Node(_SEED_NODE, plan.layout.node(_SEED_NODE))
    own = Layout(node.folder / "home")
    own.make()
    seed = replace(plan, layout=own, secrets=credentials.generate(own))
    port, files = plan.ports["pg_seed"], credentials.files_of(own)
    pgdata = node.folder / "pgdata"
    word = own.secrets / "superuser"
    write_private(word, seed.secrets.postgres)
    postgres.initdb(pgdata, word)
    node.define([_server(node, pgdata, port, plan.layout)], stop_s=_STOP_S)
    node.start()
    try:
        _seed(seed, port)
        backup.take(node.folder / "backup", backup.Access(port, files.superuser_pass), own.root)
        application.install(seed, [port])
    finally:
        polite = node.stop(_STOP_S)
    if not polite:
        raise PlatformError("the seeded database did not stop cleanly", next_step="try again")
    return _keep(node, plan.commands)


def _server(node: Node, pgdata: Path, port: int, layout: Layout) -> Part:
    settings = {
        "listen_addresses": "127.0.0.1",
        "port": str(port),
        "unix_socket_directories": "",
        "fsync": "off",
        "log_min_error_statement": "panic",
        "track_commit_timestamp": "on",
        "wal_keep_size": "256MB",  # what follows the backup is archived by the first platform
    }
    words = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    return Part(
        name="postgres",
        argv=[programs.postgres("postgres"), "-D", str(pgdata), *words],
        env=clean_environment(node.folder),
        folder=str(node.folder),
        log=str(layout.logs / "seed.log"),
        stop_signal=signal.SIGINT,  # "fast": a smart shutdown would wait for everybody
    )


def _seed(seed: Blueprint, port: int) -> None:
    files = credentials.files_of(seed.layout)
    await_ready(
        "the database to be seeded",
        lambda: postgres.takes_writes(port, files),
        within_s=_START_S,
        next_step="see logs/seed.log",
    )
    try:
        with postgres.connected(port, files) as connection:
            postgres.roles(connection, seed.secrets)
    except psycopg.Error as error:
        raise PlatformError(f"the roles cannot be made: {error}") from error
    application.install(seed, [port], release="before")


def _keep(node: Node, commands: Commands) -> Snapshot:
    """Into the cache in one step, so that nobody ever sees half of it."""
    place = _place(commands)
    unfinished = _folder() / f"{place.name}.{os.getpid()}"
    unfinished.mkdir(mode=0o700, parents=True)
    found = {"system_identifier": postgres.system_identifier(node.folder / "pgdata")}
    postgres.drop_spare_wal(node.folder / "pgdata", backup.first_segment(node.folder / "backup"))
    for name in ("pgdata", "backup"):
        shutil.move(node.folder / name, unfinished / name)
    write_private(unfinished / "snapshot.json", json.dumps(found))
    with _locked(fcntl.LOCK_EX):
        shutil.rmtree(place, ignore_errors=True)
        unfinished.rename(place)
        _prune()
    shutil.rmtree(node.folder, ignore_errors=True)
    return Snapshot(place, found["system_identifier"])


def _prune() -> None:
    """The cache holds the few newest; those of earlier boots and versions go."""
    folders = [path for path in _folder().iterdir() if path.is_dir()]
    folders.sort(key=lambda path: path.stat().st_mtime, reverse=True)
    for old in folders[_KEPT:]:
        shutil.rmtree(old, ignore_errors=True)


def place(source: Path, target: Path) -> None:
    """Copy a part of it to where a platform needs it; nobody can replace it meanwhile.

    By `cp`: it shares blocks where the file system can, and leaves out zeros.
    """
    with _locked(fcntl.LOCK_SH):
        done = subprocess.run(
            ["cp", "-a", "--reflink=auto", "--sparse=always", str(source), str(target)],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
            check=False, timeout=_COPY_S,
        )  # fmt: skip
    if done.returncode != 0:
        raise PlatformError(
            f"the snapshot cannot be copied: {done.stderr.strip()[-300:]}",
            next_step="make room on the disk",
        )


@contextmanager
def _locked(mode: int) -> Iterator[None]:
    folder = _folder()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / "lock").open("a", encoding="ascii") as file:
        fcntl.flock(file, mode)
        yield


def _folder() -> Path:
    return cache_home() / "snapshots"


def _place(commands: Commands) -> Path:
    told = hashlib.sha256()
    versions = dict(programs.versions())
    settings = json.dumps(postgres.parameters(), sort_keys=True)
    for word in (
        _FORMAT, boot_id(), str(os.getuid()), versions["postgresql"], commands.install, settings,
    ):  # fmt: skip
        told.update(word.encode() + b"\0")
    for path in _sources(commands.install):
        told.update(str(path).encode() + b"\0" + path.read_bytes())
    return _folder() / told.hexdigest()[:20]


def _sources(module: str) -> list[Path]:
    """Everything that decides what an installed shop looks like."""
    package = programs.SOURCE_ROOT / Path(*module.split(".")[:-1])
    return sorted(
        path for path in package.rglob("*") if path.suffix in (".py", ".sql") and path.is_file()
    )
