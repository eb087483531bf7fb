"""What every kind of platform that peakdrill brings up can be asked for, as a module.

`harness/platforms/<kind>/kind.py` has these functions; find.py is the only one that calls them.
An Odoo of somebody's own is none of these: it is adopted, never started and never ended.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from harness.core.plan import PlatformFacts
from harness.planning import Pace
from harness.platforms.capabilities import Platform
from harness.progress import Progress


class Kind(Protocol):
    """The file is its platform.yaml; None: as it is without one."""

    def facts(self, file: Path | None) -> PlatformFacts:
        """What it would say of itself; nothing is started."""

    def pace(self, file: Path | None) -> Pace:
        """How quick it is, as its owner says."""

    def start(self, file: Path | None, *, agreed: bool, progress: Progress | None) -> Platform:
        """Bring it up, and return when it is whole. `agreed`: a person said yes to that.

        Raises Refused before anything was started, PlatformError.
        """

    def running(self, file: Path | None) -> Platform | None:
        """The one that is up, None when there is none. Raises Refused where several are meant."""

    def every(self) -> tuple[Platform, ...]:
        """All that are up."""

    def attach(self, directory: Path) -> Platform:
        """The one that lives in a folder. Raises Refused where none does."""

    def is_as(self, file: Path, platform: Platform) -> bool:
        """Whether one that is up is set up as the file says."""
