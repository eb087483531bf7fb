"""A platform by name, by folder, or the one that is up.

Only here is a platform's name turned into its code; each is imported when it is asked for.
"""

from __future__ import annotations

from pathlib import Path

from harness.errors import UsageError
from harness.platforms.capabilities import Platform
from harness.progress import Progress

NAMES = ("embedded",)


def start(
    name: str,
    *,
    directory: Path | None = None,
    synchronous: bool = True,
    dialect: int = 19,
    fresh: bool = False,
    progress: Progress | None = None,
) -> Platform:
    """Bring a platform up. Raises UsageError for an unknown name, Refused, PlatformError."""
    if name not in NAMES:
        raise UsageError(f"no platform {name!r}", next_step=f"one of: {', '.join(NAMES)}")
    from harness.platforms.embedded.platform import up

    return up(directory, synchronous=synchronous, dialect=dialect, fresh=fresh, progress=progress)


def running() -> Platform | None:
    """The platform that is up, None when there is none."""
    from harness.platforms.embedded.platform import find

    return find()


def platform_at(directory: Path) -> Platform:
    """The platform that lives in a folder. Raises Refused where none does."""
    from harness.platforms.embedded.platform import attach

    return attach(directory)
