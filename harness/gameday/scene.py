"""Everything that conducting a day needs, in one value; and who may be asked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from harness.core.gameday import records as said
from harness.core.gameday.plan import GameDay
from harness.core.policy import Policy
from harness.gameday.records import Book
from harness.gameday.windows import now_utc
from harness.progress import Progress

Ask = Callable[[str, str, str], tuple[str, bool, str] | None]
"""(what is answered, the role, the question) -> (who, yes, words); None: nobody is there."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything that conducting a day needs."""

    book: Book
    day: GameDay
    policy: Policy
    file: Path  # gameday.yaml
    by: str  # who started it
    progress: Callable[[], Progress]
    say: Callable[[str], None]
    ask: Ask | None = None  # None: nobody is at a terminal
    clock: Callable[[], dt.datetime] = field(default=now_utc)

    @property
    def out(self) -> Path:
        return self.book.folder.parent

    def add(self, told: said.Said) -> None:
        self.book.add(told, self.clock())
