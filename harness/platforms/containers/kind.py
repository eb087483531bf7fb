"""Containers as one of several kinds of platform: see harness/platforms/kinds.py."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from harness.core.plan import PlatformFacts
from harness.errors import PeakdrillError
from harness.inputs.containers_file import ODOO, ContainersOptions, read_containers
from harness.planning import Pace
from harness.platforms.capabilities import Platform
from harness.platforms.containers import clearing, state
from harness.platforms.containers.platform import ContainersPlatform
from harness.platforms.containers.platform import facts as facts_of
from harness.platforms.containers.state import State
from harness.platforms.embedded.layout import Layout
from harness.progress import Progress, Silent

_ODOO_CANARY_S = 2.0  # as in a platform.yaml of kind odoo


def facts(file: Path | None) -> PlatformFacts:
    return facts_of(_options(file))


def pace(file: Path | None) -> Pace:
    """A real Odoo is given the time that one of kind odoo is given, where nothing else is said."""
    told, usual = _options(file).application, Pace()
    if told.kind == ODOO:
        usual = replace(usual, canary_limit_s=_ODOO_CANARY_S)
    return replace(
        usual,
        server_timeout_s=told.server_timeout_s or usual.server_timeout_s,
        canary_limit_s=told.canary_limit_s or usual.canary_limit_s,
    )


def start(
    file: Path | None,
    *,
    agreed: bool,  # noqa: ARG001  it is nobody else's
    progress: Progress | None,
) -> Platform:
    from harness.platforms.containers.up import up

    layout, _ = up(_options(file), progress or Silent())
    return ContainersPlatform(layout)


def running(file: Path | None) -> Platform | None:  # noqa: ARG001  there is one at most
    return next(iter(every()), None)


def every() -> tuple[Platform, ...]:
    """What a crash left behind is cleared. Docker is asked only where one is kept."""
    found = []
    for layout, kept in state.known():
        if kept is None:
            continue  # a start is just making it, or the next one clears it
        if not _was_cleared(layout, kept) and kept.phase == state.UP:
            found.append(ContainersPlatform(layout))
    return tuple(found)


def _was_cleared(layout: Layout, kept: State) -> bool:
    """Where Docker is silent nobody knows what runs: it is up by what is kept of it."""
    try:
        if clearing.is_drilled(layout) or not clearing.is_stale(kept):
            return False
        clearing.remove(layout)
    except PeakdrillError:
        return False
    return True


def attach(directory: Path) -> Platform:
    layout = state.layout_of(directory)
    state.load(layout)
    return ContainersPlatform(layout)


def is_as(file: Path, platform: Platform) -> bool:
    """The same images by their digests, too: a tag may have been moved since."""
    kept = state.load(state.layout_of(platform.directory))
    options = _options(file)
    return kept.options == options and facts_of(options) == platform.facts()


def _options(file: Path | None) -> ContainersOptions:
    return ContainersOptions() if file is None else read_containers(file)
