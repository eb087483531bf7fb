"""A consumer group's member: reads streams, takes over what a dead member left, acknowledges."""

from __future__ import annotations

import time

from shop.queue.valkey import Message, QueueError, Valkey, messages

GROUP = "shop"
BLOCK_MS = 500
TAKE_OVER_AFTER_MS = 3000
TAKE_OVER_EVERY_S = 1.0


class Member:
    """One replica's place in the group, on one or more streams."""

    def __init__(self, queue: Valkey, name: str, streams: tuple[str, ...]) -> None:
        self._queue = queue
        self._name = name
        self._streams = streams
        self._joined = False
        self._looked_s = 0.0

    async def read(self, count: int) -> list[tuple[str, Message]]:
        """New messages and orphaned ones, as (stream, message); empty after half a second."""
        try:
            await self._join()
            orphans = await self._take_over(count)
            return orphans or await self._new(count)
        except QueueError as error:
            if "NOGROUP" in str(error):  # the queue has lost its memory
                self._joined = False
            raise

    async def done(self, stream: str, ids: list[str]) -> None:
        if ids:
            await self._queue.command("XACK", stream, GROUP, *ids)

    async def _join(self) -> None:
        if self._joined:
            return
        for stream in self._streams:
            try:
                await self._queue.command("XGROUP", "CREATE", stream, GROUP, "0", "MKSTREAM")
            except QueueError as error:
                if "BUSYGROUP" not in str(error):
                    raise
        self._joined = True

    async def _take_over(self, count: int) -> list[tuple[str, Message]]:
        """What somebody read and never acknowledged; our own of an earlier life as well."""
        if time.monotonic() - self._looked_s < TAKE_OVER_EVERY_S:
            return []
        self._looked_s = time.monotonic()
        found: list[tuple[str, Message]] = []
        for stream in self._streams:
            reply = await self._queue.command(
                "XAUTOCLAIM", stream, GROUP, self._name, str(TAKE_OVER_AFTER_MS), "0-0",
                "COUNT", str(count),
            )  # fmt: skip
            assert isinstance(reply, list)
            found += [(stream, message) for message in messages(reply[1])]
        return found

    async def _new(self, count: int) -> list[tuple[str, Message]]:
        reply = await self._queue.command(
            "XREADGROUP", "GROUP", GROUP, self._name, "COUNT", str(count),
            "BLOCK", str(BLOCK_MS), "STREAMS", *self._streams, *([">"] * len(self._streams)),
        )  # fmt: skip
        found: list[tuple[str, Message]] = []
        for entry in reply if isinstance(reply, list) else []:
            assert isinstance(entry, list)
            assert isinstance(entry[0], bytes)
            found += [(entry[0].decode(), message) for message in messages(entry[1])]
        return found
