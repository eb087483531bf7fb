"""The application's two replicas and its integration partners, as processes of their own.

They are started by command alone: nothing here imports them.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.errors import PlatformError
from harness.platforms.embedded import postgres, programs
from harness.platforms.embedded.blueprint import Blueprint
from harness.platforms.embedded.credentials import ADMIN_LOGIN, Secrets
from harness.platforms.embedded.layout import Layout, write_atomically, write_private
from harness.platforms.embedded.node import Part, clean_environment

_REPLICAS = {"a": "app1", "b": "app2"}
_INSTALL_S = 60.0


def replica_name(node: str) -> str:
    return _REPLICAS[node]


def part(plan: Blueprint, node: str) -> Part:
    name, folder = replica_name(node), plan.layout.node(node)
    file = configure(plan, node)
    gate = str(plan.layout.gate(node, "app"))
    return _python_part(plan.layout, folder, name, plan.commands.serve, file, after=gate)


def partners_part(plan: Blueprint) -> Part:
    folder = plan.layout.part("partners")
    file = folder / "partners.json"
    write_private(file, _settings(plan, "partners", plan.ports["partners"], both_databases(plan)))
    return _python_part(plan.layout, folder, "partners", plan.commands.partners, file)


def configure(plan: Blueprint, node: str) -> Path:
    """The replica's configuration, which it reads again when it is replaced."""
    file = plan.layout.node(node) / "app.json"
    name, port = replica_name(node), plan.ports[f"app_{node}"]
    write_atomically(file, _settings(plan, name, port, both_databases(plan)))
    return file


def audit_log(layout: Layout, name: str) -> Path:
    """Who was let in by a replica, and who was not."""
    return layout.logs / f"audit-{name}.jsonl"


def both_databases(plan: Blueprint) -> tuple[int, ...]:
    return plan.ports["pg_a"], plan.ports["pg_b"]


def _python_part(
    layout: Layout, folder: Path, name: str, module: str, file: Path, *, after: str = ""
) -> Part:
    return Part(
        name=name,
        argv=[programs.python(), "-m", module, str(file)],
        env=clean_environment(folder),
        folder=str(folder),
        log=str(layout.logs / f"{name}.log"),
        after=after,
    )


def install(plan: Blueprint, database_ports: Sequence[int], *, release: str = "") -> None:
    """Schema, seed and this start's credentials. Harmless when they are there.

    An older release's database is brought up to this one; `release` "before" makes one of the
    release before instead. Raises PlatformError.
    """
    older = ["--release", release] if release else []
    file = plan.layout.root / "install.json"
    write_private(file, _settings(plan, "install", 0, database_ports))
    run(plan.layout.root, plan.commands.install, file, older)


def renew(plan: Blueprint, what: str, *, held: int) -> None:
    """Put the plan's `password` or `api-key` into the database, or end all `sessions`.

    `held` is a descriptor that stays open until it is done, even if we are killed meanwhile.
    Harmless when it was done before. Raises PlatformError.
    """
    file = plan.layout.secrets / "renew.json"
    write_private(file, _settings(plan, "renew", 0, both_databases(plan)))
    run(plan.layout.root, plan.commands.renew, file, [what], held=(held,))


def run(
    home: Path, module: str, file: Path, words: Sequence[str], *, held: Sequence[int] = ()
) -> None:
    """A module of the application with a configuration that is gone afterwards."""
    try:
        done = subprocess.run(
            [programs.python(), "-m", module, str(file), *words],
            capture_output=True, text=True, errors="replace", check=False, timeout=_INSTALL_S,
            env=clean_environment(home), cwd=home, stdin=subprocess.DEVNULL,
            pass_fds=held,
        )  # fmt: skip
    finally:
        file.unlink(missing_ok=True)
    if done.returncode != 0:
        raise PlatformError(f"{module} failed: {done.stderr.strip()[-500:]}")


def _address(ports: Sequence[int]) -> str:
    return address_of([("127.0.0.1", port) for port in ports])


def address_of(nodes: Sequence[tuple[str, int]]) -> str:
    """A libpq string without user and password, to whichever of the nodes takes writes."""
    hosts = ",".join(host for host, _ in nodes)
    numbers = ",".join(str(port) for _, port in nodes)
    return (
        f"host={hosts} port={numbers} dbname={postgres.DATABASE} "
        "target_session_attrs=read-write connect_timeout=2"
    )


def _settings(plan: Blueprint, name: str, port: int, database_ports: Sequence[int]) -> str:
    ports = plan.ports
    place = Place(
        name=name,
        host="127.0.0.1",
        port=port,
        dialect=plan.options.dialect,
        database=_address(database_ports),
        queue=f"127.0.0.1:{ports['valkey']}",
        filestore=str(plan.layout.filestore / postgres.DATABASE),
        partners=f"127.0.0.1:{ports['partners']}",
        partners_memory=str(plan.layout.part("partners")),
        audit_log=str(audit_log(plan.layout, name)),
    )
    return configuration(place, plan.secrets)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a process of the application is, and where the others are; no secret."""

    name: str
    host: str  # to listen at
    port: int
    dialect: int
    database: str  # a libpq string without user and password
    queue: str  # HOST:PORT
    filestore: str
    partners: str  # HOST:PORT
    partners_memory: str
    audit_log: str


def configuration(place: Place, secrets: Secrets) -> str:
    """The text of a configuration file. Its DSN is the only libpq string with a password in it.

    It lives in files of mode 0600.
    """
    told = {
        "name": place.name,
        "host": place.host,
        "port": place.port,
        "dialect": place.dialect,
        "database": postgres.DATABASE,
        "dsn": f"{place.database} user=shop password={secrets.shop}",
        "admin_login": ADMIN_LOGIN,
        "admin_password": secrets.admin_password,
        "api_key": secrets.api_key,
        "queue": {"url": f"redis://{place.queue}/0", "password": secrets.valkey},
        "filestore": place.filestore,
        "partners_url": f"http://{place.partners}",
        "partners_memory": place.partners_memory,
        "audit_log": place.audit_log,
    }
    return json.dumps(told, indent=1)
