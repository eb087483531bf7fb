"""A few bytes of WAL every other second from whoever leads, also while nobody trades.

A former primary was rewound, and is whole when it has replayed as far as its new primary had come
by then. Where that was the begin of a segment, the last record ends just before it: the standby
waits for one more ("consistent recovery state has not been reached"). Exactly there an idle
cluster stands, since the archive's timeout switches segments, and it writes nothing: without this
the node is back when somebody orders, and not before.

The record is a snapshot of running transactions, which PostgreSQL calls unimportant: it commits
nothing and has no time, so no point in time moves and no reach grows; and neither the archive's
timeout nor a checkpoint takes it for work, so what an idle cluster archives stays the same.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from harness.errors import PlatformError

if TYPE_CHECKING:
    from psycopg import Connection

NAME = "peakdrill-heartbeat"  # in pg_stat_activity and in the log
_EVERY_S = 2.0
_BEAT = "SELECT CASE WHEN NOT pg_is_in_recovery() THEN pg_log_standby_snapshot() END"


@dataclass
class Heartbeat:
    """Of one member, whatever its role: as a standby it writes nothing, and is ready to lead."""

    connect: Callable[[], Connection[tuple[object, ...]]]
    every_s: float = _EVERY_S
    sleep: Callable[[float], object] = time.sleep
    _told: str = ""

    def run(self) -> NoReturn:
        """As long as its process. The member may be down, or another one by the next beat."""
        self.sleep(self.every_s)  # psycopg is loaded after a start, not during it
        import psycopg

        while True:
            try:
                self.life()
            except (psycopg.Error, PlatformError, OSError) as error:
                self._tell(type(error).__name__)
            self.sleep(self.every_s)

    def life(self) -> NoReturn:
        """Beats by one connection until it breaks. Raises psycopg.Error."""
        with self.connect() as connection:
            while True:
                connection.execute(_BEAT)
                self._told = ""
                self.sleep(self.every_s)

    def _tell(self, why: str) -> None:
        """Once an outage. Only the error's kind: its text may hold whatever a server said."""
        if why != self._told:
            self._told = why
            print(f"heartbeat of the database: {why}", file=sys.stderr, flush=True)


def connected(
    port: int, *, passfile: str | None = None, password: str | None = None
) -> Connection[tuple[object, ...]]:
    """As the superuser, on this machine or in this container. Raises psycopg.OperationalError."""
    import psycopg

    return psycopg.connect(
        host="127.0.0.1", port=port, dbname="postgres", user="postgres", passfile=passfile,
        password=password, connect_timeout=2, application_name=NAME, autocommit=True,
        options="-c statement_timeout=5000",
    )  # fmt: skip
