"""Ctrl-C and SIGTERM become one Interrupted, so that every context manager undoes its part.

A second signal does not break off the undoing; it is answered with a word on stderr.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from harness.errors import Interrupted

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def interruptible() -> Iterator[None]:
    """Within: the first signal raises Interrupted in the main thread, later ones only speak."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    told = False

    def on_signal(number: int, _frame: FrameType | None) -> None:
        nonlocal told
        if told:
            print("still undoing the fault and saving the evidence", file=sys.stderr)
            return
        told = True
        raise Interrupted(f"stopped by {signal.Signals(number).name}")

    before = {number: signal.signal(number, on_signal) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
