"""A platform by name, by folder, or the one that is up.

Only here is a platform's name turned into its code; each is imported when it is asked for.
"""

from __future__ import annotations

from pathlib import Path

from harness.core.plan import PlatformFacts
from harness.errors import UsageError
from harness.inputs.platform_file import KINDS, PlatformOptions, read_platform
from harness.platforms.capabilities import Platform
from harness.progress import Progress


def start(
    name: str, platform_file: Path | None = None, *, progress: Progress | None = None
) -> Platform:
    """Bring a platform up, and return when it is whole.

    Raises UsageError for an unknown name, Refused before anything was started, PlatformError.
    """
    options = _options(name, platform_file)
    from harness.platforms.embedded.platform import up

    return up(
        synchronous=options.synchronous,
        dialect=options.dialect,
        leader_ttl_s=options.leader_ttl_s,
        ingress_port=options.ingress_port,
        progress=progress,
    )


def facts_of(name: str, platform_file: Path | None = None) -> PlatformFacts:
    """What a platform would say of itself; nothing is started."""
    options = _options(name, platform_file)
    from harness.platforms.embedded.platform import facts

    return facts(synchronous=options.synchronous, leader_ttl_s=options.leader_ttl_s)


def running() -> Platform | None:
    """The platform that is up, None when there is none."""
    from harness.platforms.embedded.platform import find

    return find()


def platform_at(directory: Path) -> Platform:
    """The platform that lives in a folder. Raises Refused where none does."""
    from harness.platforms.embedded.platform import attach

    return attach(directory)


def _options(name: str, platform_file: Path | None) -> PlatformOptions:
    options = PlatformOptions(kind=name) if platform_file is None else read_platform(platform_file)
    if name not in KINDS or options.kind != name:
        raise UsageError(f"no platform {name!r}", next_step=f"one of: {', '.join(KINDS)}")
    return options
