"""Ctrl-C and SIGTERM become one Interrupted, so that every context manager undoes its part.

A second signal does not break off the undoing; it is answered with a word on stderr. Nor does a
first one that comes while something must be done whole (`unbroken`): it waits until that is done.
The red button and the guard rails come the same way, with a reason of their own.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
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
    waiting_ns: int = 0  # since when
    armed: bool = False  # signals are ours
    why: str = ""  # what a thread of ours wants told, when it sends the signal itself
    asked: Callable[[], str] = str  # who asked for the signal that came, "" if nobody said


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
        _raise(_gate.why or _asked() or f"stopped by {signal.Signals(number).name}")

    before = {number: signal.signal(number, on_signal) for number in _SIGNALS}
    _gate.armed = True
    try:
        yield
    finally:
        _gate.armed = False
        for number, handler in before.items():
            signal.signal(number, handler)
        _gate.waiting = _gate.why = ""


def interrupt(why: str) -> bool:
    """From a thread of ours: stop the run as a signal does. False where nobody awaits signals."""
    main = threading.main_thread().ident
    if not _gate.armed or main is None:
        return False
    _gate.why = why
    signal.pthread_kill(main, signal.SIGTERM)  # a real one: it ends a sleep
    return True


@contextmanager
def asked_by(source: Callable[[], str]) -> Iterator[None]:
    """Within: a signal's reason is what `source` tells, where it tells something."""
    before, _gate.asked = _gate.asked, source
    try:
        yield
    finally:
        _gate.asked = before


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
        raise _interrupted(why, _gate.waiting_ns)


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
    now_ns = time.monotonic_ns()
    if _gate.shut:
        _gate.waiting, _gate.waiting_ns = why, now_ns
        return
    raise _interrupted(why, now_ns)


def _interrupted(why: str, at_ns: int) -> Interrupted:
    error = Interrupted(why)
    error.at_ns = at_ns
    return error


def _asked() -> str:
    try:
        return _gate.asked()
    except Exception:  # noqa: BLE001  a reason that cannot be read stops no undoing
        return ""


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()
