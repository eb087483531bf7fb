"""The application's database role: a new password, and the end of every session by the old one.

PostgreSQL asks for a password once, when a session begins. So the password is changed first, the
replicas are told and leave their old sessions by themselves, and whatever is left then is ended:
a stranger's at once, a replica's own after a second. What was ended is put down in the audit log,
with the instant of its last statement, for nothing else remembers that.
"""

from __future__ import annotations

import json
import os
import time
from datetime import datetime
from functools import partial

import psycopg
from psycopg import sql

from harness.platforms.embedded import postgres
from harness.platforms.embedded.cluster import DatabaseNode
from harness.platforms.embedded.credentials import files_of
from harness.platforms.embedded.layout import Layout
from harness.platforms.embedded.renewal import Renewal
from harness.platforms.embedded.waiting import await_ready

ROLE = "shop"
_APPLICATION = "shop"  # what the replicas' sessions call themselves
_LEADER_S, _ENDED_S = 45.0, 20.0
_PATIENCE_S = 1.0
_OLDER = """
FROM pg_stat_activity
WHERE backend_type = 'client backend' AND backend_start < %(since)s
"""
_LEFT = "SELECT count(*)" + _OLDER + "AND (usename = %(role)s OR usename IS NULL)"
_END = (
    "SELECT application_name, coalesce(state_change, backend_start), pg_terminate_backend(pid)"
    + _OLDER
    + "AND (usename = %(role)s AND (application_name <> %(own)s OR %(all)s)"
    " OR usename IS NULL AND %(all)s)"
)


def renew(renewal: Renewal) -> None:
    """Done when each database that runs refuses the old password and holds no session by it."""
    leader, changed = await_ready(
        "a leader that takes the role's new password",
        partial(_set_password, renewal),
        within_s=_LEADER_S,
        next_step="wait for a leader, then try again",
    )
    renewal.write_files()
    renewal.tell_replicas()
    for node in renewal.stack.live_databases():
        _shut_out(renewal, node, changed if node.name == leader else None)
    renewal.await_replicas()


def sessions_log(layout: Layout) -> str:
    """Sessions that a rotation ended, a JSON line each."""
    return str(layout.logs / "audit-sessions.jsonl")


def _set_password(renewal: Renewal) -> tuple[str, datetime] | None:
    """By which node, and when by its clock: sessions that began before may be by the old one.

    The server is given the verifier alone: a password in a statement could reach a log.
    """
    database = renewal.stack.database
    leader = database.leader()
    if leader is None:
        return None
    files = files_of(renewal.stack.layout)
    try:
        with postgres.connected(database.node(leader).pg_port, files) as connection:
            made = postgres.verifier(connection, ROLE, renewal.secrets.shop)
            connection.execute(
                sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(ROLE), made)
            )
            return leader, _now(connection)
    except psycopg.Error:
        return None


def _now(connection: psycopg.Connection[tuple[object, ...]]) -> datetime:
    row = connection.execute("SELECT clock_timestamp()").fetchone()
    assert row is not None
    assert isinstance(row[0], datetime)
    return row[0]


def _shut_out(renewal: Renewal, node: DatabaseNode, changed: datetime | None) -> None:
    """One server: first nobody comes in by the old password, then nobody who did is left.

    A standby knows of the change as soon as it refuses the old one.
    """
    old, layout = renewal.old("shop"), renewal.stack.layout
    port, files = node.pg_port, files_of(layout)
    await_ready(
        f"the database on node {node.name}, with the role's new password alone,",
        lambda: _lets_in(port, old) is not True and postgres.answers(port, files),
        within_s=_LEADER_S,
    )
    with postgres.connected(port, files) as connection:
        begun_s = time.monotonic()
        since = changed or _now(connection)

        def ended() -> bool:
            asked = {
                "since": since,
                "role": ROLE,
                "own": _APPLICATION,
                "all": time.monotonic() - begun_s > _PATIENCE_S,
            }
            _put_down(layout, connection.execute(_END, asked).fetchall())
            left = connection.execute(_LEFT, asked).fetchone()
            return left == (0,)

        await_ready(f"the end of old sessions on node {node.name}", ended, within_s=_ENDED_S)


def _lets_in(port: int, password: str) -> bool | None:
    """None when the server cannot be asked; libpq tells a refusal by the server's words alone."""
    try:
        psycopg.connect(
            host="127.0.0.1", port=port, dbname=postgres.DATABASE, user=ROLE, password=password,
            connect_timeout=2, application_name="peakdrill-rotation",
        ).close()  # fmt: skip
    except psycopg.OperationalError as error:
        return False if "password authentication failed" in str(error) else None
    return True


def _put_down(layout: Layout, ended: list[tuple[object, ...]]) -> None:
    """Each session's last statement, on the machine's monotonic clock."""
    if not ended:
        return
    ahead_ns = time.time_ns() - time.monotonic_ns()
    lines = []
    for agent, last, _ in ended:
        assert isinstance(last, datetime)
        at_ns = round(last.timestamp() * 1e6) * 1000 - ahead_ns
        entry = {"at_ns": at_ns, "utc": last.isoformat(), "who": ROLE, "agent": str(agent)}
        lines.append(json.dumps(entry) + "\n")
    descriptor = os.open(sessions_log(layout), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.writelines(lines)
