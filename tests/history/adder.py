"""A process that adds runs as fast as it can:  adder.py DSN FIRST LAST. Prints each as it stands."""

import sys
from dataclasses import replace
from pathlib import Path

from harness.history import open_history
from tests.history.outcomes_made import MET

print("ready", flush=True)
sys.stdin.readline()
with open_history(sys.argv[1]) as history:
    for number in range(int(sys.argv[2]), int(sys.argv[3])):
        run = replace(MET, run_id=f"run-{number}", seed=number)
        new = history.add(run, directory=Path("runs") / run.run_id)
        print("new" if new else "known", run.run_id, flush=True)
