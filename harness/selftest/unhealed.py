"""A fault that does not heal: a standby is lost for real, and nobody can mend it.

The undo's lock is held from the effect until the run is over, as by an undo that hangs. Then it is
let go, the node is mended as after any crash, and the platform is whole again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from harness.core.timeline import MarkName
from harness.errors import FaultError, PeakdrillError
from harness.evidence import events, layout
from harness.faults import journal, undo
from harness.platforms.capabilities import Platform

DEFECT, CONDITION = "fault-did-not-heal", "healed"
WHAT = "a standby is lost, and its undo is kept from it until the run is over"
HEAL_S = 2.0
_LOOK_S, _LOCK_S, _WHOLE_S, _APART_S = 0.1, 5.0, 180.0, 0.5


def why_not_here(platform: Platform) -> str:
    """Why nobody may lose a node here; "" where one may."""
    if platform.nodes is None:
        return "skipped: the platform lacks nodes"
    if not platform.facts().disposable:
        return "skipped: a node would be lost for real, and this platform is not disposable"
    return ""


@contextmanager
def kept_from_healing(platform: Platform, run: Path) -> Iterator[list[str]]:
    """Hold the undo's lock once the fault is active. Yields why it could not be: () when it was."""
    why: list[str] = []
    over = threading.Event()
    thread = threading.Thread(target=_hold, args=(platform, run, over, why), daemon=True)
    thread.start()
    try:
        yield why
    finally:
        over.set()
        thread.join(_LOCK_S + 5)
        mend(platform)


def _hold(platform: Platform, run: Path, over: threading.Event, why: list[str]) -> None:
    if not _active(run, over):
        why.append("the fault never took effect")
        return
    try:
        with journal.locked(platform.directory, within_s=_LOCK_S):
            over.wait()
    except PeakdrillError as error:
        why.append(error.what)


def _active(run: Path, over: threading.Event) -> bool:
    while not over.wait(_LOOK_S):
        with suppress(PeakdrillError, OSError):
            if events.read(run / layout.EVENTS).timeline.first(MarkName.FAULT_ACTIVE):
                return True
    return False


def mend(platform: Platform) -> None:
    """Undo what is left, and wait until all is there again. Raises FaultError."""
    undo.replay(platform, within_s=_WHOLE_S)
    until = time.monotonic() + _WHOLE_S
    while not (seen := platform.whole()).whole:
        if time.monotonic() >= until:
            raise FaultError(
                f"the node that was lost is not all there again: {'; '.join(seen.missing)}",
                next_step="peakdrill platform down, then up",
            )
        time.sleep(_APART_S)
