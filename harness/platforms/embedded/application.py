"""The application's two replicas and its integration partners, as processes of their own.

They are started by command alone: nothing here imports them, so another application that takes
the same configuration file can stand in their place (`Commands`).
"""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from harness.errors import PlatformError
from harness.platforms.embedded import postgres, programs
from harness.platforms.embedded.credentials import ADMIN_LOGIN, Secrets
from harness.platforms.embedded.layout import Layout, Options, write_private
from harness.platforms.embedded.node import Part, clean_environment

_REPLICAS = {"a": "app1", "b": "app2"}
_INSTALL_S = 60.0


@dataclass(frozen=True, slots=True)
class Commands:
    """Python modules, each run as `python -m MODULE CONFIG.json`."""

    serve: str = "shop.serve"
    install: str = "shop.install"
    partners: str = "shop.partners"


def replica_name(node: str) -> str:
    return _REPLICAS[node]


def part(
    layout: Layout,
    ports: dict[str, int],
    secrets: Secrets,
    node: str,
    options: Options,
    commands: Commands,
) -> Part:
    name = replica_name(node)
    file = layout.node(node) / "app.json"
    dsn = _dsn(secrets, [ports["pg_a"], ports["pg_b"]])
    _configure(file, layout, ports, secrets, options, name, ports[f"app_{node}"], dsn)
    return _python_part(layout, layout.node(node), name, commands.serve, file)


def partners_part(
    layout: Layout, ports: dict[str, int], secrets: Secrets, options: Options, commands: Commands
) -> Part:
    folder = layout.part("partners")
    file = folder / "partners.json"
    dsn = _dsn(secrets, [ports["pg_a"], ports["pg_b"]])
    _configure(file, layout, ports, secrets, options, "partners", ports["partners"], dsn)
    return _python_part(layout, folder, "partners", commands.partners, file)


def _python_part(layout: Layout, folder: Path, name: str, module: str, file: Path) -> Part:
    return Part(
        name=name,
        argv=[programs.python(), "-m", module, str(file)],
        env=clean_environment(folder),
        folder=str(folder),
        log=str(layout.logs / f"{name}.log"),
    )


def install(
    layout: Layout,
    ports: dict[str, int],
    secrets: Secrets,
    options: Options,
    commands: Commands,
    database_ports: list[int],
) -> None:
    """Schema, seed and this start's credentials. Harmless when they are there."""
    file = layout.root / "install.json"
    dsn = _dsn(secrets, database_ports)
    _configure(file, layout, ports, secrets, options, "install", 0, dsn)
    try:
        done = subprocess.run(
            [programs.python(), "-m", commands.install, str(file)],
            capture_output=True, text=True, errors="replace", check=False, timeout=_INSTALL_S,
            env=clean_environment(layout.root), cwd=layout.root, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    finally:
        file.unlink(missing_ok=True)
    if done.returncode != 0:
        raise PlatformError(f"{commands.install} failed: {done.stderr.strip()[-500:]}")


def _dsn(secrets: Secrets, ports: list[int]) -> str:
    """The only libpq string with a password in it; it lives in files of mode 0600."""
    hosts = ",".join("127.0.0.1" for _ in ports)
    numbers = ",".join(str(port) for port in ports)
    return (
        f"host={hosts} port={numbers} dbname={postgres.DATABASE} user=shop "
        f"password={secrets.shop} target_session_attrs=read-write connect_timeout=2"
    )


def _configure(
    file: Path,
    layout: Layout,
    ports: dict[str, int],
    secrets: Secrets,
    options: Options,
    name: str,
    port: int,
    dsn: str,
) -> None:
    settings = {
        "name": name,
        "host": "127.0.0.1",
        "port": port,
        "dialect": options.dialect,
        "database": postgres.DATABASE,
        "dsn": dsn,
        "admin_login": ADMIN_LOGIN,
        "admin_password": secrets.admin_password,
        "api_key": secrets.api_key,
        "queue": {
            "url": f"redis://127.0.0.1:{ports['valkey']}/0",
            "password": secrets.valkey,
        },
        "filestore": str(layout.filestore / postgres.DATABASE),
        "partners_url": f"http://127.0.0.1:{ports['partners']}",
        "partners_memory": str(layout.part("partners")),
    }
    write_private(file, json.dumps(settings, indent=1))
