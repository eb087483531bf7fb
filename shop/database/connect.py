"""Open one connection to the database's writable node, whichever host that is.

libpq tries the hosts of a DSN one after the other, so a frozen first host costs the whole
connect timeout. Here all hosts are tried at once and the first writable one wins.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

if TYPE_CHECKING:
    from psycopg.rows import TupleRow

    Connection = psycopg.AsyncConnection[TupleRow]

# The whole server answers within 5 s: a statement ends before the client's patience does.
STATEMENT_TIMEOUT_MS = 4000
LOCK_TIMEOUT_MS = 3500
IDLE_IN_TRANSACTION_MS = 5000
SETTINGS = (
    f"-c statement_timeout={STATEMENT_TIMEOUT_MS} -c lock_timeout={LOCK_TIMEOUT_MS}"
    f" -c idle_in_transaction_session_timeout={IDLE_IN_TRANSACTION_MS}"
    " -c timezone=UTC -c jit=off"
)


def each_host(dsn: str) -> list[str]:
    """A DSN over many hosts as one DSN a host."""
    parameters = conninfo_to_dict(dsn)
    hosts = str(parameters.get("host") or "").split(",")
    ports = str(parameters.get("port") or "5432").split(",")
    if len(ports) == 1:
        ports *= len(hosts)
    parameters.setdefault("connect_timeout", 2)
    parameters.setdefault("target_session_attrs", "read-write")
    parameters.setdefault("application_name", "shop")
    parameters.update(
        options=f"{parameters.get('options') or ''} {SETTINGS}".strip(),
        keepalives_idle=2,
        keepalives_interval=1,
        keepalives_count=2,
        tcp_user_timeout=4000,
        gssencmode="disable",
    )
    return [
        make_conninfo("", **{**parameters, "host": host, "port": port})
        for host, port in zip(hosts, ports, strict=True)
    ]


async def _open(conninfo: str) -> Connection:
    return await psycopg.AsyncConnection.connect(conninfo, autocommit=True, prepare_threshold=2)


async def connect(hosts: list[str]) -> Connection:
    """A connection to the first host that takes writes; the last error when none does."""
    if len(hosts) == 1:
        return await _open(hosts[0])
    every = {asyncio.create_task(_open(host)) for host in hosts}
    pending, winner = every, None
    failure: BaseException = psycopg.OperationalError("no host to connect to")
    try:
        while pending:
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                error = task.exception()
                if error is None:
                    winner = task
                    return task.result()
                failure = error
        raise failure
    finally:
        for task in every - {winner}:
            task.add_done_callback(_discard)


def _discard(task: asyncio.Task[Connection]) -> None:
    """A host that answered too late, or beside the first; its connection must not linger."""
    if not task.cancelled() and task.exception() is None:
        task.result().pgconn.finish()
