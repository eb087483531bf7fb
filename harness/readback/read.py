"""Read back twice: once the load and the longest server timeout are over, and once settled."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from harness.core.plan import Plan
from harness.core.timeline import Mark, MarkName
from harness.evidence import events, layout
from harness.evidence.rundir import RunDirectory
from harness.json_text import parsed
from harness.platforms.capabilities import Platform
from harness.progress import Progress
from harness.readback.settle import await_settled
from harness.readback.survivors import Look, look, save


def read_back(
    plan: Plan,
    platform: Platform,
    run: RunDirectory,
    progress: Progress,
    meanwhile: Callable[[], None] | None = None,
) -> int | None:
    """Save both looks. Returns when queues and replay had settled, None when they had not.

    `meanwhile`: what may be done, and needs no platform, while a time-out is waited out.
    """
    limits, endpoints = plan.limits, platform.endpoints()
    progress.phase("waiting out the longest server timeout", limits.server_timeout_s)
    over_s = time.monotonic() + limits.server_timeout_s
    if meanwhile is not None:
        meanwhile()
    time.sleep(max(0.0, over_s - time.monotonic()))
    progress.phase("reading back", None)
    run.save_look(_look("first", platform, plan.run_id, settled=False))
    _mark(run, MarkName.READ_BACK_FIRST)
    progress.phase("letting queues drain", limits.settle_s)
    settled, why = await_settled(endpoints, limits.settle_s)
    settled_ns = time.monotonic_ns()
    if settled:
        _mark(run, MarkName.SETTLED)
    else:
        progress.say(f"queues did not drain within {limits.settle_s:g} s: {why}")
    progress.phase("reading back once more", None)
    run.save_look(_look("second", platform, plan.run_id, settled=settled))
    _mark(run, MarkName.READ_BACK_SECOND)
    return settled_ns if settled else None


def _look(name: str, platform: Platform, run_id: str, *, settled: bool) -> Look:
    """One look, and a second try where a store did not answer: that voids even a proven loss."""

    def once() -> Look:
        endpoints, filestore = platform.endpoints(), platform.filestore
        clock = time.monotonic_ns
        return look(name, endpoints, run_id, filestore=filestore, clock=clock, settled=settled)

    found = once()
    return found if found.complete else once()


def _mark(run: RunDirectory, name: MarkName) -> None:
    now_ns = time.monotonic_ns()
    events.append(run / layout.EVENTS, Mark(name, now_ns, now_ns, ""))


def look_again(name: str, platform: Platform, run: Path, run_id: str) -> None:
    """One more look, in the middle of a run and while the load may go on; saved by its name."""
    save(_look(name, platform, run_id, settled=False), run / layout.READBACK)


def rows_read(name: str, run: Path) -> int | None:
    """How many records a saved look holds; None where it was not whole, or never taken."""
    head = run / layout.READBACK / f"{name}.json"
    if not head.exists() or not parsed(head.read_text(encoding="utf-8"))["complete"]:
        return None
    return len(np.load(head.with_suffix(".npy"), allow_pickle=False))
