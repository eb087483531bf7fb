"""Connections to a store, and the two ways in which its drivers differ."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from harness.errors import Refused
from harness.history.address import VARIABLE, Address

_BUSY_S = 30  # how long a writer waits for another one
_CONNECT_S = 10


def engine_of(address: Address) -> sa.Engine:
    """An engine without a pool: a store is opened, asked and left."""
    if address.file is None:
        options: dict[str, Any] = {"connect_timeout": _CONNECT_S}
        return sa.create_engine(
            address.url, poolclass=sa.NullPool, connect_args=options, hide_parameters=True
        )
    engine = sa.create_engine(
        address.url,
        poolclass=sa.NullPool,
        connect_args={"timeout": _BUSY_S},
        hide_parameters=True,
    )
    sa.event.listen(engine, "connect", _plain_transactions)
    sa.event.listen(engine, "begin", _begin)
    return engine


def _plain_transactions(connection: Any, _: object) -> None:
    """The driver would begin by itself, too late, and leave CREATE TABLE outside."""
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout = {_BUSY_S * 1000}")


def _begin(connection: sa.Connection) -> None:
    """A writer takes its lock at once: one that reads first cannot wait for another's."""
    writing = connection.get_execution_options().get("writing", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


@contextmanager
def told(address: Address) -> Iterator[None]:
    """What a store's driver says, as an error of ours that names the store."""
    try:
        yield
    except sa.exc.DBAPIError as error:
        raise Refused(
            f"the history {address.shown} cannot be used: {_first_line(error)}",
            next_step=f"name another store in ${VARIABLE}; `peakdrill history import` fills it",
        ) from error


def _first_line(error: sa.exc.DBAPIError) -> str:
    return next(iter(str(error.orig).strip().splitlines()), type(error.orig).__name__)


@contextmanager
def transaction(
    engine: sa.Engine, address: Address, *, writing: bool = False
) -> Iterator[sa.Connection]:
    """One transaction; what the driver says becomes an error that names the store."""
    with told(address), engine.execution_options(writing=writing).begin() as connection:
        yield connection


def read_while_one_writes(engine: sa.Engine, address: Address) -> None:
    """SQLite's write-ahead log: the file remembers it, so it is asked for once."""
    with told(address), engine.connect() as connection:
        connection.exec_driver_sql("COMMIT")  # it is no part of a transaction
        connection.exec_driver_sql("PRAGMA journal_mode = WAL")
        connection.exec_driver_sql("BEGIN")
