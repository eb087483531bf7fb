"""One reconciliation by key in a process of its own, so that its memory is its own."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import psycopg
from psycopg import sql

from harness.core.presence import Presence, presence_of
from harness.readback import keys

RUN, WORKERS = "bench", 4
NUMBERS = sql.SQL("SELECT worker::bigint << 31 | seq, 0 FROM keys")
_PIECE = 1_000_000
type_piece = tuple[npt.NDArray[np.uint16], npt.NDArray[np.uint32]]


def numbers(database: psycopg.Connection) -> Presence:
    return keys.of_numbers(database, NUMBERS)


def texts(database: psycopg.Connection) -> Presence:
    """Of the orders' references, as every look reads them."""
    return keys.of_store(database, "orders", RUN).there


def made(database: psycopg.Connection, rows: int) -> Presence:
    """Of keys that no table holds: for memory, where a table would be larger than what is here."""
    asked = (
        "SELECT (n % {}) << 31 | n / {}, 0 FROM (SELECT generate_series(1::bigint, {} - 1)) g (n)"
    )
    return keys.of_numbers(database, sql.SQL(asked).format(WORKERS, WORKERS, rows))


def ledger(rows: int) -> Iterator[type_piece]:
    """Workers and seqs of what was acknowledged, as one reads them: a stretch at a time."""
    for begin in range(0, rows, _PIECE):
        number = np.arange(begin, min(begin + _PIECE, rows))
        yield (number % WORKERS).astype(np.uint16), (number // WORKERS).astype(np.uint32)


def lost(there: Presence, acknowledged: Iterable[type_piece]) -> int:
    """How many acknowledged keys are not there. Exactly one is not, or it is no measure."""
    missing = rows = 0
    for workers, seqs in acknowledged:
        rows += len(seqs)
        missing += presence_of(workers, seqs).minus(there).distinct
    if there.rows != rows - 1:
        raise RuntimeError(f"{there.rows} rows were found, and there are {rows - 1}")
    return only(missing)


def only(count: int) -> int:
    if count != 1:
        raise RuntimeError(f"{count} keys were found lost, and it was one")
    return count


def timed(what: Callable[[], object]) -> Callable[[], float]:
    def once() -> float:
        begun = time.perf_counter()
        what()
        return time.perf_counter() - begun

    return once


def main() -> None:
    """Print the time, and the memory before and at most."""
    dsn, kind, rows = sys.argv[1], sys.argv[2], int(sys.argv[3])
    way = {"numbers": numbers, "texts": texts, "made": lambda d: made(d, rows)}[kind]
    with psycopg.connect(dsn) as database:
        before_mb = _mb("VmRSS:")
        begun = time.perf_counter()
        lost(way(database), ledger(rows))
        took = time.perf_counter() - begun
    print(json.dumps({"s": took, "before_mb": before_mb, "mb": _mb("VmHWM:")}))


def _mb(name: str) -> float:
    status = Path("/proc/self/status").read_text()  # getrusage would tell our parent's peak
    return int(status.split(name)[1].split()[0]) / 1024


if __name__ == "__main__":
    main()
