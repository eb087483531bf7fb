"""The capability `isolation`: a node that is gone and yet not dead.

Beside the protocols of capabilities.py. Which ways a platform has, its capabilities say:
`faults.container-pause` (frozen), `faults.container-disconnect` (cut off).
"""

from __future__ import annotations

from typing import Protocol

from harness.errors import FaultError
from harness.platforms.capabilities import Instant, Platform

PAUSE, DISCONNECT = "faults.container-pause", "faults.container-disconnect"


class Isolation(Protocol):
    """Every call raises FaultError or PlatformError; what cannot be found out is never guessed."""

    def freeze(self, node: str) -> Instant:
        """Every process of the node stands still at once; returns when that was observed."""

    def thaw(self, node: str) -> None:
        """Everything goes on where it stood. Harmless when nothing is frozen."""

    def is_frozen(self, node: str) -> bool:
        """All of it stands still."""

    def may_be_frozen(self, node: str) -> bool:
        """Any part of it stands still."""

    def cut_off(self, node: str) -> Instant:
        """Its processes go on, and nothing reaches them or comes from them; observed."""

    def rejoin(self, node: str) -> None:
        """On the network again, at the same addresses. Harmless when it is."""

    def is_cut_off(self, node: str) -> bool:
        """All of it is alive, and on no network."""

    def may_be_cut_off(self, node: str) -> bool:
        """Any part of it is on no network."""


def isolation_of(platform: Platform, name: str) -> Isolation:
    """Raises FaultError where the platform lacks it. `name`: of the capability."""
    found: Isolation | None = getattr(platform, "isolation", None)
    if found is None:
        raise FaultError(
            f"the platform lacks the capability {name}",
            next_step="use a platform of kind containers",
        )
    return found
