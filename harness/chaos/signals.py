"""Signals to an experiment: the first one ends the method, none cuts a deed or a rollback short.

The Chaos Toolkit's own handler raises an ordinary exception, which an action or a logger that it
happens to hit may swallow; and a second signal skips the rollbacks. Ours raises SystemExit, which
nobody swallows and which the toolkit answers with the rollbacks; after it, signals are only noted.

Always by handlers, never by a mask or SIG_IGN: the processes that an undo starts would inherit
those, and could then not be stopped.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

logger = logging.getLogger("chaostoolkit")

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)
_WITH_ROLLBACKS = 20  # the toolkit's own code for "end now, and play the rollbacks"


def end_method_on_signal() -> None:
    """From now on the first signal ends the method, and the rollbacks follow."""

    def end(number: int, _frame: FrameType | None) -> None:
        ignore_from_now_on()
        logger.warning("signal %s: the method ends here, the rollbacks follow", number)
        raise SystemExit(_WITH_ROLLBACKS)

    if _is_main_thread():
        for number in SIGNALS:
            signal.signal(number, end)


def ignore_from_now_on() -> None:
    """The way out has begun and is bounded: a further signal must not cut the rollbacks short."""

    def note(number: int, _frame: FrameType | None) -> None:
        logger.warning("signal %s: the rollbacks are under way already", number)

    if _is_main_thread():
        for number in SIGNALS:
            signal.signal(number, note)


@contextmanager
def deferred() -> Iterator[None]:
    """Inside, signals wait: a deed is done with its marks or not at all."""
    caught: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        caught.append(number)

    if not _is_main_thread():
        yield
        return
    before = {number: signal.signal(number, note) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if caught:
        os.kill(os.getpid(), caught[0])


def _is_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()
