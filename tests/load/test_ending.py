"""How a load ends: by a closed pipe, by a signal, by its worker's death. Each can be told."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from harness.core.operation import Kind, Outcome
from harness.ledger.reader import read_from, read_ledgers


def trading(load, until, workers: int = 1):
    """Every worker has sent something."""

    def observed():
        files = [load.ledgers / f"worker-{k}.slots" for k in range(workers)]
        return all(f.exists() and len(read_from(f, 0)) > 50 for f in files)

    until(observed)


def waiting(load) -> int:
    return int((read_from(load.ledgers / "worker-0.slots", 0).outcome == Outcome.NONE).sum())


def children_of(pid: int) -> list[int]:
    task = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(word) for word in task.read_text().split()]


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("how", ["stdin", "sigterm"])
def test_a_stopped_load_closes_every_ledger(stub, make_load, until, workers, how):
    load = make_load(stub[0], workers=workers)
    load.prepare()
    load.start()
    trading(load, until, workers)
    if how == "stdin":
        load.process.stdin.close()
    else:
        load.process.send_signal(signal.SIGTERM)
    load.process.wait(30)
    operations, healths = read_ledgers(load.ledgers)
    assert [h.worker for h in healths] == list(range(workers))
    assert all(h.closed and h.torn == h.dropped == 0 for h in healths), load.output.read_text()
    for k in range(workers):
        status = load.status(k)
        assert status["stopped_by"] == how
        assert status["dispatchers"] == 1
        mine = operations.where(operations.worker == k)
        assert status["calls"] == len(mine)
        first = mine.where((mine.kind == Kind.CREATE) & (mine.record == mine.seq))
        assert first.intended_ns.max() <= status["stopped_ns"]


def test_a_killed_worker_is_missed(stub, make_load, until):
    load = make_load(stub[0], workers=2)
    load.prepare()
    load.start()
    trading(load, until, 2)
    victim = children_of(load.process.pid)[0]
    os.kill(victim, signal.SIGKILL)
    load.close()
    operations, healths = read_ledgers(load.ledgers)
    lost = [h.worker for h in healths if not h.closed]
    assert len(lost) == 1
    assert not (load.directory / "load" / f"worker-{lost[0]}.json").exists()
    assert all(h.torn == 0 for h in healths)
    # the one that is left served its own half, and not the other's
    (left,) = set(range(2)) - set(lost)
    mine = operations.where(operations.worker == left)
    assert load.status(left)["calls"] == len(mine)


def test_a_load_without_its_harness_ends(stub, make_load, until):
    """The pipe's other end dies with the harness: here its only holder is closed."""
    load = make_load(stub[0])
    load.prepare()
    load.start()
    trading(load, until)
    os.kill(stub[2].pid, signal.SIGSTOP)  # and nobody answers what is in flight
    try:
        until(lambda: waiting(load) > 20)
        load.close(within_s=40)
    finally:
        os.kill(stub[2].pid, signal.SIGCONT)
    _, (health,) = read_ledgers(load.ledgers)
    assert health.closed
