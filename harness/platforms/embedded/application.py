"""The application's two replicas and its integration partners, as processes of their own.

They are started by command alone: nothing here imports them.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

from harness.errors import PlatformError
from harness.platforms.embedded import postgres, programs
from harness.platforms.embedded.blueprint import Blueprint
from harness.platforms.embedded.credentials import ADMIN_LOGIN, Secrets
from harness.platforms.embedded.layout import Layout, write_private
from harness.platforms.embedded.node import Part, clean_environment

_REPLICAS = {"a": "app1", "b": "app2"}
_INSTALL_S = 60.0


def replica_name(node: str) -> str:
    return _REPLICAS[node]


def part(plan: Blueprint, node: str) -> Part:
    name, folder = replica_name(node), plan.layout.node(node)
    file = folder / "app.json"
    write_private(file, _settings(plan, name, plan.ports[f"app_{node}"], both_databases(plan)))
    gate = str(plan.layout.gate(node, "app"))
    return _python_part(plan.layout, folder, name, plan.commands.serve, file, after=gate)


def partners_part(plan: Blueprint) -> Part:
    folder = plan.layout.part("partners")
    file = folder / "partners.json"
    write_private(file, _settings(plan, "partners", plan.ports["partners"], both_databases(plan)))
    return _python_part(plan.layout, folder, "partners", plan.commands.partners, file)


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
    try:
        done = subprocess.run(
            [programs.python(), "-m", plan.commands.install, str(file), *older],
            capture_output=True, text=True, errors="replace", check=False, timeout=_INSTALL_S,
            env=clean_environment(plan.layout.root), cwd=plan.layout.root,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
    finally:
        file.unlink(missing_ok=True)
    if done.returncode != 0:
        raise PlatformError(f"{plan.commands.install} failed: {done.stderr.strip()[-500:]}")


def _dsn(secrets: Secrets, ports: Sequence[int]) -> str:
    """The only libpq string with a password in it; it lives in files of mode 0600."""
    hosts = ",".join("127.0.0.1" for _ in ports)
    numbers = ",".join(str(port) for port in ports)
    return (
        f"host={hosts} port={numbers} dbname={postgres.DATABASE} user=shop "
        f"password={secrets.shop} target_session_attrs=read-write connect_timeout=2"
    )


def _settings(plan: Blueprint, name: str, port: int, database_ports: Sequence[int]) -> str:
    secrets, ports = plan.secrets, plan.ports
    return json.dumps(
        {
            "name": name,
            "host": "127.0.0.1",
            "port": port,
            "dialect": plan.options.dialect,
            "database": postgres.DATABASE,
            "dsn": _dsn(secrets, database_ports),
            "admin_login": ADMIN_LOGIN,
            "admin_password": secrets.admin_password,
            "api_key": secrets.api_key,
            "queue": {
                "url": f"redis://127.0.0.1:{ports['valkey']}/0",
                "password": secrets.valkey,
            },
            "filestore": str(plan.layout.filestore / postgres.DATABASE),
            "partners_url": f"http://127.0.0.1:{ports['partners']}",
            "partners_memory": str(plan.layout.part("partners")),
            "audit_log": str(audit_log(plan.layout, name)),
        },
        indent=1,
    )
