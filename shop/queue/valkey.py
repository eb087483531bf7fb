"""As much of the Valkey protocol as streams need, over asyncio."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from shop.config import QueueConfig

Reply = None | int | bytes | list["Reply"]
Message = tuple[str, dict[str, bytes]]

CONNECT_WITHIN_S = 2.0


class QueueError(OSError):
    """The queue refused a command, or went away."""


class Valkey:
    """One connection. Any failure closes it; the next command opens it again."""

    def __init__(self, config: QueueConfig) -> None:
        self._url = urlsplit(config.url)
        self._password = config.password
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def command(self, *words: str | bytes, within_s: float = 3.0) -> Reply:
        return (await self.commands([words], within_s=within_s))[0]

    async def commands(
        self, batch: list[tuple[str | bytes, ...]], within_s: float = 3.0
    ) -> list[Reply]:
        """Several commands in one round trip. The first error is raised."""
        try:
            async with asyncio.timeout(within_s + CONNECT_WITHIN_S):
                reader, writer = await self._connected()
                writer.write(b"".join(_encode(words) for words in batch))
                await writer.drain()
                replies = [await _reply_or_error(reader) for _ in batch]
        except (OSError, TimeoutError, asyncio.IncompleteReadError, ValueError) as error:
            await self.close()
            raise QueueError(f"queue: {error or type(error).__name__}") from error
        except BaseException:
            await self.close()  # an answer may still be on its way: not to be mixed up
            raise
        answers: list[Reply] = []
        for reply in replies:  # all of them are read by now, whichever is an error
            if isinstance(reply, QueueError):
                raise reply
            answers.append(reply)
        return answers

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._reader is None or self._writer is None:
            async with asyncio.timeout(CONNECT_WITHIN_S):
                self._reader, self._writer = await asyncio.open_connection(
                    self._url.hostname, self._url.port or 6379, limit=1 << 24
                )
            greeting: list[tuple[str | bytes, ...]] = []
            if self._password:
                greeting.append(("AUTH", self._password))
            database = self._url.path.strip("/")
            if database and database != "0":
                greeting.append(("SELECT", database))
            for words in greeting:
                self._writer.write(_encode(words))
                await _reply(self._reader)
        return self._reader, self._writer

    async def close(self) -> None:
        writer, self._reader, self._writer = self._writer, None, None
        if writer is not None:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


def _encode(words: tuple[str | bytes, ...]) -> bytes:
    parts = [b"*%d\r\n" % len(words)]
    for word in words:
        raw = word.encode() if isinstance(word, str) else word
        parts.append(b"$%d\r\n%b\r\n" % (len(raw), raw))
    return b"".join(parts)


async def _reply_or_error(reader: asyncio.StreamReader) -> Reply | QueueError:
    try:
        return await _reply(reader)
    except QueueError as error:
        return error


async def _reply(reader: asyncio.StreamReader) -> Reply:
    line = (await reader.readuntil(b"\r\n"))[:-2]
    kind, rest = line[:1], line[1:]
    if kind == b"+":
        return rest
    if kind == b"-":
        raise QueueError(rest.decode(errors="replace"))
    if kind == b":":
        return int(rest)
    if kind == b"$":
        size = int(rest)
        return None if size < 0 else (await reader.readexactly(size + 2))[:-2]
    if kind == b"*":
        size = int(rest)
        return None if size < 0 else [await _reply(reader) for _ in range(size)]
    raise QueueError(f"unexpected reply {line!r}")


def messages(entries: Reply) -> list[Message]:
    """[[id, [field, value, ...]], ...] as pairs of id and fields; deleted entries are skipped."""
    found: list[Message] = []
    for entry in entries if isinstance(entries, list) else []:
        if not isinstance(entry, list) or not isinstance(entry[1], list):
            continue
        names, values = entry[1][::2], entry[1][1::2]
        fields = {
            name.decode(): value
            for name, value in zip(names, values, strict=True)
            if isinstance(name, bytes) and isinstance(value, bytes)
        }
        assert isinstance(entry[0], bytes)
        found.append((entry[0].decode(), fields))
    return found
