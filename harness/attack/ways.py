"""Two ways in with one credential: a connection made anew at each try, and one that is kept open.

A rotation that forgets to end sessions shuts the first way and leaves the second one open.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from harness.attack.told import ACCEPTED, BY_KEPT_SESSION, Denied, Down


class Connection(Protocol):
    def close(self) -> None: ...


C = TypeVar("C", bound=Connection)


@dataclass
class TwoWays(Generic[C]):
    """`connect` presents the credential, `ask` uses what it made; both raise Denied and Down."""

    connect: Callable[[], C]
    ask: Callable[[C, int], None]
    _kept: C | None = field(default=None, init=False)

    def __call__(self, number: int) -> str:
        """Told how it was accepted. Raises Denied or Down when neither way is open."""
        kept_answers = self._ask_kept(number)
        try:
            fresh = self._ask_anew(number)
        except (Denied, Down):
            if kept_answers:
                return BY_KEPT_SESSION
            raise
        if self._kept is None:
            self._kept = fresh
        else:
            fresh.close()
        return ACCEPTED

    def close(self) -> None:
        """Let go of the session that is kept. Harmless when there is none."""
        if self._kept is not None:
            self._kept.close()
        self._kept = None

    def _ask_kept(self, number: int) -> bool:
        if self._kept is None:
            return False
        try:
            self.ask(self._kept, number)
        except (Denied, Down):  # it was ended, or broke: the other way tells what that means
            self.close()
        return self._kept is not None

    def _ask_anew(self, number: int) -> C:
        fresh = self.connect()
        try:
            self.ask(fresh, number)
        except BaseException:
            fresh.close()
            raise
        return fresh
