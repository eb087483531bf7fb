"""When is the dust down? When no queue holds a call and no partner is owed one."""

from __future__ import annotations

import time

import psycopg

from harness.platforms.capabilities import Endpoints

_EVERY_S = 0.25
_OWED = """SELECT count(*) FROM shop_outbox WHERE done_at IS NULL"""


def await_settled(endpoints: Endpoints, limit_s: float) -> tuple[bool, str]:
    """True once nothing is owed in two looks in a row; else False and what was still owed.

    A platform without a queue and without an outbox (a plain Odoo) is settled at once.
    """
    until = time.monotonic() + limit_s
    quiet = 0
    while True:
        why = _owed(endpoints)
        quiet = 0 if why else quiet + 1
        if quiet == 2 or time.monotonic() > until:
            return quiet == 2, why
        time.sleep(_EVERY_S)


def _owed(endpoints: Endpoints) -> str:
    """A sentence about what is still owed, "" when nothing is."""
    import redis  # a large library, for what comes after the load

    try:
        return _owed_by_queue(endpoints) or _owed_by_outbox(endpoints)
    except (psycopg.Error, redis.RedisError, OSError) as error:
        return f"cannot look: {type(error).__name__}"


def _owed_by_queue(endpoints: Endpoints) -> str:
    if not endpoints.queue_url or endpoints.queue_password_file is None:
        return ""
    import redis

    queue = redis.Redis.from_url(
        endpoints.queue_url,
        password=endpoints.queue_password_file.read_text().strip(),
        socket_timeout=5,
        decode_responses=True,
    )
    try:
        for stream in queue.scan_iter(_type="stream"):
            for group in queue.xinfo_groups(stream):
                # lag is None when the server cannot tell: then it is not known to be drained
                if group["pending"] or group["lag"] is None or group["lag"]:
                    return f"{stream}: {group['pending']} pending, {group['lag']} not yet read"
    finally:
        queue.close()
    return ""


def _owed_by_outbox(endpoints: Endpoints) -> str:
    if not endpoints.partners_url:
        return ""  # nobody is there to be told
    with psycopg.connect(endpoints.dsn, connect_timeout=5, autocommit=True) as database:
        there = database.execute("SELECT to_regclass('shop_outbox') IS NOT NULL").fetchone()
        if not there or not there[0]:
            return ""
        owed = database.execute(_OWED).fetchone()
        return f"{owed[0]} calls in the outbox" if owed and owed[0] else ""
