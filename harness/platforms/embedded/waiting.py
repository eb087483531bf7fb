"""Readiness is observed, never slept for."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from harness.errors import NotReady

T = TypeVar("T")


def await_ready(
    what: str,
    look: Callable[[], T | None],
    *,
    within_s: float,
    poll_s: float = 0.03,
    next_step: str = "",
) -> T:
    """The first answer of `look` that is neither None nor False. Raises NotReady."""
    deadline = time.monotonic() + within_s
    while True:
        answer = look()
        if answer is not None and answer is not False:
            return answer
        if time.monotonic() >= deadline:
            raise NotReady(f"{what} was not ready within {within_s:g} s", next_step=next_step)
        time.sleep(poll_s)
