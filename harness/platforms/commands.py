"""The capability `commands`: faults that a platform's owner offers. Beside capabilities.py."""

from __future__ import annotations

from typing import Protocol


class Commands(Protocol):
    """Faults that the platform's owner offers: a command begins each, and another one ends it.

    Raises FaultError for a command that did not do what it was asked, or could not find out.
    """

    def names(self) -> tuple[str, ...]: ...
    def begin(self, name: str) -> None: ...
    def end(self, name: str) -> None: ...  # harmless when the fault does not act
    def acts(self, name: str) -> bool: ...  # observed
    def is_over(self, name: str) -> bool: ...  # observed: nothing of it is left
