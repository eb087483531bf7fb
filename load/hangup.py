"""The harness's pipe: while its other end is open, somebody wants this load.

Nothing is ever read from it. Sibling processes watch the same pipe, and a byte that one of
them took would be missing elsewhere; a hang-up is seen by all.
"""

from __future__ import annotations

import os
import stat

from gevent.monkey import get_original

STOP_POLL_S = 0.05
_poll = get_original("select", "poll")


class HangUp:
    """Watches stdin, where that is a pipe or a socket. A terminal or /dev/null says nothing."""

    def __init__(self, fd: int = 0) -> None:
        self._poller = None
        try:
            mode = os.fstat(fd).st_mode
        except OSError:
            return
        if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode):
            self._poller = _poll()
            self._poller.register(fd, 0)  # a hang-up is reported without being asked for

    def seen(self) -> bool:
        return self._poller is not None and bool(self._poller.poll(0))
