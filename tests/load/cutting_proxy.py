"""A TCP proxy that cuts, with its own log of edges: the independent truth about an outage.

    python cutting_proxy.py PORT TARGET_PORT LOG        then on stdin: cut, mend, cut, ...

`cut`: the port refuses, and every connection is reset. `mend`: it accepts again. A line in LOG
per edge: `<edge> <ns before it was made> <ns after>`; the same line is printed as the answer.
"""

from __future__ import annotations

import asyncio
import os
import socket
import struct
import sys
import time

RESET = struct.pack("ii", 1, 0)  # linger on, zero seconds: close() sends RST


class Proxy:
    def __init__(self, port: int, target: int) -> None:
        self.port, self.target = port, target
        self.server: asyncio.Server | None = None
        self.open: set[asyncio.StreamWriter] = set()

    async def mend(self) -> None:
        self.server = await asyncio.start_server(
            self.pair, "127.0.0.1", self.port, backlog=4096, reuse_address=True
        )

    async def cut(self) -> None:
        assert self.server is not None
        self.server.close()
        for writer in list(self.open):
            sock = writer.get_extra_info("socket")
            if sock.fileno() >= 0:  # else its other end was quicker than we
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            writer.transport.abort()
        self.open.clear()

    async def pair(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open.add(writer)
        try:
            other_reader, other = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        if writer not in self.open:  # cut meanwhile
            other.transport.abort()
            return
        self.open.add(other)
        await asyncio.gather(self.pump(reader, other), self.pump(other_reader, writer))
        for side in (writer, other):
            self.open.discard(side)
            side.transport.abort()

    @staticmethod
    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            if not writer.is_closing():
                writer.close()


async def main(port: int, target: int, log: str) -> None:
    proxy = Proxy(port, target)
    edges = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    stdin = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(stdin), sys.stdin)
    await proxy.mend()
    print("ready", flush=True)
    while command := (await stdin.readline()).decode().strip():
        before = time.monotonic_ns()
        await (proxy.cut() if command == "cut" else proxy.mend())
        line = f"{command} {before} {time.monotonic_ns()}"
        os.write(edges, line.encode() + b"\n")
        print(line, flush=True)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))
