"""A look at the store that makes nothing and migrates nothing: for the doctor."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from harness.core.many_runs import runs
from harness.history import schema
from harness.history.address import address_of
from harness.history.connections import engine_of, transaction


def peek(dsn: str | None = None, *, out: Path = Path("runs")) -> str:
    """How many runs there are, and where. Raises Refused where the store cannot be used."""
    address = address_of(dsn, out)
    none = f"none yet in {address.shown}; the first run makes it"
    if address.file is not None and not address.file.exists():
        return none
    engine = engine_of(address)
    try:
        with transaction(engine, address) as connection:
            version = schema.version_of(connection)
            schema.refuse_newer(version, address.shown)
            if version == 0:
                return none
            count = connection.scalar(sa.select(sa.func.count()).select_from(schema.RUNS))
    finally:
        engine.dispose()
    return f"{runs(count or 0)} in {address.shown}"
