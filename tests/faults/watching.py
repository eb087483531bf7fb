"""Observing, with limits that only a defect reaches."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

PATIENCE_S = 120.0  # a loaded machine may be slow; no sound test waits this long


def until(reached: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not reached():
        assert time.monotonic() < deadline, f"never seen: {what}"
        time.sleep(0.02)


def is_gone(pid: int) -> bool:
    """No process, or a zombie that somebody else has to collect."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except (ProcessLookupError, FileNotFoundError):
        return True
