"""Load generation beside Locust's own users: cost a request, and latency while a server stands."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from harness.core.operation import Outcome, key_of
from harness.ledger.reader import read_ledger
from tests.bench.children import generator, light_server, result_of
from tests.bench.rows import Job, Row, Spread, held, in_turn, ratios

WANTED = 2.0
RATES = (1000, 2500)  # beside the one that counts, which is FastHttpUser's own
STALL_S, STALL_RATE = 5.0, 100
_LAG_MS = 50.0  # beyond it a run would not be fit to judge
_NAMES = {"fast": "FastHttpUser", "http": "HttpUser", "ours": "ours at FastHttpUser's rate"}


def cost(job: Job) -> tuple[Row, float]:
    """The row, and the CPU seconds that one of our requests costs at FastHttpUser's own rate.

    An open loop costs more a request the slower it goes, so both have to send equally many in a
    second, or the ratio is one of rates: ours sends what FastHttpUser has just reached.
    """
    folder, for_s = job.folder("generating"), 4 if job.full else 3
    lags: dict[str, list[float]] = {name: [] for name in ("ours", *map(str, RATES))}
    reached: list[float] = []
    with light_server() as (port, _):
        ways: dict[str, Callable[[], float]] = {
            "fast": _theirs("fast", port, folder, for_s, reached),
            "ours": _ours(port, folder, for_s, lambda: round(reached[-1]), lags["ours"]),
        }
        for rate in RATES:
            ways[f"ours at {rate:,}/s"] = _ours(
                port, folder, for_s, lambda rate=rate: rate, lags[str(rate)]
            )
        ways["http"] = _theirs("http", port, folder, for_s, [])
        found = in_turn(ways, job.pick(3, 5))
    return _row(found, reached, lags), 1.0 / Spread.of(found["ours"]).median


def _row(
    found: Mapping[str, list[float]], reached: list[float], lags: Mapping[str, list[float]]
) -> Row:
    fast, http = ratios(found["ours"], found["fast"]), ratios(found["ours"], found["http"])
    lag_ms = Spread.of(lags["ours"]).median
    enough, fit = fast.median >= WANTED, lag_ms <= _LAG_MS
    why = [] if enough else [
        ("an open loop sleeps and wakes between two arrivals, and for each answer; Locust's user "
        "finds its next answer there, for it waits for one before it sends another")
    ]  # fmt: skip
    why += [] if fit else [f"sent too late, p99.9 {lag_ms:.0f} ms: no run of it would be fit"]
    each = "; ".join(
        f"{_NAMES.get(name, name)} {Spread.of(values).text('/s')}" for name, values in found.items()
    )
    return Row(
        "load generation: open loop, ledger on, requests per core-second",
        f"at least {WANTED:g}x FastHttpUser's",
        f"{fast.text('x')} FastHttpUser, {http.text('x')} HttpUser, at FastHttpUser's own rate of "
        f"{Spread.of(reached).text('/s')}, sent late by {lag_ms:.1f} ms at p99.9",
        f"{each}; k6: not to be had here",
        held(enough and fit),
        "; ".join(why),
        {
            **{name: Spread.of(values).median for name, values in found.items()},
            "lag p99.9 ms": {name: max(values) for name, values in lags.items()},
        },
    )


def _ours(
    port: int, folder: Path, for_s: float, rate_of: Callable[[], int], lags: list[float]
) -> Callable[[], float]:
    def once() -> float:
        rate = rate_of()
        run = folder / f"ours-{rate}-{len(lags)}"
        did = result_of(generator("ours", port, run, for_s, rate))
        if did["troubles"]:
            raise RuntimeError(f"the generator was in trouble: {did['troubles']}")
        calls, _ = read_ledger(run / "ledger" / "worker-0.slots")
        if unanswered := int(np.count_nonzero(calls.outcome != Outcome.ACKED)):
            raise RuntimeError(f"{unanswered} of our {len(calls)} calls were not acknowledged")
        lags.append(float(did["lag"]["p999_ms"]))
        return float(did["requests"]) / float(did["cpu_s"])

    return once


def _theirs(
    kind: str, port: int, folder: Path, for_s: float, reached: list[float]
) -> Callable[[], float]:
    def once() -> float:
        did = result_of(generator(kind, port, folder / kind, for_s))
        if did["failures"]:
            raise RuntimeError(f"{kind}: {did['failures']} failures")
        reached.append(float(did["requests"]) / for_s)
        return float(did["requests"]) / float(did["cpu_s"])

    return once


def stalled(job: Job) -> Row:
    """The server stands still for a while: who notices, and by how much?"""
    folder = job.folder("stalled")
    stall_s = STALL_S if job.full else 3.0
    errors, told = [], []
    for turn in range(job.pick(1, 3)):
        log = folder / f"answers-{turn}.log"
        did, stop = _through_a_stall("ours", folder / f"ours-{turn}", log, stall_s)
        seen, true = latencies(folder / f"ours-{turn}", log, stop)
        errors.append(100 * apart(seen, true))
        told.append((float(np.quantile(seen, 0.99)), float(np.quantile(true, 0.99))))
        assert did["requests"]
    theirs = {}
    for kind in ("fast", "http"):
        did, _ = _through_a_stall(kind, folder / kind, folder / f"{kind}.log", stall_s)
        theirs[kind] = float(did["p99_ms"]) / 1e3
    error = Spread.of(errors)
    return Row(
        f"latency from the intended time, the server stopped for {stall_s:g} s",
        "within 5% of the truth",
        f"off by {error.text('%')} at most at p50, p90, p99 and the worst; p99 {told[0][0]:.2f} s, true {told[0][1]:.2f} s",
        f"p99 of all by FastHttpUser {theirs['fast']:.2f} s, HttpUser {theirs['http']:.2f} s; wrk2's "
        "method is this one, of k6's open executors nothing can be said here",
        held(error.median <= 5),
        figures={
            "worst error %": errors,
            "fast p99 s": theirs["fast"],
            "http p99 s": theirs["http"],
        },
    )


def _through_a_stall(
    kind: str, folder: Path, log: Path, stall_s: float
) -> tuple[dict[str, Any], tuple[int, int]]:
    with light_server(log) as (port, server):
        process = generator(kind, port, folder, stall_s + 4, STALL_RATE, stall_s + 6)
        _until(lambda: log.exists() and log.stat().st_size > 40 * STALL_RATE)
        begin_ns = time.monotonic_ns()
        os.kill(server.pid, signal.SIGSTOP)
        time.sleep(stall_s)
        os.kill(server.pid, signal.SIGCONT)
        end_ns = time.monotonic_ns()
        return result_of(process), (begin_ns, end_ns)


def latencies(
    run: Path, log: Path, stop: tuple[int, int]
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Of the calls that were due while the server stood: seconds as we say, and as its log says."""
    answered = {
        line.split()[1]: int(line.split()[0]) for line in log.read_text().splitlines() if line
    }
    calls, _ = read_ledger(run / "ledger" / "worker-0.slots")
    due = (calls.intended_ns >= stop[0]) & (calls.intended_ns < stop[1])
    mine = calls.where(due & (calls.outcome == Outcome.ACKED))
    at = np.array([answered[key_of("bench", 0, int(seq))] for seq in mine.seq], dtype=np.int64)
    if not len(mine):
        raise RuntimeError("no call was due while the server stood still")
    return (mine.done_ns - mine.intended_ns) / 1e9, (at - mine.intended_ns) / 1e9


def apart(seen: np.ndarray[Any, Any], true: np.ndarray[Any, Any]) -> float:
    """The greatest relative difference of their quantiles.

    >>> apart(np.array([1.0, 2.0]), np.array([1.0, 2.0])), apart(np.array([1.1]), np.array([1.0])) > 0.09
    (0.0, True)
    """
    at = [0.5, 0.9, 0.99, 1.0]
    return float(np.max(np.abs(np.quantile(seen, at) / np.quantile(true, at) - 1)))


def _until(seen: Callable[[], bool], within_s: float = 30.0) -> None:
    deadline = time.monotonic() + within_s
    while not seen():
        if time.monotonic() > deadline:
            raise RuntimeError("nothing was answered in time")
        time.sleep(0.02)
