"""The store's tables, their version, and the way from each version to the next.

    peakdrill_history   one row: the version of what is stored
    peakdrill_runs      one row a run: its outcome as canonical JSON, and columns for people's SQL

A store of a newer peakdrill is refused: half understood, a lost write could be overlooked.
"""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa

from harness.errors import DamagedEvidence, Refused

_TABLES = sa.MetaData()
VERSION = sa.Table(
    "peakdrill_history",
    _TABLES,
    sa.Column("version", sa.Integer, nullable=False),
)
RUNS = sa.Table(
    "peakdrill_runs",
    _TABLES,
    sa.Column("run_id", sa.Text, primary_key=True),
    sa.Column("begun_utc", sa.Text, nullable=False, index=True),
    sa.Column("scenario", sa.Text, nullable=False),
    sa.Column("release", sa.Text, nullable=False),
    sa.Column("platform", sa.Text, nullable=False),
    sa.Column("configuration", sa.Text, nullable=False),
    sa.Column("season", sa.Text, nullable=False),
    sa.Column("tenant", sa.Text, nullable=False),
    sa.Column("size", sa.Text, nullable=False),
    sa.Column("seed", sa.BigInteger, nullable=False),
    sa.Column("peak", sa.Double, nullable=False),
    sa.Column("verdict", sa.Text, nullable=False),
    sa.Column("proven_loss", sa.Boolean, nullable=False),
    sa.Column("evidence_digest", sa.Text, nullable=False),
    sa.Column("directory", sa.Text, nullable=False),  # where the run was last seen
    sa.Column("outcome", sa.Text, nullable=False),  # canonical JSON
    sa.Column("outcome_digest", sa.Text, nullable=False),  # SHA-256 of these bytes, hex
    sa.Index("peakdrill_runs_asked", "release", "scenario"),
)

Step = Callable[[sa.Connection], None]


def _create(connection: sa.Connection) -> None:
    """From nothing to version 1."""
    _TABLES.create_all(connection, checkfirst=False)


STEPS: tuple[Step, ...] = (_create,)
"""Step n brings a store of version n to n + 1, in one transaction with all that are due.

Append, never edit: stores of every version before are out there. A step after the first writes its
own SQL, for the tables above are those of the newest version.
"""

_LOCK = 0x7065616B  # "peak": one migration at a time on a PostgreSQL server


def version_of(connection: sa.Connection) -> int:
    """0 where there is no store yet."""
    if not sa.inspect(connection).has_table(VERSION.name):
        return 0
    found = connection.scalars(sa.select(VERSION.c.version)).all()
    if len(found) != 1:
        raise DamagedEvidence(
            f"{VERSION.name} has {len(found)} rows: the store's version cannot be told",
            next_step="restore the store, or name a new one and `peakdrill history import`",
        )
    return int(found[0])


def refuse_newer(version: int, place: str) -> None:
    """What a newer peakdrill stored is not guessed at."""
    if version > len(STEPS):
        raise Refused(
            f"{place} is a history of version {version}; this peakdrill knows {len(STEPS)}",
            next_step="use the newer peakdrill, or name another store",
        )


def migrate(connection: sa.Connection, place: str) -> None:
    """Bring the store to this peakdrill's version; within the caller's writing transaction."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
    version = version_of(connection)  # asked again: another process may have been here
    refuse_newer(version, place)
    for step in STEPS[version:]:
        step(connection)
    connection.execute(sa.delete(VERSION))
    connection.execute(sa.insert(VERSION).values(version=len(STEPS)))
