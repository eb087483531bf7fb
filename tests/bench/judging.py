"""RTO and RPO out of many operations, and the report of a long drill: time, memory, size."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from harness.core.arrivals import arrivals_of
from harness.core.due import Due
from harness.core.evidence import Survivors
from harness.core.in_time import STRETCH_NS, InTime
from harness.core.operation import Flag, Kind, Outcome, Stage, Workload
from harness.core.operations import Operations
from harness.core.records import records_of
from harness.core.recovery_point import classify, held_by
from harness.core.recovery_time import Watch, recovery_time
from harness.ledger.reader import SLOTS_AT_ONCE
from tests.bench.children import ROOT
from tests.bench.rows import Job, Row, Spread, held, in_turn, ratios

WANTED_S = 1.0
ASKED = 10_000_000
REPORT_S, REPORT_MB, HTML_MB, DAY_M = 10.0, 500.0, 2.0, 100
_S = 10**9


def operations(count: int, *, out_s: tuple[float, float] = (100.0, 130.0)) -> Operations:
    """One worker, one workload, `count` orders at an even pace; refused for thirty seconds."""
    span_s = max(400.0, count / 5000)
    intended = np.linspace(0, span_s * 1e9, count, dtype=np.int64)
    bad = (intended >= out_s[0] * 1e9) & (intended < out_s[1] * 1e9)
    small = {name: np.zeros(count, np.uint8) for name in ("detail", "sends")}
    seq = np.arange(count, dtype=np.uint32)
    return Operations(
        worker=np.zeros(count, np.uint16), seq=seq, record=seq,
        workload=np.full(count, Workload.ORDER_CAPTURE.code, np.uint8),
        kind=np.full(count, Kind.CREATE, np.uint8), stage=np.full(count, Stage.CREATED, np.uint8),
        flags=np.full(count, Flag.FINAL, np.uint8),
        outcome=np.where(bad, Outcome.REFUSED, Outcome.ACKED).astype(np.uint8),
        answer=np.zeros(count, np.uint32), value_cents=np.full(count, 4800, np.uint32),
        digest=np.arange(1, count + 1, dtype=np.uint64), intended_ns=intended,
        sent_ns=intended + 100_000, done_ns=intended + 5_000_000, **small,
    )  # fmt: skip


def survivors(of: Operations) -> Survivors:
    """Everything that was acknowledged, but one."""
    there = np.flatnonzero(of.outcome == Outcome.ACKED)[1:]
    ones = np.ones(len(there), np.uint8)
    return Survivors(
        workload=of.workload[there], worker=of.worker[there], seq=of.seq[there], stage=of.stage[there],
        digest=of.digest[there], document=np.zeros(len(there), np.uint64), parts=ones,
        expected_parts=ones,
    )  # fmt: skip


def watch_of(of: Operations) -> Watch:
    return Watch(100 * _S, 100 * _S, until_ns=int(of.intended_ns[-1]), window_ns=10 * _S)


def measured(of: Operations, there: Survivors) -> tuple[int, int]:
    """(RTO's high end in ns, records lost): what the judge computes of one workload.

    As the judge does it: the calls a portion at a time, arrivals and schedule by stretches of time.
    """
    code = Workload.ORDER_CAPTURE.code
    times = InTime(STRETCH_NS)
    for calls, _ in portions(of, there):
        times.add(arrivals_of(calls, {code: 2 * _S}))
    due = Due.of(of.intended_ns)
    rto = recovery_time(times.of(code), due, watch_of(of), target_ns=60 * _S)
    lost = 0
    for calls, found in portions(of, there):
        records = records_of(calls)
        lost += int(np.count_nonzero(classify(records, held_by(records, found)).lost))
    return rto.high_ns or 0, lost


def portions(of: Operations, there: Survivors) -> Iterator[tuple[Operations, Survivors]]:
    """So many keys at a time, each a view: one worker's calls, and the rows of them, in order."""
    for first in range(0, len(of), SLOTS_AT_ONCE):
        edges = np.array([first, first + SLOTS_AT_ONCE], dtype=there.seq.dtype)  # no cast of all
        begin, end = np.searchsorted(there.seq, edges).tolist()
        calls, rows = slice(first, first + SLOTS_AT_ONCE), slice(begin, end)
        yield (
            Operations(**{f.name: getattr(of, f.name)[calls] for f in fields(Operations)}),
            Survivors(**{f.name: getattr(there, f.name)[rows] for f in fields(Survivors)}),
        )


def in_python(of: Operations, there: Survivors) -> tuple[int, int]:
    """The same two figures, as one would write them without arrays: rows, dicts, one pass each."""
    rows = list(zip(of.seq.tolist(), of.intended_ns.tolist(), of.done_ns.tolist(),
                    of.outcome.tolist(), strict=True))  # fmt: skip
    fault = 100 * _S
    bins: dict[int, list[int]] = {}
    for _, intended, done, outcome in rows:
        if intended >= fault:
            one = bins.setdefault((intended - fault) // _S, [0, 0])
            one[0] += 1
            one[1] += outcome == Outcome.ACKED and done - intended <= 2 * _S
    last_bad = max((b for b, (total, good) in bins.items() if good < 0.99 * total), default=-1)
    back = min((done for _, i, done, o in rows if o == Outcome.ACKED and i >= fault
                and (i - fault) // _S >= last_bad), default=fault)  # fmt: skip
    kept = dict(zip(there.seq.tolist(), there.digest.tolist(), strict=True))
    lost = sum(o == Outcome.ACKED and seq not in kept for seq, _, _, o in rows)
    return back - fault, lost


def recovery(job: Job) -> Row:
    count, few = job.pick(2_000_000, ASKED), job.pick(100_000, 500_000)
    of, small = operations(count), operations(few)
    there, few_there = survivors(of), survivors(small)
    if measured(of, there)[1] != 1 or in_python(small, few_there)[1] != 1:
        raise RuntimeError("one record is missing, and that is not what was found")
    ways: dict[str, Callable[[], float]] = {
        "ours": lambda: _per(count, lambda: measured(of, there)),
        "python": lambda: _per(few, lambda: in_python(small, few_there)),
    }
    found = in_turn(ways, job.pick(3, 5))
    ours = Spread.of([s * ASKED for s in found["ours"]])
    return Row(
        "RTO and RPO from 10 M operations", f"at most {WANTED_S:g} s",
        ours.text(" s") + ("" if count == ASKED else f", by {count:,} operations"),
        f"pure Python, by {few:,}: {ratios(found['python'], found['ours']).text('x')} as long",
        held(ours.median <= WANTED_S),
        "" if ours.median <= WANTED_S else
        "one core: some forty passes over a portion that fits the cache, about a nanosecond each",
        {"ours s": ours.median},
    )  # fmt: skip


def _per(count: int, what: Callable[[], object]) -> float:
    begun = time.perf_counter()
    what()
    return (time.perf_counter() - begun) / count


def report(job: Job) -> Row:
    """From the run directory to the page, in a process of its own, at two sizes above what is held
    at once: so what grows is told from what does not."""
    sizes = job.pick(600_000, 1_200_000), job.pick(2_000_000, 8_000_000)
    found = [reported(job.folder(f"report-{n}"), n) for n in sizes]
    small, large = found
    grown = (sizes[1] - sizes[0]) / 1e6
    s_per_m = (large["s"] - small["s"]) / grown
    mb_per_m = (large["mb"] - small["mb"]) / grown
    html_mb = large["html_bytes"] / 1e6
    left_m = DAY_M - sizes[1] / 1e6
    day_s, day_mb = large["s"] + s_per_m * left_m, large["mb"] + mb_per_m * left_m
    return Row(
        "report of a day's drill (100 M operations)",
        f"at most {REPORT_S:g} s, {REPORT_MB:g} MB; HTML of at most {HTML_MB:g} MB",
        f"at {sizes[1]:,}: {large['s']:.1f} s of CPU, {large['mb']:.0f} MB, HTML {html_mb:.2f} MB; "
        f"every million more {s_per_m:.2f} s and {mb_per_m:.0f} MB, so by reckoning {day_s:.0f} s "
        f"and {day_mb / 1000:.1f} GB",
        "itself at another size",
        held(day_s <= REPORT_S and day_mb <= REPORT_MB and html_mb <= HTML_MB),
        "" if day_s <= REPORT_S and day_mb <= REPORT_MB else
        "the evidence is hashed, which alone takes about ten seconds, and judged again before it is "
        "shown: each slot is read four times, and records are classified twice, for the money anew",
        {"sizes": sizes, "s": [f["s"] for f in found], "mb": [f["mb"] for f in found],
         "html bytes": large["html_bytes"]},
    )  # fmt: skip


def reported(folder: Path, count: int) -> dict[str, Any]:
    """Make such a run, then judge and show it: each in a process of its own."""
    run = _told("tests.bench.made_run", str(folder), str(count))
    told: dict[str, Any] = json.loads(_told("tests.bench.judging", run))
    shutil.rmtree(run)
    return told


def _told(module: str, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", module, *words], cwd=ROOT, check=False, capture_output=True,
        text=True, timeout=900,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(done.stderr.strip()[-500:])
    return done.stdout.strip()


def main() -> None:
    """Judge and show one stored run, as `peakdrill report` does; print what it took."""
    from harness.evidence.load import load_record
    from reports.html import render_html

    run = Path(sys.argv[1])
    begun = time.process_time()
    page = render_html(load_record(run))
    took = time.process_time() - begun
    (run.parent / "report.html").write_text(page)
    status = Path("/proc/self/status").read_text()  # getrusage would tell our parent's peak
    kb = int(status.split("VmHWM:")[1].split()[0])
    print(json.dumps({"s": took, "mb": kb / 1024, "html_bytes": len(page.encode())}))


if __name__ == "__main__":
    main()
