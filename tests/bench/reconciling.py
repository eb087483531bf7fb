"""What is in the store, by key: the read-back's way beside the floor and three others' ways."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from harness.readback import key_queries
from tests.bench import key_reader
from tests.bench.children import result_of, started
from tests.bench.contents import content
from tests.bench.key_reader import RUN, WORKERS, lost, only, timed
from tests.bench.relay import counting
from tests.bench.rows import Job, Row, Spread, held, in_turn, ratios
from tests.bench.scratch_database import scratch_database

WANTED, WANTED_TEXT, WANTED_BYTES, WANTED_MB = 1.3, 2.5, 1.0, 500
ASKED = 10_000_000
_LARGEST_WITHIN_S = 900
_FILL: tuple[LiteralString, ...] = (
    "DROP TABLE IF EXISTS keys, sale_order, ledger",
    "CREATE UNLOGGED TABLE keys (worker int, seq bigint)",
    "INSERT INTO keys SELECT n % {workers}, n / {workers} FROM generate_series(1, {rows} - 1) n",
    "CREATE UNLOGGED TABLE sale_order (id bigint, client_order_ref text)",
    "INSERT INTO sale_order SELECT seq, 'pd-' || {run} || '-' || worker || '-' || seq FROM keys",
)
_LEDGER: tuple[LiteralString, ...] = (
    "CREATE UNLOGGED TABLE ledger (worker int, seq bigint)",
    "INSERT INTO ledger SELECT n % {workers}, n / {workers} FROM generate_series(0, {rows} - 1) n",
)
type_ways = dict[str, Callable[[], float]]


@dataclass(frozen=True)
class Wire:
    """What one way of keys costs besides time: bytes a row to the client, its memory's growth."""

    bytes_a_row: float
    grown_mb: float


def reconciliation(job: Job) -> list[Row]:
    """At what was asked for when in full, 10 million rows; beside others at as many as they bear."""
    few, many = job.pick(200_000, 1_000_000), job.pick(1_000_000, ASKED)
    made = job.pick(2_000_000, 10 * ASKED)
    with (
        scratch_database(job.scratch / "database") as dsn,
        psycopg.connect(dsn, autocommit=True) as database,
    ):
        fill(database, few, ledger=True)
        beside = in_turn(ours(database, few) | others(database, few), job.pick(2, 3))
        fill(database, many)
        found = in_turn(ours(database, many) | floors(database), 3)
        folder = job.folder("wire")
        wires = {kind: wire(dsn, folder, kind, many) for kind in ("numbers", "texts")}
        largest = in_a_child(dsn, "made", made)
        contents = content(job, dsn)
    grown_mb = largest["mb"] - largest["before_mb"]
    rows = [_row(kind, found, beside, wires[kind], many, few) for kind in ("numbers", "texts")]
    return [*rows, _memory(made, grown_mb, largest["s"]), contents]


def ours(database: psycopg.Connection, rows: int) -> type_ways:
    """The ledger is read already, and is put into blocks within the time."""
    acknowledged = list(key_reader.ledger(rows))
    return {
        "numbers": timed(lambda: lost(_in_one(database, key_reader.numbers), acknowledged)),
        "texts": timed(lambda: lost(_in_one(database, key_reader.texts), acknowledged)),
    }


def floors(database: psycopg.Connection) -> type_ways:
    """COPY of each table; and what the database alone takes for ours, told to nobody."""
    own = {"numbers": key_reader.NUMBERS, "texts": key_queries.quickly("orders", RUN)}
    asked = {
        "floor of numbers": sql.SQL("COPY keys TO '/dev/null'"),
        "floor of texts": sql.SQL("COPY sale_order TO '/dev/null'"),
        **{
            f"database for {kind}": sql.SQL("COPY ({}) TO '/dev/null'").format(
                key_queries.blocks_of(keys)
            )
            for kind, keys in own.items()
        },
    }
    return {
        name: timed(lambda words=words: database.execute(words)) for name, words in asked.items()
    }


def others(database: psycopg.Connection, rows: int) -> type_ways:
    return {
        "anti-join": timed(lambda: anti_join(database)),
        "sets": timed(lambda: sets(database, rows)),
    }


