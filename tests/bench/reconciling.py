"""What is in the store, by key: the read-back's way beside the floor and three others' ways."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import psycopg
from psycopg import sql

from harness.readback.survivors import _copy
from tests.bench.rows import Job, Row, Spread, held, in_turn, ratios
from tests.bench.scratch_database import scratch_database

WANTED, WANTED_TEXT = 1.3, 2.5
_KEYS = sql.SQL("SELECT worker, seq FROM keys")
_TEXT = sql.SQL(
    "SELECT split_part(ref, '-', 3)::int, split_part(ref, '-', 4)::bigint FROM refs"
    " WHERE ref LIKE 'pd-bench-%'"
)


def reconciliation(job: Job) -> list[Row]:
    """At as many rows as fit into this run; what was asked for is 10 million."""
    rows = job.pick(500_000, 2_000_000)
    with (
        scratch_database(job.scratch / "database") as dsn,
        psycopg.connect(dsn, autocommit=True) as database,
    ):
        fill(database, rows)
        ways: dict[str, Callable[[], float]] = {
            "floor": _timed(lambda: database.execute("COPY keys TO '/dev/null'")),
            "floor of texts": _timed(lambda: database.execute("COPY refs TO '/dev/null'")),
            "ours": _timed(lambda: lost(_copy(database, _KEYS, 2), rows)),
            "ours of texts": _timed(lambda: lost(_copy(database, _TEXT, 2), rows)),
            "anti-join": _timed(lambda: anti_join(database)),
            "sets": _timed(lambda: sets(database, rows)),
        }
        found = in_turn(ways, job.pick(2, 3))
    each = {name: Spread.of(values) for name, values in found.items()}
    keys = ratios(found["ours"], found["floor"])
    texts = ratios(found["ours of texts"], found["floor of texts"])
    why = (
        f"measured at {rows:,} rows; the read-back takes its rows as text through COPY, a message a "
        "row, and has them parsed by numpy: the server's part is the floor, the rest is the client's"
    )
    said = "; ".join(f"{name} {spread.text(' s')}" for name, spread in each.items())
    return [
        Row(
            "reconciliation by key: fixed-width keys", f"at most {WANTED:g}x COPY to /dev/null",
            f"{keys.text('x')}; beside the SQL anti-join {ratios(found['ours'], found['anti-join']).text('x')}"
            f", fetchall and sets {ratios(found['ours'], found['sets']).text('x')}",
            f"{said}; DuckDB: not installed", held(keys.median <= WANTED),
            "" if keys.median <= WANTED else why,
            {name: spread.median for name, spread in each.items()} | {"rows": rows},
        ),
        Row(
            "reconciliation by key: text references", f"at most {WANTED_TEXT:g}x COPY to /dev/null",
            texts.text("x"), "the same rows", held(texts.median <= WANTED_TEXT),
            "" if texts.median <= WANTED_TEXT else f"{why}; and the key is cut out of a text there",
        ),
    ]  # fmt: skip


def fill(database: psycopg.Connection, rows: int) -> None:
    """Keys of four workers, one of them lost; and a ledger to join against."""
    for statement in (
        "CREATE UNLOGGED TABLE keys (worker int, seq bigint)",
        f"INSERT INTO keys SELECT n % 4, n / 4 FROM generate_series(1, {rows} - 1) n",
        "CREATE UNLOGGED TABLE refs (id bigint, ref text)",
        "INSERT INTO refs SELECT seq, 'pd-bench-' || worker || '-' || seq FROM keys",
        "CREATE UNLOGGED TABLE ledger (worker int, seq bigint)",
        f"INSERT INTO ledger SELECT n % 4, n / 4 FROM generate_series(0, {rows} - 1) n",
        "ANALYZE",
    ):
        database.execute(sql.SQL(statement))  # type: ignore[arg-type]


def lost(found: np.ndarray[tuple[int, ...], np.dtype[np.int64]], rows: int) -> int:
    """How many acknowledged keys are not among the rows. Exactly one is not, or it is no measure."""
    held_there = np.zeros((4, -(-rows // 4)), dtype=bool)
    held_there[found[:, 0], found[:, 1]] = True
    return _one(rows - int(held_there.sum()))


def anti_join(database: psycopg.Connection) -> int:
    asked = "SELECT count(*) FROM ledger l WHERE NOT EXISTS (SELECT FROM keys k"
    asked += " WHERE k.worker = l.worker AND k.seq = l.seq)"
    (count,) = database.execute(sql.SQL(asked)).fetchone() or (0,)
    return _one(int(count))


def sets(database: psycopg.Connection, rows: int) -> int:
    there = set(database.execute(_KEYS).fetchall())
    return _one(len({(n % 4, n // 4) for n in range(rows)} - there))


def _one(count: int) -> int:
    if count != 1:
        raise RuntimeError(f"{count} keys were found lost, and it was one")
    return count


def _timed(what: Callable[[], object]) -> Callable[[], float]:
    def once() -> float:
        begun = time.perf_counter()
        what()
        return time.perf_counter() - begun

    return once
