"""The store: every run once, whoever adds it and from wherever; nothing known is forgotten."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from harness.core.outcome import Outcome
from harness.errors import Refused
from harness.history import schema
from harness.history.address import Address, address_of
from harness.history.connections import engine_of, read_while_one_writes, transaction
from harness.history.filter import Filter
from harness.history.rows import outcome_in, row_of
from harness.history.schema import RUNS
from harness.history.succession import refuse_forgetting

_EVERY = Filter()


@dataclass(frozen=True, slots=True)
class History:
    """An open store. Use it as a context manager."""

    address: Address
    engine: sa.Engine

    @property
    def place(self) -> str:
        """For people; never with a password."""
        return self.address.shown

    def add(self, outcome: Outcome, *, directory: Path) -> bool:
        """Record a run; False where it was known. Adding it again changes nothing but its place.

        Raises DamagedEvidence where a known run comes with other evidence, Refused where a loss
        that was proven would be forgotten.
        """
        row = row_of(outcome, directory.absolute())
        with transaction(self.engine, self.address, writing=True) as connection:
            if connection.execute(_insert_if_new(connection, row)).one_or_none() is not None:
                return True
            this = RUNS.c.run_id == outcome.run_id
            stored = connection.execute(sa.select(RUNS).where(this).with_for_update())
            refuse_forgetting(outcome_in(dict(stored.mappings().one()), self.place), outcome)
            connection.execute(sa.update(RUNS).where(this).values(row))
        return False

    def outcomes(self, wanted: Filter = _EVERY) -> tuple[Outcome, ...]:
        """Oldest first. Raises DamagedEvidence where any row of the store is damaged.

        Every row is read and held against itself before it is left out: one whose release was
        altered would otherwise hide its loss from whoever asks for that release.
        """
        with transaction(self.engine, self.address) as connection:
            rows = connection.execute(sa.select(RUNS)).mappings().all()
        read = [outcome_in(dict(row), self.place) for row in rows]
        taken = [outcome for outcome in read if wanted.takes(outcome)]
        return tuple(sorted(taken, key=lambda o: (o.begun_utc, o.run_id)))

    def directory_of(self, run_id: str) -> Path | None:
        """Where a run was last seen, perhaps on another machine; None for an unknown run."""
        with transaction(self.engine, self.address) as connection:
            this = sa.select(RUNS.c.directory).where(RUNS.c.run_id == run_id)
            found = connection.scalars(this).one_or_none()
        return None if found is None else Path(found)

    def close(self) -> None:
        self.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def open_history(dsn: str | None, *, out: Path = Path("runs"), must_exist: bool = False) -> History:
    """The history at `dsn`, else at $PEAKDRILL_HISTORY, else in OUT/history.sqlite.

    It is made, or brought to this version, where that is due. Raises Refused where it cannot be
    used or is of a newer peakdrill; with `must_exist` also where a file has yet to be made.
    """
    address = address_of(dsn, out)
    if address.file is not None:
        _make_room(address, address.file, must_exist=must_exist)
    history = History(address, engine_of(address))
    try:
        _bring_up_to_date(history)
    except BaseException:
        history.close()
        raise
    return history


def _insert_if_new(
    connection: sa.Connection, row: dict[str, object]
) -> sa.sql.dml.ReturningInsert[tuple[str]]:
    """Returns the run's name where it was new; the count of rows is not told by every driver.

    Both stores have the clause; SQLAlchemy has it once for each.
    """
    if connection.dialect.name == "postgresql":
        return postgresql.insert(RUNS).values(row).on_conflict_do_nothing().returning(RUNS.c.run_id)
    return sqlite.insert(RUNS).values(row).on_conflict_do_nothing().returning(RUNS.c.run_id)


def _make_room(address: Address, file: Path, *, must_exist: bool) -> None:
    if must_exist and not file.exists():
        raise Refused(
            f"there is no history in {address.shown} yet",
            next_step="`peakdrill run` adds each run to it; `peakdrill history import runs` the "
            "runs that you have",
        )
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Refused(
            f"the history {address.shown} cannot be made: {error.strerror}",
            next_step="name another place",
        ) from error


def _bring_up_to_date(history: History) -> None:
    with transaction(history.engine, history.address) as connection:
        version = schema.version_of(connection)
    schema.refuse_newer(version, history.place)
    if version == len(schema.STEPS):
        return
    if history.address.file is not None:
        read_while_one_writes(history.engine, history.address)
    with transaction(history.engine, history.address, writing=True) as connection:
        schema.migrate(connection, history.place)
