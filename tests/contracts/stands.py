"""One way to start each kind of platform. What the suite asks of them is the same for all."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import pytest

from harness.errors import Refused
from harness.platforms import find
from harness.platforms.capabilities import NAMES, Platform
from harness.platforms.embedded.waiting import await_ready

WHOLE_S = 240.0
HOOKS = (("stop", "kill"), ("start", "up"))
# A capability's names, by the attribute that offers it.
ATTRIBUTES = {
    "nodes": {"nodes"},
    "database": {"database", "database.standby", "database.damage"},
    "backups": {"backups"},
    "secrets": {"secrets"},
    "audit": {"audit"},
    "ingress": {"ingress"},
    "filestore": {"filestore"},
    "clean_room": {"clean-room"},
    "commands": {"faults.command"},
    "isolation": {"faults.container-pause", "faults.container-disconnect"},
    "cluster_faults": {"faults.cluster"},
}
# Those that are places to look, and no attribute.
PLACES: dict[str, Callable[[Platform], object]] = {
    "application": lambda platform: platform.endpoints().application_url,
    "cache": lambda platform: platform.endpoints().queue_url,
    "integrations": lambda platform: platform.endpoints().partners_url,
}


@dataclass(frozen=True)
class Kind:
    """A kind of platform, and how a test session says that it has to be there."""

    name: str
    required: str  # an environment variable; "" where it always is
    file: str = ""  # an environment variable that may name a platform.yaml


CONTAINERS = Kind("containers", "PEAKDRILL_REQUIRE_CONTAINERS")
KUBERNETES = Kind(
    "kubernetes", "PEAKDRILL_REQUIRE_KUBERNETES", "PEAKDRILL_KUBERNETES_PLATFORM"
)  # fmt: skip


@contextmanager
def started(kind: Kind, folder: Path) -> Iterator[Platform]:
    """The one that the session has up already, else one of our own; ended by whoever started it.

    Skipped with the reason where it cannot be had and nobody demands it.
    """
    file = file_of(kind, folder)
    try:
        there = find.running(kind.name, file)
        platform = there or find.start(kind.name, file, agreed=True)
    except Refused as error:
        missing(kind, error.what)
    try:
        yield platform
    finally:
        if there is None:
            platform.down()
    assert there is not None or not platform.directory.exists()


def file_of(kind: Kind, folder: Path) -> Path | None:
    """As the environment names it; else of a test cluster whose tool is named by CLUSTER."""
    named, tool = os.environ.get(kind.file or "-", ""), os.environ.get("CLUSTER", "")
    if named:
        return Path(named)
    if not kind.file or not os.access(tool, os.X_OK):
        return None
    hooks = {word: [tool, f"node-{deed}", "{number}"] for word, deed in HOOKS}
    file = folder / "contract-platform.yaml"
    told = {"kind": kind.name, "disposable": True, "nodes": {**hooks, "limit_s": 60}}
    file.write_text(json.dumps(told))  # JSON is YAML
    return file


def missing(kind: Kind, why: str) -> NoReturn:
    if os.environ.get(kind.required) == "1":
        pytest.fail(f"{why}, and {kind.required}=1 demands it")
    pytest.skip(f"not run: {why}")


def needs(platform: Platform, *names: str) -> None:
    """Skips, with the reason, what this platform does not say that it can."""
    facts = platform.facts()
    if lacking := [name for name in names if name not in facts.capabilities]:
        pytest.skip(f"{facts.name} lacks {', '.join(lacking)}")


def lacks(platform: Platform) -> list[str]:
    """What a scenario could ask for, and this platform has not."""
    return [name for name in NAMES if name not in platform.facts().capabilities]


def await_whole(platform: Platform) -> None:
    """What is missing is told where it does not become whole in time."""
    seen: list[tuple[str, ...]] = []

    def look() -> bool:
        seen.append(platform.whole().missing)
        return not seen[-1]

    try:
        await_ready("the platform", look, within_s=WHOLE_S, poll_s=0.5)
    except Exception as error:
        raise AssertionError(f"not whole within {WHOLE_S:g} s: {seen[-1]}") from error
