"""Ctrl-C and SIGTERM become one Interrupted, so that every context manager undoes its part.

A second signal does not break off the undoing; it is answered with a word on stderr. Nor does a
first one that comes while something must be done whole (`unbroken`): it waits until that is done.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from types import FrameType
from typing import TypeVar

from harness.errors import Interrupted

T = TypeVar("T")

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_WORD = b"still undoing the fault and saving the evidence\n"
_STDERR = 2


@dataclass
class _Gate:
    """Of the main thread, which alone is given signals."""

    shut: int = 0  # how many ask for quiet
    waiting: str = ""  # what was not raised yet


_gate = _Gate()


@contextmanager
def interruptible() -> Iterator[None]:
    """Within: the first signal raises Interrupted in the main thread, later ones only speak."""
    if not _in_main_thread():
        yield
        return
    told = False

    def on_signal(number: int, _frame: FrameType | None) -> None:
        nonlocal told
        if told:
            with suppress(OSError):  # not print: it may have been interrupted while it wrote
                os.write(_STDERR, _WORD)
            return
        told = True
        _raise(f"stopped by {signal.Signals(number).name}")

    before = {number: signal.signal(number, on_signal) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        _gate.waiting = ""


@contextmanager
def unbroken() -> Iterator[None]:
    """Within: a signal waits, and raises Interrupted at the end. What is within has its limits."""
    if not _in_main_thread():
        yield
        return
    _gate.shut += 1
    try:
        yield
    finally:
        _gate.shut -= 1
    if _gate.waiting and not _gate.shut:
        why, _gate.waiting = _gate.waiting, ""
        raise Interrupted(why)


@contextmanager
def left_unbroken(inner: AbstractContextManager[T]) -> Iterator[T]:
    """`inner`, whose way out no signal cuts short."""
    value = inner.__enter__()
    try:
        yield value
    except BaseException:
        with unbroken():
            if not inner.__exit__(*sys.exc_info()):
                raise
    else:
        with unbroken():
            inner.__exit__(None, None, None)


def _raise(why: str) -> None:
    if _gate.shut:
        _gate.waiting = why
        return
    raise Interrupted(why)


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()