def fill(database: psycopg.Connection, rows: int, *, ledger: bool = False) -> None:
    """Keys of four workers, one of them lost; and a ledger to join against."""
    for statement in (*_FILL, *(_LEDGER if ledger else ()), "ANALYZE"):
        database.execute(sql.SQL(statement).format(workers=WORKERS, rows=rows, run=RUN))


def anti_join(database: psycopg.Connection) -> int:
    asked: LiteralString = (
        "SELECT count(*) FROM ledger l WHERE NOT EXISTS (SELECT FROM keys k"
        " WHERE k.worker = l.worker AND k.seq = l.seq)"
    )
    (count,) = database.execute(asked).fetchone() or (0,)
    return only(int(count))


def sets(database: psycopg.Connection, rows: int) -> int:
    there = set(database.execute("SELECT worker, seq FROM keys").fetchall())
    return only(len({(n % WORKERS, n // WORKERS) for n in range(rows)} - there))


def wire(dsn: str, folder: Path, kind: str, rows: int) -> Wire:
    """By a child through a relay, apart from what is timed."""
    sockets = Path(dsn.split(maxsplit=1)[0].removeprefix("host="))
    with counting(sockets, folder / "w") as counted:
        did = in_a_child(dsn.replace(str(sockets), str(folder / "w")), kind, rows)
    return Wire(counted.received / rows, did["mb"] - did["before_mb"])


def in_a_child(dsn: str, kind: str, rows: int) -> dict[str, Any]:
    process = started("-m", "tests.bench.key_reader", dsn, kind, rows)
    return result_of(process, within_s=_LARGEST_WITHIN_S)


def _in_one(
    database: psycopg.Connection, way: Callable[[psycopg.Connection], key_reader.Presence]
) -> key_reader.Presence:
    with database.transaction():
        return way(database)


def _row(
    kind: str, found: Mapping[str, list[float]], beside: Mapping[str, list[float]], cost: Wire,
    rows: int, few: int,
) -> Row:  # fmt: skip
    numbers = kind == "numbers"
    wanted = WANTED if numbers else WANTED_TEXT
    ratio = ratios(found[kind], found[f"floor of {kind}"])
    floor, took = Spread.of(found[f"floor of {kind}"]), Spread.of(found[kind])
    server = Spread.of(found[f"database for {kind}"])
    others_ = ", ".join(
        f"{name} {ratios(beside[name], beside[kind]).text('x')} as long"
        for name in ("anti-join", "sets")
    )
    slow = ratio.median > wanted
    why = [
        (f"the database alone takes {ratios(found[f'database for {kind}'], found[f'floor of {kind}']).text('x')}, "
        "which falls with the cores that are free for its workers")
    ] if slow else []  # fmt: skip
    if cost.bytes_a_row > WANTED_BYTES:
        why.append("keys that have no neighbours")
    return Row(
        f"reconciliation by key: {'fixed-width keys' if numbers else 'text references'}",
        f"at most {wanted:g}x COPY to /dev/null; at most {WANTED_BYTES:g} byte a row over the wire",
        f"{ratio.text('x')} at {rows:,} rows; {cost.bytes_a_row:.2f} bytes a row; "
        f"{cost.grown_mb:.0f} MB more of the client",
        f"ours {took.text(' s')}, of it the database {server.text(' s')}; floor {floor.text(' s')}; "
        f"at {few:,} rows {others_}; "
        "DuckDB: not installed",
        held(not why), "; ".join(why),
        {kind: took.median, "floor": floor.median, "database": server.median, "rows": rows, "bytes a row": cost.bytes_a_row,
         "client mb": cost.grown_mb},
    )  # fmt: skip


def _memory(rows: int, grown_mb: float, took_s: float) -> Row:
    return Row(
        "reconciliation by key: memory", f"bounded at 100 M rows (taken here: {WANTED_MB} MB)",
        f"{grown_mb:.0f} MB more of the client at {rows:,} rows, {took_s:.0f} s",
        "keys that the database makes as it is asked, of no table; the ledger a million at a time",
        held(grown_mb <= WANTED_MB), "", {"rows": rows, "mb": grown_mb},
    )  # fmt: skip
