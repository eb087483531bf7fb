"""An application that is just enough of Odoo, in one file, with its own log of answers.

    python stub_application.py PORT LOG [ADDRESS]

Every answer is a line in LOG, written before the answer goes out:
`<monotonic ns> <model>.<method> <key or ->`. Frozen by SIGSTOP, it is the independent truth
about an outage that no client can see better.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import re
import sys
import time

KEY = re.compile(rb"pd-[0-9A-Za-z]+-\d+-\d+")
LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
ids = itertools.count(1000)
references: set[str] = set()
posted: list[int] = []


def answer(model: str, method: str, args: list) -> object:
    domain = args[0] if args else []
    if method == "create":
        reference = args[0].get("client_order_ref") if isinstance(args[0], dict) else None
        if reference:
            references.add(reference)
        return next(ids)
    if method == "search":
        if ["default_code", "=like", "PD-0%"] in domain:
            return list(range(1, 51))
        if ["ref", "=like", "PD-CUST-%"] in domain:
            return list(range(101, 121))
        return [] if model == "sale.order" else [99]
    if model == "pos.session":
        shops = {1: "PD Shop", 2: "PD Canary"}
        return [{"id": i, "config_id": [i, name]} for i, name in shops.items()]
    if model == "pos.config":
        return [{"id": 1, "payment_method_ids": [1]}]
    if (model, method) == ("sale.order", "read"):
        return [{"id": i, "picking_ids": [i]} for i in args[0]]
    if (model, method) == ("sale.order", "search_read"):
        return [{"id": 1, "state": "sale"}] if domain[0][2] in references else []
    if method == "action_post":
        posted.append(args[0][0])
        return False
    if method in ("formatted_read_group", "read_group"):
        return [{"state": "posted", "__count": len(posted)}]
    if method in ("sync_from_ui", "create_from_ui"):
        return {"pos.order": []}
    return True


class Server(asyncio.Protocol):
    log = -1

    def connection_made(self, transport) -> None:
        self.transport, self.data = transport, b""

    def data_received(self, data: bytes) -> None:
        self.data += data
        while True:
            head, found, rest = self.data.partition(b"\r\n\r\n")
            length = LENGTH.search(head)
            if not found or length is None or len(rest) < int(length[1]):
                return
            body, self.data = rest[: int(length[1])], rest[int(length[1]) :]
            self.serve(body)

    def serve(self, body: bytes) -> None:
        request = json.loads(body)
        params = request["params"]
        if params["service"] == "common":
            what, result = "common.authenticate", 2
        else:
            model, method, args = params["args"][3:6]
            what, result = f"{model}.{method}", answer(model, method, args)
        reply = {"jsonrpc": "2.0", "id": request["id"], "result": result}
        content = json.dumps(reply).encode()
        key = KEY.search(body)
        line = f"{time.monotonic_ns()} {what} {key[0].decode() if key else '-'}\n"
        os.write(self.log, line.encode())
        self.transport.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "
            b"%d\r\n\r\n%b" % (len(content), content)
        )


async def main(port: int, log: str, host: str = "127.0.0.1") -> None:
    Server.log = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    server = await asyncio.get_running_loop().create_server(Server, host, port, backlog=4096)
    print("ready", flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), *sys.argv[2:]))
