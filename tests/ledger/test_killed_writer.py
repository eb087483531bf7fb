"""SIGKILL at random instants: nothing that was acknowledged is lost, nothing half is ACKED."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time

import pytest

from harness.core.operation import Outcome
from harness.ledger.reader import read_ledger

WRITER = """
import os, sys
from pathlib import Path
from harness.core.operation import Kind, Outcome, Workload
from harness.ledger.writer import LedgerWriter

ledger = LedgerWriter(Path(sys.argv[1]), run_id="r1", worker=0, chunk_slots=64, sync_every_s=0.005)
told = os.open(sys.argv[2], os.O_WRONLY)
what = {"workload": Workload.ORDER_CAPTURE, "kind": Kind.CREATE}
while True:
    seq = ledger.intent(intended_ns=ledger.next_seq + 1, sent_ns=ledger.next_seq + 2, **what)
    os.write(told, b"i%d\\n" % seq)  # only now would it be sent
    ledger.outcome(seq, done_ns=seq + 3, outcome=Outcome.ACKED)
    os.write(told, b"a%d\\n" % seq)  # only now would somebody rely on it
"""


@pytest.mark.parametrize("number", range(12))
def test_a_killed_writer_loses_nothing(tmp_path, number):
    rng = random.Random(number)
    path, told = tmp_path / "worker-0.slots", tmp_path / "told"
    told.touch()
    process = subprocess.Popen([sys.executable, "-c", WRITER, path, told])
    enough = rng.randrange(1, 60_000)
    while told.stat().st_size < enough:
        assert process.poll() is None
        time.sleep(0.0005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    words = told.read_text().split("\n")[:-1]
    acknowledged = [int(w[1:]) for w in words if w.startswith("a")]
    intended = [int(w[1:]) for w in words if w.startswith("i")]
    read, health = read_ledger(path)
    assert not health.closed
    assert health.torn == 0
    assert read.seq.tolist() == list(range(len(read)))
    assert len(read) >= len(intended), "sent without an intent on record"
    assert len(read) <= len(intended) + 1
    acked = set(read.seq[read.outcome == Outcome.ACKED].tolist())
    assert set(acknowledged) <= acked
    assert len(acked) <= len(acknowledged) + 1
    assert (read.sent_ns == read.seq.astype("int64") + 2).all()
