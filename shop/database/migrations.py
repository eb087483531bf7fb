"""From one release's schema to the next. Additive, in order, each applied once.

Tables and functions are always those of this source; what a release added to tables that may be
there already stands here, so that a database which an older release left is brought up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from shop import RELEASE

if TYPE_CHECKING:
    import psycopg

    Connection = psycopg.Connection[tuple[object, ...]]

FIRST = 1
MODULE = "shop"


class ReleaseError(ValueError):
    """The database is of another release than can be served; the message says of which."""


@dataclass(frozen=True, slots=True)
class Migration:
    """What a release added."""

    release: int
    adds: str
    sql: str


MIGRATIONS = (
    Migration(
        2,
        "API keys can expire",
        "ALTER TABLE res_users_apikeys ADD COLUMN IF NOT EXISTS expiration_date timestamp",
    ),
)


def release_of(connection: Connection) -> int | None:
    """The release that the database was made for, None when it holds no shop."""
    row = connection.execute(
        "SELECT to_regclass('ir_module_module'), to_regclass('res_users')"
    ).fetchone()
    if row is None or row[1] is None:
        return None
    if row[0] is None:
        return FIRST
    found = connection.execute(
        "SELECT latest_version FROM ir_module_module WHERE name = %s", (MODULE,)
    ).fetchone()
    return int(str(found[0])) if found else FIRST


def wanted_release(word: str) -> int:
    """`--release`: a number, or `before` for the one before this source's. Raises ReleaseError."""
    wanted = RELEASE - 1 if word == "before" else int(word) if word.isdigit() else 0
    if not FIRST <= wanted <= RELEASE:
        raise ReleaseError(f"no release {word!r}; there are {FIRST} to {RELEASE}, and `before`")
    return wanted


def migrate(connection: Connection, there: int | None, wanted: int) -> None:
    """Bring tables of release `there` to `wanted`, and say so in the database."""
    if there is not None and there > wanted:
        raise ReleaseError(f"the database is of release {there}; release {wanted} cannot serve it")
    for migration in MIGRATIONS:
        if (there or FIRST) < migration.release <= wanted:
            connection.execute(migration.sql.encode())
    connection.execute(
        "INSERT INTO ir_module_module (name, state, latest_version)"
        " VALUES (%s, 'installed', %s::int4)"
        " ON CONFLICT (name) DO UPDATE SET latest_version = excluded.latest_version",
        (MODULE, wanted),
    )
