"""A restore that takes audit logs, settings or roles with it is named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness.core.proofs import Proof
from harness.core.targets import Targets
from harness.evidence import layout, lines
from harness.recovery import kept
from harness.recovery.facts import Course
from harness.recovery.ground import Ground
from tests.recovery.books import SHOP, server
from tests.shop.stand import Postgres

__all__ = ["server"]  # a fixture


@dataclass
class Logs:
    """An audit whose log anybody may change."""

    lines: list[str] = field(default_factory=lambda: [f"entry {n}" for n in range(41)])

    def entries(self) -> int:
        return len(self.lines)

    def heads(self, lines: Mapping[str, int] | None = None) -> Mapping[str, tuple[int, str]]:
        head = self.lines[: 999 if lines is None else lines["log"]]
        return {"log": (len(head), "\n".join(head))}


def on(server: Postgres, run: Path, audit: Logs) -> Ground:
    platform = SimpleNamespace(
        database=SimpleNamespace(superuser_dsn=lambda: server.dsn(SHOP)), audit=audit
    )
    course = Course("point-in-time", "r1", str(run), {}, Targets(()))
    return Ground.of(platform, course)


def proofs(run: Path) -> dict[str, Proof]:
    return {p.kind: p for p in lines.read_lines(run / layout.PROOFS, Proof)}


def test_what_is_as_before_is_kept(server: Postgres, tmp_path: Path) -> None:
    audit = Logs()
    ground = on(server, tmp_path, audit)
    kept.remember(ground)
    audit.lines += ["more"] * 3
    kept.remember(ground)  # after a death: the first look counts
    assert kept.compared(ground) is None
    kept.compare(ground)
    assert all(proof.ok for proof in proofs(tmp_path).values())
    assert "44 audit entries after the restore, 41 before it" in str(kept.compared(ground))


@pytest.mark.parametrize(
    ("change", "back", "told"),
    [
        ("ALTER ROLE shop SET x.y = '1'", "ALTER ROLE shop RESET x.y", ""),
        ("CREATE ROLE stranger LOGIN", "DROP ROLE stranger", "role stranger None"),
        ("ALTER SYSTEM SET log_connections = on", "ALTER SYSTEM RESET log_connections", "log_conn"),
    ],
)
def test_a_setting_or_a_role_that_is_another_is_named(
    server: Postgres, tmp_path: Path, change: str, back: str, told: str
) -> None:
    ground = on(server, tmp_path, Logs())
    kept.remember(ground)
    with server.connect(SHOP) as database:
        database.execute(change)
        database.execute("SELECT pg_reload_conf()")
        database.execute("SELECT pg_sleep(0.3)")
        kept.compare(ground)
        database.execute(back)
        database.execute("SELECT pg_reload_conf()")
    found = proofs(tmp_path)["configuration"]
    assert found.ok is not bool(told)
    assert told in found.told


@pytest.mark.parametrize("written_since", [0, 1, 100])
def test_entries_that_a_restore_took_are_missed_however_many_came_since(
    server: Postgres, tmp_path: Path, written_since: int
) -> None:
    audit = Logs()
    ground = on(server, tmp_path, audit)
    kept.remember(ground)
    audit.lines[-1:] = ["since"] * written_since
    kept.compare(ground)
    assert proofs(tmp_path)["audit"].ok is False
    assert "log (41)" in proofs(tmp_path)["audit"].told
    assert proofs(tmp_path)["configuration"].ok


def test_an_audit_that_held_nothing_shows_nothing(server: Postgres, tmp_path: Path) -> None:
    ground = on(server, tmp_path, Logs([]))
    kept.remember(ground)
    kept.compare(ground)
    assert proofs(tmp_path)["audit"].ok is None
