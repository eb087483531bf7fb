"""The generator against an application that keeps its own log."""

from __future__ import annotations

import numpy as np
import pytest

from harness.core.operation import Kind, Outcome, Workload, key_of
from harness.core.schedule import Shape, arrivals_ns
from harness.ledger.reader import read_from, read_ledgers


@pytest.mark.alone
def test_a_load_follows_its_schedule_and_records_every_call(stub, make_load):
    port, log, _ = stub
    load = make_load(port, max_s=6)
    load.prepare()
    load.start()
    assert load.process.wait(60) == 0, load.output.read_text()
    operations, (health,) = read_ledgers(load.ledgers)
    status = load.status()
    assert health.closed
    assert health.torn == health.dropped == 0
    assert status["stopped_by"] == "max_s"
    assert status["troubles"] == []
    assert status["calls"] == len(operations)
    assert set(operations.outcome) == {Outcome.ACKED}
    for workload in Workload:
        due = arrivals_ns(
            rate_per_s=load.plan["workloads"][workload]["rate_per_s"] * 2.0,
            shape=Shape("steady", ((0, 1.0),)), until_s=6, seed=7, workload_code=workload.code,
        )  # fmt: skip
        mine = operations.where(operations.workload == workload.code)
        one = (mine.kind == Kind.CREATE) | (mine.kind == Kind.READ) | (mine.kind == Kind.REPORT)
        first = mine.where(one & (mine.flags & 1 == 0))
        sent = np.sort(first.intended_ns) - load.plan["begin_ns"]
        assert np.array_equal(sent, due)
    answered = {line.split()[2] for line in log.read_text().splitlines()}
    created = operations.where((operations.kind == Kind.CREATE) & (operations.workload != 2))
    assert {key_of("t0", 0, int(s)) for s in created.seq} <= answered


@pytest.mark.alone
def test_a_till_keeps_what_was_not_taken_and_hands_it_over_afterwards(proxy, make_load, until):
    port, say = proxy
    load = make_load(port, rates={"point-of-sale": 10})
    load.prepare()
    load.start()
    ledger = load.ledgers / "worker-0.slots"
    until(lambda: ledger.exists() and len(read_from(ledger, 0)) > 50)
    say("cut")
    until(lambda: len(_unsold(read_from(ledger, 0))) > 20)
    say("mend")
    until(lambda: not _unsold(read_from(ledger, 0)))
    load.close()
    operations, (health,) = read_ledgers(load.ledgers)
    assert health.closed
    assert load.status()["till_backlog"] == 0
    assert not _unsold(operations)
    resyncs = operations.where(operations.kind == Kind.RESYNC)
    digest = dict(zip(operations.seq.tolist(), operations.digest.tolist(), strict=True))
    assert [digest[r] for r in resyncs.record.tolist()] == resyncs.digest.tolist()
    # while nobody answers, a till offers its oldest sale once a second, and no other
    assert np.count_nonzero(resyncs.outcome != Outcome.ACKED) <= 0.5 * len(resyncs)


def _unsold(operations) -> set[int]:
    """Sales (not canaries) that were neither taken at once nor handed over since."""
    sales = operations.where((operations.kind == Kind.CREATE) & (operations.flags & 1 == 0))
    open_ones = set(sales.seq[sales.outcome > Outcome.ACKED].tolist())
    done = (operations.kind == Kind.RESYNC) & (operations.outcome == Outcome.ACKED)
    return open_ones - set(operations.record[done].tolist())
