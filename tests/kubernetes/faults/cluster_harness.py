"""A harness to be killed: makes a fault in a cluster and tells how far it came."""

import json
import os
import sys
import time
from pathlib import Path

from cluster_platform import platform_at

from harness.faults.experiment import find_experiment
from harness.faults.injection import injection

platform, run, name = platform_at(Path(sys.argv[1])), Path(sys.argv[2]), sys.argv[3]
with injection(find_experiment(name), json.loads(sys.argv[4]), platform, run) as fault:
    fault.inject()
    print(f"begun {fault.pid}", flush=True)
    acts = fault.await_effect(within_s=120)
    print("active" if acts else f"no effect: {fault.why}", flush=True)
    time.sleep(600)
os._exit(3)
