"""Another machine's clock, for a process of this one: ahead, at another pace, and it may step.

PEAKDRILL_TEST_CLOCK: {"ahead_ns": N, "ppm": N, "step_file": path}; the file holds a step in ns.
"""

import json
import os
import time
from pathlib import Path

_LOOK_EVERY_NS = 50_000_000


def _skew(ahead_ns: int, ppm: int, step_file: str) -> None:
    true_ns, began_ns = time.monotonic_ns, time.monotonic_ns()
    state = {"look": began_ns, "step": 0}

    def monotonic_ns() -> int:
        now_ns = true_ns()
        if now_ns >= state["look"]:
            state["look"] = now_ns + _LOOK_EVERY_NS
            if Path(step_file).exists():
                state["step"] = int(Path(step_file).read_text())
        # of the machine's own time, so that all processes of one pod agree
        return now_ns + ahead_ns + state["step"] + now_ns * ppm // 1_000_000

    time.monotonic_ns = monotonic_ns
    time.monotonic = lambda: monotonic_ns() / 1e9


if told := os.environ.get("PEAKDRILL_TEST_CLOCK"):
    _skew(**json.loads(told))
