"""What a restore must not take with it: the audit logs, and how the database is configured.

Both are looked at before the databases are stopped and again afterwards.
"""

from __future__ import annotations

import json

import psycopg
from psycopg.rows import TupleRow

from harness.core import checks
from harness.platforms.capabilities import Audit
from harness.platforms.having import having
from harness.recovery.ground import Ground

type_database = psycopg.Connection[TupleRow]

_BEFORE, _AUDIT = "configuration_before", "audit_before"
# What protects the data or lets people in: not what names a node, a port or a path.
_SETTINGS = """
SELECT name, setting FROM pg_settings WHERE name IN (
    'archive_mode', 'archive_timeout', 'data_checksums', 'fsync', 'full_page_writes',
    'log_connections', 'max_connections', 'max_wal_senders', 'password_encryption',
    'synchronous_commit', 'track_commit_timestamp', 'wal_level', 'wal_log_hints')
UNION ALL
SELECT 'role ' || rolname, concat_ws(' ', rolcanlogin, rolsuper, rolreplication, rolcreaterole)
FROM pg_roles WHERE NOT starts_with(rolname, 'pg_')
"""


def remember(ground: Ground) -> None:
    """Before anything is stopped. May be repeated; the first look counts."""
    if _BEFORE not in ground.facts:
        ground.facts[_BEFORE] = json.dumps(_configuration(ground), sort_keys=True)
    if ground.platform.audit is not None and _AUDIT not in ground.facts:
        ground.facts[_AUDIT] = json.dumps(dict(ground.platform.audit.heads()))


def compare(ground: Ground) -> None:
    """Adds the proofs of `audit-kept`."""
    before, now = json.loads(ground.facts[_BEFORE]), _configuration(ground)
    other = sorted(n for n in {*before, *now} if before.get(n) != now.get(n))
    told = f"{len(before)} settings and roles of the database, as before the restore"
    if other:
        changes = ", ".join(f"{n} {before.get(n)!r} -> {now.get(n)!r}" for n in other)
        told = f"not as before the restore: {changes}"
    ground.prove(checks.audit_kept.name, "configuration", "database", not other, told)
    ground.facts["kept"] = told
    if ground.platform.audit is not None and _AUDIT in ground.facts:
        _compare_audit(ground, ground.platform.audit)


def _compare_audit(ground: Ground, audit: Audit) -> None:
    """Line by line: what was written since the restore must not hide what it took away."""
    before = {log: tuple(head) for log, head in json.loads(ground.facts[_AUDIT]).items()}
    now = audit.heads({log: lines for log, (lines, _) in before.items()})
    entries = sum(lines for lines, _ in before.values())
    told = f"{audit.entries():,} audit entries after the restore, {entries:,} before it"
    gone = [f"{log} ({lines:,})" for log, (lines, _) in before.items()
            if now.get(log, (0, "")) != before[log]]  # fmt: skip
    if gone:
        told += f"; no longer there as they were: {', '.join(sorted(gone))}"
    ok = not gone if entries else None  # nothing could be lost, so nothing was shown
    ground.prove(checks.audit_kept.name, "audit", "platform", ok, told)
    ground.facts["kept"] += f"; {told}"


def compared(ground: Ground) -> str | None:
    return ground.facts.get("kept")


def _configuration(ground: Ground) -> dict[str, str]:
    database = having(ground.platform.database, "database")
    with psycopg.connect(database.superuser_dsn(), autocommit=True, connect_timeout=5) as asked:
        return {str(name): str(setting) for name, setting in asked.execute(_SETTINGS).fetchall()}
