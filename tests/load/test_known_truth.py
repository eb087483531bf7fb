"""The instrument against outages whose truth somebody else wrote down.

One session of the real generator, at least 20 outages: a proxy that refuses and resets keeps a
log of its edges; an application frozen by SIGSTOP keeps a log of its answers. Every reported
interval contains what the logs say. An outage after which the machine itself stood still (a
hole in the application's own log, or a late generator) measures the machine and not the
instrument: it is made again, and the choice looks at the logs, never at the result.
"""

from __future__ import annotations

import os
import random
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from harness.core.arrivals import arrivals_of
from harness.core.operation import Workload
from harness.core.recovery_time import Watch, recovery_time
from harness.core.schedule import Shape, arrivals_ns, canary_ns
from harness.ledger.reader import read_from, read_ledgers, scheduled_lag_ns

pytestmark = pytest.mark.alone

S, MS = 10**9, 10**6
WANTED, TRIES = 20, 40
WINDOW_NS = 2 * S
WELL_FOR_S = 3.1
HOLE_NS = 100 * MS
WORKLOADS = (Workload.ORDER_CAPTURE, Workload.POINT_OF_SALE)
RATES = {WORKLOADS[0]: 10, WORKLOADS[1]: 10}
CANARY_PER_S = 20


@dataclass(frozen=True)
class Outage:
    """What the logs say: the fault's two instants, and the return's."""

    how: str
    fault: tuple[int, int]
    back: tuple[int, int]
    until_ns: int  # shortly before the next one


def state_of(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def answers(log: Path) -> np.ndarray:
    return np.array([int(line.split()[0]) for line in log.read_text().splitlines()])


def freeze(process, log: Path, for_s: float) -> tuple[tuple[int, int], tuple[int, int]]:
    before_ns = time.monotonic_ns()
    os.kill(process.pid, signal.SIGSTOP)
    while state_of(process.pid) != "T":
        pass
    fault = (before_ns, time.monotonic_ns())
    time.sleep(for_s)
    os.kill(process.pid, signal.SIGCONT)
    while (last := answers(log))[-1] <= fault[1]:
        pass
    after_ns = int(last[last > fault[1]][0])
    return fault, (after_ns, after_ns)


def cut(say, for_s: float) -> tuple[tuple[int, int], tuple[int, int]]:
    fault = say("cut")
    time.sleep(for_s)
    return fault, say("mend")


def disturbed(log: Path, ledger: Path, outage: Outage) -> bool:
    """The machine stood still in what should have been a healthy time."""
    begin, end = outage.back[1] + HOLE_NS, outage.until_ns
    times = answers(log)
    healthy = times[(times >= begin) & (times <= end)]
    holes = np.diff(np.concatenate([[begin], healthy, [end]]))
    calls = read_from(ledger, 0, at_most=1 << 20)
    lag = scheduled_lag_ns(calls.where((calls.sent_ns > outage.fault[0]) & (calls.sent_ns < end)))
    return bool(holes.max() > HOLE_NS or lag.max() > HOLE_NS)


def break_it(stub, say, ledger: Path) -> list[Outage]:
    """Outages of both kinds in turn, of lengths that nobody chose by hand."""
    rng, clean = random.Random(11), []
    _, log, process = stub
    for n in range(TRIES):
        for_s = rng.uniform(0.4, 1.6)
        how = ("cut", "freeze")[n % 2]
        fault, back = cut(say, for_s) if how == "cut" else freeze(process, log, for_s)
        time.sleep(WELL_FOR_S + rng.uniform(0, 0.2))
        outage = Outage(how, fault, back, time.monotonic_ns() - 300 * MS)
        if not disturbed(log, ledger, outage):
            clean.append(outage)
        if len(clean) == WANTED:
            break
    return clean


def due_times(load, workload: Workload) -> np.ndarray:
    arrivals = arrivals_ns(
        rate_per_s=RATES[workload] * 2.0, shape=Shape("steady", ((0, 1.0),)),
        until_s=load.plan["max_s"], seed=7, workload_code=workload.code,
    )  # fmt: skip
    grid = canary_ns(
        rate_per_s=CANARY_PER_S, until_s=load.plan["max_s"], workload_code=workload.code
    )
    return np.sort(np.concatenate([arrivals, grid])) + load.plan["begin_ns"]


@pytest.fixture
def session(stub, proxy, make_load):
    """(outages, load, operations, health) of one load session."""
    port, say = proxy
    load = make_load(port, rates=RATES, canary_per_s=CANARY_PER_S, max_s=400)
    load.prepare()
    load.start()
    ledger = load.ledgers / "worker-0.slots"
    while not ledger.exists() or len(read_from(ledger, 0)) < 200:
        time.sleep(0.05)
    time.sleep(1)
    outages = break_it(stub, say, ledger)
    load.close()
    operations, (health,) = read_ledgers(load.ledgers)
    return outages, load, operations, health


def test_every_reported_interval_contains_the_logged_truth(session, capsys):
    outages, load, operations, health = session
    assert load.status()["troubles"] == []
    assert health.closed
    assert health.torn == health.dropped == 0
    assert len(outages) >= 20, "the machine stood still too often for a measurement"
    arrivals = arrivals_of(operations, {w.code: 2 * S for w in WORKLOADS})
    lines = []
    for outage in outages:
        for workload in WORKLOADS:
            watch = Watch(
                *outage.fault, until_ns=outage.until_ns, window_ns=WINDOW_NS,
                lag_ns=health.lag_p999_ns,
            )  # fmt: skip
            mine = arrivals.where(arrivals.workload == workload.code)
            rto = recovery_time(mine, due_times(load, workload), watch, target_ns=60 * S)
            truth = (outage.back[0] - outage.fault[0], outage.back[1] - outage.fault[1])
            lines.append(
                f"{outage.how:6} {workload:13} truth {truth[0] / S:.3f} s"
                f"  reported {rto.low_ns / S:.3f} to {(rto.high_ns or 0) / S:.3f} s"
            )
            assert rto.recovered, lines[-1]
            assert rto.low_ns <= truth[1], lines[-1]
            assert truth[0] <= rto.high_ns, lines[-1]
            lines[-1] += f"  width {(rto.high_ns - rto.low_ns) / MS:.0f} ms"
    with capsys.disabled():
        print("", *lines, f"lag p99.9 {health.lag_p999_ns / MS:.1f} ms", sep="\n")
    offered_does_not_sag(outages, load, operations)


def offered_does_not_sag(outages, load, operations) -> None:
    """What was sent during the outages, against what was due: within 5%."""
    due = np.concatenate([due_times(load, w) for w in WORKLOADS])
    scheduled = operations.where(scheduled_first(operations))
    total_sent = total_due = 0
    for outage in outages:
        begin, end = outage.fault[1], outage.back[0]
        sent = int(np.count_nonzero((scheduled.sent_ns >= begin) & (scheduled.sent_ns < end)))
        wanted = int(np.count_nonzero((due >= begin) & (due < end)))
        assert abs(sent - wanted) <= max(0.05 * wanted, 3), (outage, sent, wanted)
        total_sent, total_due = total_sent + sent, total_due + wanted
    assert abs(total_sent - total_due) <= 0.05 * total_due


def scheduled_first(operations) -> np.ndarray:
    own = (operations.record == operations.seq) | (operations.kind == 6)
    return own & (operations.kind != 5)
