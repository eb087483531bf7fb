"""Where a history lives: from what a person named. No password is ever shown."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError

from harness.errors import UsageError

VARIABLE = "PEAKDRILL_HISTORY"
FILE = "history.sqlite"
_SCHEMES = {"postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}


@dataclass(frozen=True, slots=True)
class Address:
    """Of one store. `shown` is for people: without a password."""

    url: sa.URL
    shown: str

    @property
    def file(self) -> Path | None:
        """Of an SQLite store."""
        named = self.url.database if self.url.get_backend_name() == "sqlite" else None
        return None if named is None else Path(named)


def address_of(dsn: str | None, out: Path) -> Address:
    """`postgresql://...`, a file, or nothing: then $PEAKDRILL_HISTORY, else OUT/history.sqlite."""
    named = dsn or os.environ.get(VARIABLE) or str(out / FILE)
    scheme, found, rest = named.partition("://")
    if not found:
        return Address(sa.URL.create("sqlite", database=named), named)
    if scheme not in _SCHEMES:
        raise UsageError(
            f"a history at {scheme}:// is not known",
            next_step="postgresql://USER@HOST/DATABASE, or the name of an SQLite file",
        )
    try:
        url = sa.make_url(f"{_SCHEMES[scheme]}://{rest}")
    except (ArgumentError, ValueError):  # their messages repeat the DSN, with its password
        raise UsageError(
            "the history's DSN cannot be read",
            next_step="postgresql://USER@HOST:PORT/DATABASE; the password is best in ~/.pgpass",
        ) from None
    shown = url.set(drivername="postgresql", query={}).render_as_string(hide_password=True)
    return Address(url, shown)


def holds_password(dsn: str) -> bool:
    """Whether a DSN carries a secret, as no command line may."""
    if "://" not in dsn:
        return False
    url = address_of(dsn, Path()).url
    return url.password is not None or "password" in url.query
