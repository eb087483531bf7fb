"""A data folder restored from the store: fetched, opened, compared, replayed, promoted, stopped.

It is built beside the place where it will serve and moved there in one step at the end, so a
restore that died leaves no half of one. Nothing here knows whether the place is the old one, a
clean room or a container: store, key, folders, port, passwords and how to run a server are given.

While it recovers, the database refuses every connection: where it ended is read from its own log.
"""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from harness.errors import PlatformError
from harness.platforms.capabilities import Restored, Wanted
from harness.platforms.embedded import backup_store, postgres, programs, wal_fetch, wal_names
from harness.platforms.embedded.backup_store import Record
from harness.platforms.embedded.credentials import Secrets
from harness.platforms.embedded.layout import Layout, write_private
from harness.platforms.embedded.node import Node, Part, clean_environment
from harness.platforms.embedded.s3_client import S3Client, S3Error
from harness.platforms.embedded.waiting import await_ready

NODE = "restore"
_RECOVERY_S = 180.0
_STOP_S = 30.0
_UNPACK_S = 120.0
_LAST = re.compile(r"last completed transaction was at log time (\S+ \S+)")
_READY = "database system is ready to accept connections"
_TOO_SHORT = "recovery ended before configured recovery target was reached"
# of a line whose prefix names the kind of process: a client that is turned away ends nothing
_DEADLY = re.compile(r"^(?!.*client backend ).*\b(?:FATAL|PANIC):.*", re.MULTILINE)


class Server(Protocol):
    """What runs the recovering database. Any later process can end what an earlier one began."""

    def start(self, part: Part) -> None: ...
    def stop(self, within_s: float) -> bool:
        """Ask by the part's own signal, then kill. Whether it ended by itself."""

    def kill(self) -> None:
        """Every process of it is gone when this returns. Harmless when nothing runs."""


@dataclass(frozen=True, slots=True)
class NodeServer:
    """On a machine: as a node of its own."""

    node: Node

    def start(self, part: Part) -> None:
        self.node.define([part], stop_s=_STOP_S)
        self.node.start()

    def stop(self, within_s: float) -> bool:
        return self.node.stop(within_s)

    def kill(self) -> None:
        self.node.kill()


@dataclass(frozen=True, slots=True)
class Place:
    """Where the restored data go, and with which passwords."""

    pgdata: Path
    workshop: Path  # where they are built: on the same disk, and nobody else's
    log: Path
    port: int  # free while it recovers
    secrets: Secrets
    server: Server


def on_node(layout: Layout, node: str, port: int, secrets: Secrets) -> Place:
    """The place of a node of this machine."""
    folder = layout.node(NODE)
    return Place(
        pgdata=layout.pgdata(node),
        workshop=folder,
        log=layout.logs / "restore.log",
        port=port,
        secrets=secrets,
        server=NodeServer(Node(NODE, folder)),
    )


def build(target: Place, source: S3Client, key: bytes, backup_id: str, wanted: Wanted) -> Restored:
    """Restore into `target.pgdata`. May be repeated after any death.

    Raises Unsound when the backup must not be restored, PlatformError otherwise.
    """
    clear(target)
    folder, pgdata = target.workshop, target.workshop / "pgdata"
    pgdata.mkdir(parents=True, mode=0o700)
    with ThreadPoolExecutor(max_workers=1) as pool:
        listed = pool.submit(_wal, source, key)
        record = backup_store.record_of(source, key, backup_id)
        backup_store.fetch(source, key, record, folder)
        unpack(folder, pgdata)
        wal = listed.result()
    reached, complete = _recovered(target, pgdata, wal, wanted)
    postgres.renew_passwords(pgdata, target.secrets)
    _archive_history(pgdata)
    _put_in_place(pgdata, target.pgdata)
    clear(target)
    return _restored(record, reached, wanted, complete=complete)


def clear(target: Place) -> None:
    """Whatever an earlier restore left: its database, its folder."""
    if target.workshop.is_dir():
        target.server.kill()
        shutil.rmtree(target.workshop)


