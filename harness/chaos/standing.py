"""Where an action stands: on which platform, for which run, and who may release it.

From the environment, since an experiment's file must hold for every run: PEAKDRILL_PLATFORM (a
platform's directory; without it the one that is up), PEAKDRILL_RUN (where marks go; without it,
by hand, they are logged), PEAKDRILL_HOLD=stdin (the harness holds our standard input) and
PEAKDRILL_HARNESS (its process).
"""

from __future__ import annotations

import logging
import os
import select
import time
from dataclasses import dataclass
from pathlib import Path

from harness.core.timeline import Mark, MarkName
from harness.errors import FaultError
from harness.evidence import events, layout
from harness.platforms.capabilities import Nodes, Platform

logger = logging.getLogger("chaostoolkit")

_STDIN = 0


@dataclass(frozen=True, slots=True)
class Standing:
    platform: Platform
    run: Path | None

    @property
    def run_id(self) -> str:
        return self.run.name if self.run else "by-hand"

    @property
    def nodes(self) -> Nodes:
        if self.platform.nodes is None:
            raise FaultError("this platform has no nodes that could be lost")
        return self.platform.nodes

    def witness(self, mark: Mark) -> None:
        write_mark(self.run, mark)

    def stamp(self, name: MarkName, note: str) -> None:
        now_ns = time.monotonic_ns()
        self.witness(Mark(name, now_ns, now_ns, note))


def standing() -> Standing:
    """Raises FaultError when there is no platform."""
    # here, not above: validating an experiment must not load every platform
    from harness.platforms.find import platform_at, running

    directory = os.environ.get("PEAKDRILL_PLATFORM")
    platform = platform_at(Path(directory)) if directory else running()
    if platform is None:
        raise FaultError("no platform is up", next_step="start one: `peakdrill platform up`")
    return Standing(platform, run_directory())


def run_directory() -> Path | None:
    run = os.environ.get("PEAKDRILL_RUN")
    return Path(run) if run else None


def write_mark(run: Path | None, mark: Mark) -> None:
    if run is not None:
        events.append(run / layout.EVENTS, mark)
    logger.info("%s: %s", mark.name.value, mark.note)


def is_released() -> bool:
    """The harness has let go already, or is dead: nothing may be broken any more."""
    return os.environ.get("PEAKDRILL_HOLD") == "stdin" and stdin_ended(wait_s=0.0)


def is_orphaned() -> bool:
    """The harness that started this experiment is dead. False by hand: there was none."""
    harness = os.environ.get("PEAKDRILL_HARNESS", "")
    return bool(harness) and str(os.getppid()) != harness


def stdin_ended(*, wait_s: float) -> bool:
    """True when standard input has come to its end within `wait_s`. What is written is skipped."""
    deadline = time.monotonic() + wait_s
    poll = select.poll()
    poll.register(_STDIN, select.POLLIN)
    while True:
        left_s = max(0.0, deadline - time.monotonic())
        if poll.poll(left_s * 1000.0):
            try:
                if os.read(_STDIN, 4096) == b"":
                    return True
            except OSError:  # no standard input at all: nobody holds us
                return True
        elif left_s == 0.0:
            return False
