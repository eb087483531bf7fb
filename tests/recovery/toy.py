"""A runbook of toy steps on a platform of files, and a death at any point of any step."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from harness.core.timeline import MarkName
from harness.recovery import facts
from harness.recovery.facts import Course, file_of
from harness.recovery.ground import Ground
from harness.recovery.steps import Runbook, Step
from tests.core import simulate
from tests.faults.file_platform import FilePlatform

RUN_ID = "r1"
NAMES = ("close", "choose", "restore", "open")
POINTS = ("before", "half", "after", "seen")

Strike = Callable[[str, str], None]  # (step, point)


def unharmed(_step: str, _point: str) -> None:
    """Nobody dies."""


class World:
    """What the steps act on: one file a step, and a log of every deed that was begun."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def log(self, deed: str) -> None:
        with (self.directory / "deeds.log").open("a") as log:
            log.write(deed + "\n")

    def deeds(self) -> list[str]:
        log = self.directory / "deeds.log"
        return log.read_text().split() if log.exists() else []

    def effects(self) -> dict[str, str]:
        return {f.stem: f.read_text() for f in sorted(self.directory.glob("*.effect"))}

    def act(self, name: str, text: str, strike: Strike) -> None:
        """In two halves, so that a death can come between them."""
        self.log(name)
        strike(name, "before")
        (self.directory / f"{name}.half").write_text(text)
        strike(name, "half")
        (self.directory / f"{name}.half").rename(self.directory / f"{name}.effect")
        strike(name, "after")


def book(strike: Strike = unharmed) -> Runbook:
    """Four steps; the third acts on what the second has chosen, by a fact alone."""

    def step(name: str, text: Callable[[Ground], str]) -> Step:
        def do(ground: Ground) -> None:
            World(ground.platform.directory).act(name, text(ground), strike)

        def seen(ground: Ground) -> str | None:
            found = World(ground.platform.directory).effects().get(name)
            if found is not None:
                strike(name, "seen")
            return found and f"{name} is {found}"

        mark = MarkName.RESTORED if name == "restore" else None
        return Step(name, f"{name} it", do, seen, limit_s=20, mark=mark, decision="whether")

    def chosen(ground: Ground) -> str:
        if "chosen" not in ground.facts:  # a second choice would find another one
            before = World(ground.platform.directory).deeds().count("choose")
            ground.facts["chosen"] = f"backup-{before}"
        return ground.facts["chosen"]

    return Runbook(
        "toy",
        "A toy",
        (
            step("close", lambda _: "closed"),
            step("choose", chosen),
            step("restore", lambda ground: f"restored from {ground.facts['chosen']}"),
            step("open", lambda ground: ground.parameters["how"]),
        ),
    )


def course(run: Path) -> Course:
    return Course("toy", RUN_ID, str(run), {"how": "wide"}, simulate.TARGETS)


def ground(platform: FilePlatform, run: Path, **how: object) -> Ground:
    """As a drill makes it: with a file that survives."""
    file = file_of(platform.directory, RUN_ID)
    return replace(Ground.of(platform, course(run), file=file), **how)


def in_a_process_that_dies(work: Callable[[], object]) -> bool:
    """Run `work` in a fork; True when it was killed, False when it came to its end."""
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException:  # noqa: BLE001  a fork never returns into the tests
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, "neither killed nor done"
    return os.WIFSIGNALED(status)


def striking(step: str, point: str) -> Strike:
    """Killed at one point of one step, the first time that it comes by."""

    def strike(now_step: str, now_point: str) -> None:
        if (now_step, now_point) == (step, point):
            os.kill(os.getpid(), signal.SIGKILL)

    return strike


def die_at_sync(number: int) -> None:
    """In this process: killed at the n-th time that something is about to be on disk."""
    left = [number]

    def sync(_folder: Path) -> None:
        left[0] -= 1
        if left[0] < 0:
            os.kill(os.getpid(), signal.SIGKILL)

    facts._sync_folder = sync