def unpack(folder: Path, pgdata: Path) -> None:
    """The fetched backup, and every file of it compared with the manifest."""
    done = subprocess.run(
        ["tar", "-xzf", str(folder / "base.tar.gz"), "-C", str(pgdata), "--no-same-owner"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", check=False,
        timeout=_UNPACK_S,
    )  # fmt: skip
    if done.returncode != 0:
        raise PlatformError(f"the base backup cannot be unpacked: {done.stderr.strip()[-300:]}")
    words = ["pg_verifybackup", "--exit-on-error", "-m", str(folder / "backup_manifest")]
    try:
        postgres.run([*words, str(pgdata)], home=folder)
    except PlatformError as error:
        raise backup_store.Unsound(f"the backup is not as its manifest says: {error}") from error


def _wal(source: S3Client, key: bytes) -> wal_fetch.Wal:
    try:
        return wal_fetch.Wal(source, key)
    except S3Error as error:
        raise PlatformError(f"the archive cannot be listed: {error}") from error


def _recovered(target: Place, pgdata: Path, wal: wal_fetch.Wal, wanted: Wanted) -> tuple[str, bool]:
    """The last replayed commit, and whether the wanted instant was reached."""
    with wal_fetch.serving(wal, pgdata, target.workshop) as command:
        told = _recover(target, pgdata, command, wanted)
        complete = _TOO_SHORT not in told
        if not complete:  # go on from where it ended, this time without asking for more
            told += _recover(target, pgdata, command, Wanted())
    commits = _LAST.findall(told)
    return (_iso(commits[-1]) if commits else ""), complete


def _recover(target: Place, pgdata: Path, command: str, wanted: Wanted) -> str:
    """One recovery up to promotion, or to the archive's early end; what the database logged."""
    server, log = target.server, target.log
    configuration = target.workshop / "recovery.conf"
    refusing = target.workshop / "refuse-everybody.conf"
    refusing.write_text("host all all all reject\n", encoding="ascii")
    settings = {**_settings(target, refusing), **_aim(wanted), "restore_command": command}
    write_private(configuration, postgres.as_configuration(settings))
    write_private(pgdata / "recovery.signal", "")
    begin = log.stat().st_size if log.exists() else 0

    def told() -> str:
        if not log.exists():
            return ""
        with log.open("rb") as file:
            file.seek(begin)
            return file.read().decode(errors="replace")

    server.start(_postgres(target, pgdata, configuration))
    polite = False
    try:
        await_ready(
            "the recovery",
            lambda: _READY in (so_far := told()) or bool(_DEADLY.search(so_far)),
            within_s=_RECOVERY_S,
            next_step=f"see {log.name}",
        )
        polite = _READY in told() and server.stop(_STOP_S)
    finally:
        server.kill()
    ended = told()
    if not polite and _TOO_SHORT not in ended:
        raise PlatformError(f"the recovery failed: {_why(ended)}", next_step=f"see {log.name}")
    return ended


def _settings(target: Place, refusing: Path) -> dict[str, object]:
    return {
        **postgres.parameters(),
        "listen_addresses": "127.0.0.1",
        "port": target.port,
        "hba_file": refusing,
        "archive_mode": "off",  # a half-finished recovery must not put anything into the archive
        "hot_standby": "off",
        "fsync": "off",
        "log_connections": "",
        "log_line_prefix": "%m %b ",
        "recovery_target_timeline": "latest",
        "recovery_target_action": "promote",
    }


def _aim(wanted: Wanted) -> dict[str, object]:
    if wanted.before_xid is not None:
        return {"recovery_target_xid": wanted.before_xid, "recovery_target_inclusive": "off"}
    if wanted.until_utc:
        return {"recovery_target_time": wanted.until_utc}
    return {}


def _postgres(target: Place, pgdata: Path, configuration: Path) -> Part:
    return Part(
        name="postgres",
        argv=[programs.postgres("postgres"), "-D", str(pgdata), f"--config-file={configuration}"],
        env=clean_environment(target.workshop),
        folder=str(target.workshop),
        log=str(target.log),
        stop_signal=signal.SIGINT,
    )


def _why(told: str) -> str:
    deadly = _DEADLY.search(told)
    return deadly[0] if deadly else "the database did not stop cleanly"


def _archive_history(pgdata: Path) -> None:
    """Archiving was off when the new timeline began: have its history archived first of all."""
    for path in (pgdata / "pg_wal").iterdir():
        done = pgdata / "pg_wal" / "archive_status" / f"{path.name}.done"
        if wal_names.is_history(path.name) and not done.exists():
            write_private(done.with_suffix(".ready"), "")


def _put_in_place(pgdata: Path, place: Path) -> None:
    """In one step. What lay there is kept beside it until the next restore."""
    if place.exists():
        before = place.parent / "replaced"
        shutil.rmtree(before, ignore_errors=True)
        before.mkdir(mode=0o700)
        place.rename(before / place.name)
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    pgdata.rename(place)


def _iso(logged: str) -> str:
    """'2026-11-22 06:40:00.123456+00' -> ISO 8601."""
    return datetime.fromisoformat(f"{logged}:00").astimezone(UTC).isoformat(timespec="microseconds")


def _restored(record: Record, reached: str, wanted: Wanted, *, complete: bool) -> Restored:
    last = reached or record.last_commit
    asked = "the end of the archive"
    if wanted.before_xid is not None:
        asked = f"just before transaction {wanted.before_xid}"
    elif wanted.until_utc:
        asked = wanted.until_utc
    how = "reached" if complete else "NOT reached, the archive ends before"
    told = f"base backup {record.backup_id}, {asked} {how}; last commit {last or 'unknown'}"
    return Restored(record.backup_id, last, complete, told)
