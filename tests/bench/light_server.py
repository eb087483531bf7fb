"""A light server that speaks just enough JSON-RPC, so that what is measured is who asks.

    python -m tests.bench.light_server PORT [LOG]

With a LOG every answer is a line in it, `<monotonic ns> <key>`, written before the answer goes out.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import sys
import time

LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
ID = re.compile(rb'"id": *(\d+)')
KEY = re.compile(rb"pd-[0-9A-Za-z]+-\d+-\d+")


class Light(asyncio.Protocol):
    log = -1

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport, self.data = transport, b""

    def data_received(self, data: bytes) -> None:
        self.data = self.data + data if self.data else data
        while self.data:
            at = self.data.find(b"\r\n\r\n")
            length = LENGTH.search(self.data, 0, at) if at >= 0 else None
            if length is None or len(self.data) < at + 4 + int(length[1]):
                return
            end = at + 4 + int(length[1])
            body, self.data = self.data[at + 4 : end], self.data[end:]
            self.answer(body)

    def answer(self, body: bytes) -> None:
        number = ID.search(body)
        if self.log >= 0 and (key := KEY.search(body)):
            os.write(self.log, b"%d %b\n" % (time.monotonic_ns(), key[0]))
        content = b'{"jsonrpc":"2.0","id":%b,"result":7}' % (number[1] if number else b"0")
        self.transport.write(  # type: ignore[attr-defined]
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
            % (len(content), content)
        )


async def main(port: int, log: str) -> None:
    if log:
        Light.log = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    server = await asyncio.get_running_loop().create_server(Light, "127.0.0.1", port, backlog=4096)
    print("ready", server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    with contextlib.suppress(ImportError):
        import uvloop

        asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    asyncio.run(main(int(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else ""))
