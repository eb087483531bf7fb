"""The witness: marks, from outside, when the platform changes its leader and is whole again."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from harness.core.timeline import Mark, MarkName
from harness.errors import PlatformError
from harness.evidence import events, layout
from harness.evidence.rundir import RunDirectory
from harness.platforms.capabilities import Database, Platform

_EVERY_S = 0.25


@contextmanager
def witness(platform: Platform, run: RunDirectory) -> Iterator[None]:
    """While within: poll the leader in a thread of its own and mark each change."""
    if platform.database is None:
        yield
        return
    over = threading.Event()
    thread = threading.Thread(target=_watch, args=(platform.database, run, over), daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(10)


def _watch(database: Database, run: RunDirectory, over: threading.Event) -> None:
    leader, seen_ns = _leader(database), time.monotonic_ns()
    while not over.wait(_EVERY_S):
        before_ns, now, after_ns = seen_ns, _leader(database), time.monotonic_ns()
        seen_ns = after_ns
        if over.is_set():  # it hung while the drill went on: by now the marks may be sealed
            return
        if now is not None and leader is not None and now != leader:
            note = f"{leader} -> {now}"
            events.append(
                run / layout.EVENTS, Mark(MarkName.FAILED_OVER, before_ns, after_ns, note)
            )
        leader = now or leader


def _leader(database: Database) -> str | None:
    with suppress(PlatformError, OSError):
        return database.leader()
    return None
