"""A harness to be killed: holds a node loss on a platform and says `active`."""

import os
import sys
import time
from pathlib import Path

from harness.faults.experiment import find_experiment
from harness.faults.injection import injection
from harness.platforms.find import platform_at

platform, run = platform_at(Path(sys.argv[1])), Path(sys.argv[2])
with injection(find_experiment("node-loss"), {"node": "primary"}, platform, run) as fault:
    fault.inject()
    assert fault.await_effect(within_s=120), fault.why
    print(f"active {fault.pid}", flush=True)
    time.sleep(600)
os._exit(3)
