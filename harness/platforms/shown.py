"""What a platform's parts show to whoever may look, where this machine cannot look itself."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, repr=False)
class Shown:
    """A log, or a process's command line and environment, of a part that is elsewhere."""

    kind: str  # log | process
    place: str
    body: bytes
