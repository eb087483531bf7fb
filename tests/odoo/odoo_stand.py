"""Odoo 14 and its PostgreSQL out of the root, on free ports of 127.0.0.1; ended by pid."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
from odoo_root import BASE, CALM, MODULES, OWNER_PASSWORD, POSTGRES

DATABASE = "shop"
_MOUNT_PROC = 'mount -t proc proc "$0/proc" && exec chroot --userspec=odoo:odoo "$0" "$@"'


@dataclass(frozen=True)
class Stand:
    """One database and one Odoo, in a folder inside the root."""

    root: Path
    home: str  # inside the root
    postgres_port: int
    http_port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http_port}"

    @property
    def filestore(self) -> Path:
        return self._outside("data") / "filestore" / DATABASE

    def pg_ctl(self, *words: str) -> list[str]:
        """A command of a person who looks after this database."""
        return [
            "chroot", "--userspec=postgres:postgres", str(self.root),
            f"{POSTGRES}/pg_ctl", "-D", f"{self.home}/pg", "-w", "-l", f"{self.home}/pg.log", *words,
        ]  # fmt: skip

    def start_postgres(self) -> None:
        run(*self.pg_ctl("start"))

    def stop_postgres(self, mode: str = "fast") -> None:
        run(*self.pg_ctl("-m", mode, "stop"))

    def connect(self, database: str = DATABASE) -> psycopg.Connection:
        return psycopg.connect(self.owner_dsn(database), autocommit=True)

    def owner_dsn(self, database: str = DATABASE) -> str:
        return (
            f"host=127.0.0.1 port={self.postgres_port} dbname={database} user=odoo "
            f"password={OWNER_PASSWORD}"
        )

    def odoo(self, *words: str, log: Path) -> subprocess.Popen[bytes]:
        """Odoo as a process; its /proc is mounted in a namespace that ends with it."""
        command = ["/usr/bin/odoo", "-c", f"{self.home}/odoo.conf", *words]
        with log.open("ab") as out:
            return subprocess.Popen(
                [*CALM, "unshare", "--mount", "--propagation", "private", "sh", "-c", _MOUNT_PROC,
                 str(self.root), *command],
                stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True,
                env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": "/"},
            )  # fmt: skip

    def configure(self) -> None:
        """odoo.conf and PostgreSQL's port: two workers, as a small retailer has them."""
        conf = self._outside("odoo.conf")
        conf.write_text(
            f"[options]\ndb_host = 127.0.0.1\ndb_port = {self.postgres_port}\ndb_user = odoo\n"
            f"db_password = {OWNER_PASSWORD}\ndb_name = {DATABASE}\ndbfilter = ^{DATABASE}$\n"
            f"list_db = False\ndata_dir = {self.home}/data\nhttp_interface = 127.0.0.1\n"
            f"http_port = {self.http_port}\nlongpolling_port = {free_port()}\nworkers = 2\n"
            "max_cron_threads = 1\nproxy_mode = False\nlog_level = warn\n"
        )
        self._own(conf, "odoo")
        own = self._outside("pg") / "postgresql.auto.conf"
        own.write_text(
            f"port = {self.postgres_port}\nlisten_addresses = '127.0.0.1'\n"
            f"unix_socket_directories = '{self.home}/pg'\ndynamic_shared_memory_type = mmap\n"
            "shared_buffers = 64MB\nmax_connections = 60\n"
        )
        self._own(own, "postgres")

    def _own(self, path: Path, user: str) -> None:
        inside = "/" + str(path.relative_to(self.root))
        run("chroot", str(self.root), "chown", "-R", f"{user}:{user}", inside)

    def _outside(self, name: str) -> Path:
        return self.root / self.home.lstrip("/") / name

    def is_answering(self) -> bool:
        """By a call that the database has a part in."""
        args = [DATABASE, "admin", "admin", {}]
        params = {"service": "common", "method": "authenticate", "args": args}
        body = json.dumps({"jsonrpc": "2.0", "method": "call", "id": 1, "params": params})
        request = urllib.request.Request(
            f"{self.url}/jsonrpc", body.encode(), {"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return bool(json.load(answer).get("result"))
        except (OSError, ValueError, urllib.error.URLError):
            return False


def initialise(root: Path) -> None:
    """The base: an empty shop with its modules, stopped, ready to be copied."""
    outside = root / BASE.lstrip("/")
    shutil.rmtree(outside, ignore_errors=True)
    outside.mkdir(parents=True)
    outside.chmod(0o755)
    stand = Stand(root, BASE, free_port(), free_port())
    for name, user in (("pg", "postgres"), ("data", "odoo")):
        (outside / name).mkdir(mode=0o700)
        stand._own(outside / name, user)
    (outside / "pg.log").touch()
    stand._own(outside / "pg.log", "postgres")
    run(
        "chroot", "--userspec=postgres:postgres", str(root), f"{POSTGRES}/initdb", "-D",
        f"{BASE}/pg", "-E", "UTF8", "--locale=C.UTF-8", "--auth-local=trust", "--auth-host=md5",
        "--no-sync",
    )  # fmt: skip
    stand.configure()
    stand.start_postgres()
    try:
        _psql(stand, f"CREATE ROLE odoo LOGIN CREATEDB PASSWORD '{OWNER_PASSWORD}'")
        log = outside / "init.log"
        child = stand.odoo("-i", MODULES, "--without-demo=all", "--stop-after-init", log=log)
        code = child.wait(1200)
        assert code == 0, f"odoo could not be initialised (exit code {code}): {log}"
    finally:
        stand.stop_postgres()


def _psql(stand: Stand, statement: str) -> None:
    run(
        "chroot", "--userspec=postgres:postgres", str(stand.root), "psql", "-q",
        "-h", f"{stand.home}/pg", "-p", str(stand.postgres_port), "-d", "postgres",
        "-c", statement,
    )  # fmt: skip


@contextlib.contextmanager
def standing(root: Path, *, name: str, reader_password: str) -> Iterator[Stand]:
    """A copy of the base that runs; everything is ended and removed at the end."""
    home = f"/srv/{name}"
    outside = root / home.lstrip("/")
    shutil.rmtree(outside, ignore_errors=True)
    run("cp", "-a", str(root / BASE.lstrip("/")), str(outside))
    stand = Stand(root, home, free_port(), free_port())
    stand.configure()
    child = None
    try:
        stand.start_postgres()
        _psql(stand, f"CREATE ROLE peakdrill_reader LOGIN PASSWORD '{reader_password}'")
        _psql(stand, "GRANT pg_read_all_data TO peakdrill_reader") if _has_read_all(stand) else (
            _grant(stand)
        )
        child = stand.odoo(log=outside / "odoo.log")
        wait_until(stand.is_answering, "Odoo answers", within_s=180)
        yield stand
    finally:
        if child is not None:
            end(child)
        with contextlib.suppress(subprocess.CalledProcessError):
            stand.stop_postgres("immediate")
        shutil.rmtree(outside, ignore_errors=True)


def _has_read_all(stand: Stand) -> bool:
    with stand.connect() as database:
        return database.info.server_version >= 140000


def _grant(stand: Stand) -> None:
    with stand.connect() as database:
        database.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO peakdrill_reader")


def end(child: subprocess.Popen[bytes], within_s: float = 20) -> None:
    """The whole session of ours: Odoo's master ends its workers, or all of them are killed."""
    child.terminate()
    try:
        child.wait(within_s)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait(10)


def wait_until(reached: Callable[[], bool], what: str, within_s: float) -> None:
    deadline = time.monotonic() + within_s
    while not reached():
        assert time.monotonic() < deadline, f"not within {within_s:g} s: {what}"
        time.sleep(0.3)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def run(*words: str) -> None:
    subprocess.run(
        [*CALM, *words], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
    )  # fmt: skip
