"""Other transactions and an unkind administrator, at the right moments."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from tests.shop.stand import Answer, Postgres, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    import psycopg

UPDATE = "UPDATE res_partner SET comment = 'x' WHERE id = %s"
# Stops every writer of the table and no reader: a try of the shop takes its snapshot, then waits.
GATE = "LOCK TABLE res_partner IN SHARE ROW EXCLUSIVE MODE"
BLOCKED = "SELECT pid FROM pg_stat_activity WHERE %s = ANY (pg_blocking_pids(pid))"


def kill_idle(server: Postgres, database: str) -> None:
    """pg_terminate_backend on every idle connection of the shop, and wait until they are gone."""
    idle = (
        "FROM pg_stat_activity WHERE application_name = 'shop' AND state = 'idle'"
        " AND datname = current_database()"
    )
    with server.connect(database) as admin:
        pids = [row[0] for row in admin.execute(f"SELECT pid {idle}").fetchall()]
        admin.execute("SELECT pg_terminate_backend(pid) FROM unnest(%s::int[]) AS pid", [pids])
        gone = "SELECT count(*) FROM pg_stat_activity WHERE pid = ANY(%s)"
        wait_until(lambda: admin.execute(gone, [pids]).fetchone()[0] == 0, "idle backends are gone")


def kill_waiting(
    server: Postgres, database: str, partner: int, send: Callable[[], Answer]
) -> Answer:
    """End the backend of a write while it waits for a row lock."""
    with (
        server.connect(database) as holder,
        server.connect(database) as admin,
        ThreadPoolExecutor(1) as pool,
    ):
        holder.execute("BEGIN")
        holder.execute(UPDATE, [partner])
        future = pool.submit(send)
        pid = _blocked_by(admin, holder)
        admin.execute("SELECT pg_terminate_backend(%s)", [pid])
        answer = future.result()
        holder.execute("ROLLBACK")
        return answer


def conflicts(
    server: Postgres, database: str, partner: int, send: Callable[[], Answer], times: int | None
) -> Answer:
    """Change the row between the snapshot and the write of each try, so often or for ever.

    The next gate queues up behind the waiting shop before this one opens. PostgreSQL hands it
    the table in the moment in which the shop's failed try lets go, so that no retry, however
    quick, can slip in between.
    """
    done = 0
    with (
        server.connect(database) as first,
        server.connect(database) as second,
        server.connect(database) as admin,
        ThreadPoolExecutor(2) as pool,
    ):
        holder, other = first, second
        holder.execute("BEGIN")
        holder.execute(GATE)
        future = pool.submit(send)
        while _wait_for_block(admin, holder, future.done):
            done += 1
            holder.execute(UPDATE, [partner])
            if done == times:
                break
            other.execute("BEGIN")
            queued = pool.submit(other.execute, GATE)
            wait_until(lambda o=other: _is_waiting(admin, o), "the next gate waits")
            holder.execute("COMMIT")
            queued.result()
            holder, other = other, holder
        holder.execute("COMMIT")
        return future.result()


def _blocked_by(admin: psycopg.Connection, holder: psycopg.Connection) -> int:
    found: list[int] = []

    def look() -> bool:
        rows = admin.execute(BLOCKED, [holder.info.backend_pid]).fetchall()
        found.extend(row[0] for row in rows)
        return bool(found)

    wait_until(look, "the shop waits for the row")
    return found[0]


def _wait_for_block(admin: psycopg.Connection, holder: psycopg.Connection, ended) -> bool:
    """True when the shop waits for the holder, false when it has answered instead."""
    seen: list[bool] = []

    def look() -> bool:
        if ended():
            seen.append(False)
        elif admin.execute(BLOCKED, [holder.info.backend_pid]).fetchall():
            seen.append(True)
        return bool(seen)

    wait_until(look, "the shop waits, or has answered")
    return seen[0]


def _is_waiting(admin: psycopg.Connection, other: psycopg.Connection) -> bool:
    row = admin.execute(
        "SELECT wait_event_type FROM pg_stat_activity WHERE pid = %s", [other.info.backend_pid]
    ).fetchone()
    return row is not None and row[0] == "Lock"
