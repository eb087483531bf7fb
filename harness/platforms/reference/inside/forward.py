"""Doors on loopback that lead to Services: what a drill in a pod speaks to, as others to NodePorts.

PEAKDRILL_FORWARD = 30080=ingress.shop-edge:8080,...    port on 127.0.0.1 = where it leads
PEAKDRILL_BESIDE  = /beside                             a folder shared with the drill

Nothing is tried again and nothing is kept back: where an upstream breaks, so does the connection,
at once. It ends when the drill beside it has: see beside.py.
"""

from __future__ import annotations

import asyncio
import signal
import socket
import struct
import sys
from contextlib import suppress
from pathlib import Path

from harness.errors import PlatformError
from harness.platforms.reference.inside.beside import Beside
from harness.platforms.reference.inside.settings import Address, Settings, address

_AT_ONCE = 2048  # connections; one more is closed at once
_CONNECT_S, _SILENT_S = 10.0, 15
_CHUNK = 64 * 1024
_LOOK_S = 0.5
_KNOWN_S = 30.0  # a Service's address stays for its life; a NodePort asks nobody for one either
_RESET = struct.pack("ii", 1, 0)  # closing does not linger
_PORTS = range(1, 65_536)
_ALIVE = (  # an upstream that went without a word is one that broke
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 5),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 3),
    (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _SILENT_S * 1000),
    (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
)


def main(settings: Settings) -> int:
    routes = routes_of(settings.text("FORWARD"))
    asyncio.run(serve(routes, Beside(Path(settings.text("BESIDE")))))
    return 0


def routes_of(told: str) -> dict[int, Address]:
    """Raises PlatformError for what is no table, or has a port twice."""
    found: dict[int, Address] = {}
    for word in told.split(","):
        port, _, leads_to = word.strip().partition("=")
        if not port.isdecimal() or int(port) not in _PORTS or int(port) in found:
            raise PlatformError(f"PEAKDRILL_FORWARD: {word!r} is not PORT=HOST:PORT, each once")
        found[int(port)] = address("FORWARD", leads_to)
    return found


async def serve(routes: dict[int, Address], beside: Beside) -> None:
    """Until the drill has ended; where none has begun, until we are asked to end."""
    asked, held = asyncio.Event(), set[asyncio.Task[None]]()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked.set)
    doors = [await _door(port, to, held) for port, to in routes.items()]
    beside.say_open()
    print(f"{len(doors)} doors are open on 127.0.0.1", file=sys.stderr, flush=True)
    # a drill that is asked to end undoes its fault first, and needs its doors for that
    while not (beside.is_over() or (asked.is_set() and not beside.is_on())):  # noqa: ASYNC110
        await asyncio.sleep(_LOOK_S)
    for door in doors:
        door.close()
    for task in held:
        task.cancel()
    await asyncio.gather(*held, return_exceptions=True)


class _Leads:
    """Where a door leads, as an address: a name is not looked up for every connection."""

    def __init__(self, to: Address) -> None:
        self._to, self._found, self._until_s = to, "", 0.0

    async def connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """One try. Where it fails the next one looks the name up again."""
        loop = asyncio.get_running_loop()
        if loop.time() >= self._until_s:
            kind = socket.SOCK_STREAM
            found = await loop.getaddrinfo(self._to.host, self._to.port, type=kind)
            self._found, self._until_s = str(found[0][4][0]), loop.time() + _KNOWN_S
        try:
            return await asyncio.open_connection(self._found, self._to.port, limit=_CHUNK)
        except OSError:
            self._until_s = 0.0
            raise


async def _door(port: int, to: Address, held: set[asyncio.Task[None]]) -> asyncio.Server:
    leads = _Leads(to)

    def let_in(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(held) >= _AT_ONCE:
            writer.transport.abort()
            return
        task = asyncio.ensure_future(_through(reader, writer, leads))
        held.add(task)
        task.add_done_callback(held.discard)

    try:
        return await asyncio.start_server(let_in, "127.0.0.1", port, limit=_CHUNK, backlog=512)
    except OSError as error:
        raise PlatformError(f"no door can be opened on 127.0.0.1:{port}: {error}") from error


async def _through(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, leads: _Leads
) -> None:
    """One connection. Whatever breaks on one side breaks the other."""
    upstream: asyncio.StreamWriter | None = None
    try:
        async with asyncio.timeout(_CONNECT_S):
            back, upstream = await leads.connected()
        for level, option, value in _ALIVE:
            upstream.get_extra_info("socket").setsockopt(level, option, value)
        async with asyncio.TaskGroup() as both:
            both.create_task(_pump(reader, upstream))
            both.create_task(_pump(back, writer))
    except* OSError:  # TimeoutError among them
        for each in (writer, upstream):
            if each is not None:
                _reset(each)
    finally:
        for each in (writer, upstream):
            if each is not None:
                each.close()


def _reset(broken: asyncio.StreamWriter) -> None:
    """As the other side broke, and not as if it had come to its end."""
    with suppress(OSError):
        broken.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    broken.transport.abort()


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    """To the end of the one direction; the other may go on."""
    while chunk := await source.read(_CHUNK):
        sink.write(chunk)
        await sink.drain()
    with suppress(OSError):
        sink.write_eof()
