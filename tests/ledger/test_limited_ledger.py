"""A file that may not grow any further, for real: what `selftest` does to a load worker."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from harness.ledger.reader import read_ledger
from harness.ledger.slots import slot_offset

WRITER = """
import resource, sys
from pathlib import Path
from harness.core.operation import Kind, Workload
from harness.ledger.writer import LedgerFull, LedgerWriter
path = Path(sys.argv[1])
ledger = LedgerWriter(path, run_id="r1", worker=0, chunk_slots=64)
resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size, resource.RLIM_INFINITY))
for number in range(65):
    try:
        ledger.intent(intended_ns=1, sent_ns=2, workload=Workload.FINANCE, kind=Kind.CREATE)
    except LedgerFull as error:
        print(number, error)
        break
ledger.close()
"""


def test_the_file_is_as_long_as_the_room_that_was_promised(tmp_path: Path) -> None:
    """So a limit on it is a full disk: the intent fails, before anything is sent."""
    path = tmp_path / "worker-0.slots"
    done = subprocess.run(
        [sys.executable, "-c", WRITER, str(path)], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("64 ledger of worker 0 cannot grow beyond 64 slots")
    assert path.stat().st_size == slot_offset(64)
    read, health = read_ledger(path)
    assert (len(read), health.closed, health.torn) == (64, False, 0)
