"""A gate that somebody outside can shut: the job behind it stands still until it is opened.

After a restore the database is older than the queue and the partners. Before anybody compares
them, nothing may be under way, and nothing may begin: whoever does the comparing shuts the gate
before the restore (the switch lies in the queue, which is not restored) and opens it when the
books agree.

A job says "busy" before it looks at the switch, and takes that back when it finds it shut. So
once the switch is on and nobody is busy, nobody will be. What a dead replica left behind ends by
itself; a job goes through the gate again much sooner than that.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from shop.queue.valkey import QueueError, Valkey

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

SHUT = "shop:shut"  # a set of the jobs that are to stand still
BUSY = "shop:busy:{job}:{replica}:{task}"
BUSY_MS = 25_000
LOOK_EVERY_S = 0.1

ORDERS = "orders"  # from the marketplace
CALLS = "calls"  # to the partners


class Gate:
    """The gate of one task of one replica."""

    def __init__(self, queue: Valkey, job: str, replica: str, task: str) -> None:
        self._queue = queue
        self._job = job
        self._busy = BUSY.format(job=job, replica=replica, task=task)

    async def passed(self) -> None:
        """Returns when the task may do its work once. Raises QueueError."""
        while await self._is_shut():
            await self._queue.command("DEL", self._busy)
            await asyncio.sleep(LOOK_EVERY_S)

    async def _is_shut(self) -> bool:
        _, shut = await self._queue.commands(
            [("SET", self._busy, "1", "PX", str(BUSY_MS)), ("SISMEMBER", SHUT, self._job)]
        )
        return bool(shut)

    @contextlib.asynccontextmanager
    async def kept(self) -> AsyncIterator[Gate]:
        """The gate, and the queue's connection, until the task ends."""
        try:
            yield self
        finally:
            with contextlib.suppress(QueueError):
                await self._queue.command("DEL", self._busy)
            await self._queue.close()
