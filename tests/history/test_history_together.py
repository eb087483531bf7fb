"""Several processes add at once, one of them dies: no run is lost, none is there twice."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness.errors import DamagedEvidence, Refused
from harness.history import Filter, open_history, schema
from harness.history.address import address_of
from harness.history.connections import engine_of
from tests.history.outcomes_made import MET

ROOT = Path(__file__).resolve().parents[2]
HERE = Path("runs/r1")


@contextmanager
def adders(dsn: str, *spans: tuple[int, int]) -> Iterator[list[subprocess.Popen]]:
    """One process for each span of numbers; all have imported before any begins."""
    script = Path(__file__).with_name("adder.py")
    started = [
        subprocess.Popen(
            [sys.executable, str(script), dsn, str(first), str(last)],
            cwd=ROOT, env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )
        for first, last in spans
    ]  # fmt: skip
    try:
        for process in started:
            assert process.stdout.readline() == "ready\n"
        for process in started:
            process.stdin.write("go\n")
            process.stdin.flush()
        yield started
    finally:
        for process in started:
            process.kill()
            process.communicate()


def test_processes_that_make_the_store_and_add_at_once_lose_nothing(dsn: str) -> None:
    with adders(dsn, (0, 30), (15, 45), (20, 40)) as started:
        told = [process.communicate(timeout=300)[0].splitlines() for process in started]
        assert [process.returncode for process in started] == [0, 0, 0]
    new = [line.split()[1] for lines in told for line in lines if line.startswith("new")]
    assert sorted(new) == sorted({f"run-{n}" for n in range(45)}), "each was new to one alone"
    with open_history(dsn) as history:
        found = history.outcomes()
    assert {o.run_id: o.seed for o in found} == {f"run-{n}": n for n in range(45)}


def test_a_writer_that_is_killed_leaves_what_it_had_said(dsn: str) -> None:
    with adders(dsn, (0, 100_000)) as (writer,):
        told = [writer.stdout.readline().split()[1] for _ in range(10)]
        writer.kill()
        rest, _ = writer.communicate()
    told += [line.split()[1] for line in rest.splitlines() if len(line.split()) == 2]
    with open_history(dsn) as history:
        found = {o.run_id for o in history.outcomes()}
        assert set(told) <= found
        assert len(found) <= len(told) + 1
        assert history.add(MET, directory=HERE) is True


def test_a_reader_goes_on_while_somebody_writes(dsn: str) -> None:
    with open_history(dsn) as history:
        history.add(MET, directory=HERE)
        engine = engine_of(address_of(dsn, Path()))
        with engine.execution_options(writing=True).begin() as connection:
            connection.execute(schema.RUNS.delete())
            assert history.outcomes() == (MET,), "what is not committed is not there"
            connection.rollback()
        engine.dispose()


def with_a_column(connection) -> None:
    connection.exec_driver_sql("ALTER TABLE peakdrill_runs ADD COLUMN later TEXT DEFAULT 'x'")


def test_an_older_store_is_brought_to_this_version(dsn: str, monkeypatch) -> None:
    with open_history(dsn) as history:
        history.add(MET, directory=HERE)
    monkeypatch.setattr(schema, "STEPS", (*schema.STEPS, with_a_column))
    with open_history(dsn) as history:
        assert history.outcomes(Filter(release=MET.release)) == (MET,)
        assert history.add(MET, directory=HERE) is False
        with history.engine.begin() as connection:
            assert schema.version_of(connection) == len(schema.STEPS) == 2
            told = connection.exec_driver_sql("SELECT later FROM peakdrill_runs").scalar_one()
    assert told == "x"


def test_a_migration_that_fails_leaves_the_store_as_it_was(dsn: str, monkeypatch) -> None:
    with open_history(dsn) as history:
        history.add(MET, directory=HERE)
    known = schema.STEPS

    def fails(connection) -> None:
        connection.exec_driver_sql("SELECT nothing FROM nowhere")

    monkeypatch.setattr(schema, "STEPS", (*known, with_a_column, fails))
    with pytest.raises(Refused, match="cannot be used"):
        open_history(dsn)
    monkeypatch.setattr(schema, "STEPS", known)
    with open_history(dsn) as history:
        assert history.outcomes() == (MET,)
        with history.engine.begin() as connection:
            assert schema.version_of(connection) == 1


def test_a_store_of_a_newer_peakdrill_is_refused_by_name(history, dsn: str, by_hand) -> None:
    history.add(MET, directory=HERE)
    by_hand("UPDATE peakdrill_history SET version = 9")
    with pytest.raises(Refused, match=r"history.* is a history of version 9; this peakdrill"):
        open_history(dsn)
    by_hand("UPDATE peakdrill_history SET version = 1")
    with open_history(dsn) as again:
        assert again.outcomes() == (MET,)


def test_a_store_whose_version_cannot_be_told_is_damaged(history, dsn: str, by_hand) -> None:
    by_hand("INSERT INTO peakdrill_history VALUES (1)")
    with pytest.raises(DamagedEvidence, match="2 rows"):
        open_history(dsn)


def test_sqlite_keeps_a_write_ahead_log(tmp_path: Path) -> None:
    with (
        open_history(str(tmp_path / "h.sqlite")) as history,
        history.engine.connect() as connection,
    ):
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar_one() == 30_000
