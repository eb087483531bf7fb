"""The embedded platform as one of several kinds: see harness/platforms/kinds.py."""

from __future__ import annotations

from pathlib import Path

from harness.core.plan import PlatformFacts
from harness.inputs.platform_file import PlatformOptions, read_platform
from harness.planning import Pace
from harness.platforms.capabilities import Platform
from harness.platforms.embedded import platform as embedded
from harness.progress import Progress


def facts(file: Path | None) -> PlatformFacts:
    options = _options(file)
    return embedded.facts(synchronous=options.synchronous, leader_ttl_s=options.leader_ttl_s)


def pace(file: Path | None) -> Pace:  # noqa: ARG001  the same whatever the file says
    return Pace()


def start(
    file: Path | None,
    *,
    agreed: bool,  # noqa: ARG001  it is nobody else's
    progress: Progress | None,
) -> Platform:
    options = _options(file)
    return embedded.up(
        synchronous=options.synchronous,
        dialect=options.dialect,
        leader_ttl_s=options.leader_ttl_s,
        ingress_port=options.ingress_port,
        progress=progress,
    )


def running(file: Path | None) -> Platform | None:  # noqa: ARG001  there is one at most
    return embedded.find()


def every() -> tuple[Platform, ...]:
    found = embedded.find()
    return () if found is None else (found,)


def attach(directory: Path) -> Platform:
    return embedded.attach(directory)


def is_as(file: Path, platform: Platform) -> bool:
    same = facts(file) == platform.facts()
    return same and _options(file).dialect == platform.endpoints().version


def _options(file: Path | None) -> PlatformOptions:
    return PlatformOptions() if file is None else read_platform(file)
