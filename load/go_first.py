"""On a machine that it shares with the platform, the instrument goes first where it may.

A late generator widens every interval; it needs little, so nobody misses it. It is said before the
ledger's flushing thread begins, which inherits it: a thread that is put aside while it holds the
interpreter would make the others wait with it.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import struct

_PRIORITY = -10
_TURN_NS = 100_000  # the shortest that Linux gives
_SCHED_SETATTR = {"x86_64": 314, "aarch64": 274}
_ATTRIBUTES = struct.Struct("<IIQiIQQQ")  # size, policy, flags, nice, priority, runtime, 2 more


def go_first() -> None:
    """For this thread and those that it starts from now on. What is refused is done without."""
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, _PRIORITY)
    _ask_for_short_turns()


def _ask_for_short_turns() -> bool:
    """Who asks for short turns gets them sooner: Linux from 6.12 on; others ignore or refuse it.

    It takes no privilege and no greater share, only that nobody's longer turn is waited for.
    """
    number = _SCHED_SETATTR.get(platform.machine())
    if number is None or os.sched_getscheduler(0) != os.SCHED_OTHER:
        return False
    nice = os.getpriority(os.PRIO_PROCESS, 0)
    wanted = _ATTRIBUTES.pack(_ATTRIBUTES.size, os.SCHED_OTHER, 0, nice, 0, _TURN_NS, 0, 0)
    return bool(ctypes.CDLL(None, use_errno=True).syscall(number, 0, wanted, 0) == 0)
