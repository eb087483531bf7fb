"""The ledger beside two ways to write the same down: JSON lines with fsync, and SQLite."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

from harness.core.operation import Kind, Outcome, Stage, Workload
from harness.ledger.writer import LedgerWriter
from tests.bench.rows import Job, Row, Spread, held, in_turn, ratios

WANTED_PER_S, WANTED_SHARE = 500_000, 0.01


def ledger(job: Job, request_s: float) -> list[Row]:
    """`request_s`: what one request of the load costs in CPU, from the row before."""
    folder, many, few = job.folder("ledgers"), job.pick(100_000, 300_000), job.pick(200, 1000)
    turns = iter(range(10_000))

    def new(name: str) -> Path:
        return folder / f"{name}-{next(turns)}"

    cpu: dict[str, Callable[[], float]] = {
        "ours": lambda: ours(new("ours"), many, time.process_time),
        "sqlite": lambda: sqlite(new("sqlite"), many // 20, time.process_time),
        "json": lambda: json_lines(new("json"), few, time.process_time),
    }
    wall: dict[str, Callable[[], float]] = {
        "ours": lambda: ours(new("ours"), many, time.perf_counter),
        "sqlite": lambda: sqlite(new("sqlite"), few, time.perf_counter),
        "json": lambda: json_lines(new("json"), few, time.perf_counter),
    }
    of_core = in_turn(cpu, job.pick(3, 7))
    of_clock = in_turn(wall, job.pick(3, 7))
    each = {name: Spread.of(values) for name, values in of_core.items()}
    clock = {name: Spread.of(values) for name, values in of_clock.items()}
    share = 2.0 / each["ours"].median / request_s
    return [
        Row(
            "ledger: records a second of a core",
            f"at least {WANTED_PER_S:,}",
            f"{each['ours'].text('/s')}; {clock['ours'].text('/s')} by the clock",
            f"{ratios(of_core['ours'], of_core['json']).text('x')} JSON lines with fsync (by the "
            f"clock {ratios(of_clock['ours'], of_clock['json']).text('x')}), "
            f"{ratios(of_core['ours'], of_core['sqlite']).text('x')} SQLite, a commit each (by the "
            f"clock {ratios(of_clock['ours'], of_clock['sqlite']).text('x')})",
            held(each["ours"].median >= WANTED_PER_S),
            "" if each["ours"].median >= WANTED_PER_S else "packing and two CRCs a call in Python",
            {name: spread.median for name, spread in each.items()},
        ),
        Row(
            "ledger: its share of a request's cost (an intent and an outcome)",
            f"at most {WANTED_SHARE:.0%}",
            f"{share:.1%} of {request_s * 1e6:.0f} us",
            "the request of the first row",
            held(share <= WANTED_SHARE),
            "" if share <= WANTED_SHARE else
            "two entries, each packed and summed by a few calls from Python, of a request that is cheap",
            {"share": share, "request us": request_s * 1e6},
        ),
    ]  # fmt: skip


def ours(file: Path, calls: int, clock: Callable[[], float]) -> float:
    """Records a second: an intent is one, an outcome is one. The flushing thread counts as well."""
    writer = LedgerWriter(file.with_name(f"{file.name}.slots"), run_id="bench", worker=0)
    begun = clock()
    for number in range(calls):
        seq = writer.intent(
            intended_ns=number, sent_ns=number, workload=Workload.ORDER_CAPTURE, kind=Kind.CREATE,
            stage=Stage.CREATED, digest=number, value_cents=4800,
        )  # fmt: skip
        writer.outcome(seq, done_ns=number, outcome=Outcome.ACKED)
    writer.sync()
    took = clock() - begun
    writer.close()
    file.with_name(f"{file.name}.slots").unlink()
    return 2 * calls / took


def json_lines(file: Path, records: int, clock: Callable[[], float]) -> float:
    begun = clock()
    with file.open("w", encoding="utf-8") as stream:
        for number in range(records):
            stream.write(json.dumps(_record(number)) + "\n")
            stream.flush()
            os.fsync(stream.fileno())
    took = max(clock() - begun, 1e-9)
    file.unlink()
    return records / took


def sqlite(file: Path, records: int, clock: Callable[[], float]) -> float:
    """In its quickest safe mode: a write-ahead log, one commit a record, no fsync a commit."""
    database = sqlite3.connect(file, isolation_level=None)
    try:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=NORMAL")
        database.execute("CREATE TABLE l (seq INTEGER PRIMARY KEY, intended, sent, digest, value)")
        begun = clock()
        for number in range(records):
            row = tuple(_record(number).values())
            database.execute("INSERT INTO l VALUES (?, ?, ?, ?, ?)", row)
        took = max(clock() - begun, 1e-9)
    finally:
        database.close()
    for path in file.parent.glob(f"{file.name}*"):
        path.unlink()
    return records / took


def _record(number: int) -> dict[str, int]:
    return {
        "seq": number,
        "intended_ns": number,
        "sent_ns": number,
        "digest": number,
        "value": 4800,
    }
