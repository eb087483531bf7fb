"""A capability that is asked for by name, and named where it is lacking."""

from __future__ import annotations

from typing import TypeVar

from harness.errors import PlatformError

T = TypeVar("T")


def having(capability: T | None, name: str) -> T:
    """`having(platform.backups, "backups")`. Raises PlatformError where the platform lacks it."""
    if capability is None:
        raise PlatformError(
            f"the platform lacks the capability {name}", next_step="choose another platform"
        )
    return capability
