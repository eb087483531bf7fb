"""The integration partners: a payment provider, a carrier, the marketplace. They remember.

    python -m shop.partners CONFIG.json

POST /<partner>/calls with [{"key", "payload"}, ...] is answered when all of it is on disk.
GET /<partner>/calls is everything remembered: {"calls": [{"key", "payload", "repeat", "at_ns"}]};
`?prefix=` leaves out other keys. A key that was seen before is remembered as a repeat, not as a
second effect.

/<partner>/cancellations is the same for what is taken back, in a memory of its own: a payment is
refunded, a label voided, once, by the key of the call that it undoes. A call that is repeated
after that stays taken back.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import uvicorn

from shop.config import ConfigError, load_config
from shop.web.messages import Request, Response, html, json_response, read_request, send_response

if TYPE_CHECKING:
    from shop.web.messages import Receive, Scope, Send

PARTNERS = ("payment", "carrier", "marketplace")
FILES = {"calls": "{}.jsonl", "cancellations": "{}-cancel.jsonl"}
DIALECT = 19  # only for the content type of the answers


@dataclass(frozen=True, slots=True)
class Call:
    key: str
    payload: object
    repeat: bool
    at_ns: int  # CLOCK_MONOTONIC


class Memory:
    """One partner's calls: a file that only grows, and the same in memory."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.calls: list[Call] = []
        self._keys: set[str] = set()
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        for line in text.splitlines():
            self._recall(line)
        if text and not text.endswith("\n"):  # torn by a kill: the next line stands by itself
            with path.open("a", encoding="utf-8") as file:
                file.write("\n")

    def _recall(self, line: str) -> None:
        try:
            call = Call(**json.loads(line))
        except (ValueError, TypeError):
            return  # the last line of a partner that was killed while it wrote: never confirmed
        self._add(call)

    def _add(self, call: Call) -> None:
        self._keys.add(call.key)
        self.calls.append(call)

    def remember(self, batch: list[dict[str, object]]) -> list[Call]:
        """Durable when this returns."""
        made: list[Call] = []
        new: set[str] = set()
        for item in batch:
            key = str(item["key"])
            repeat = key in self._keys or key in new
            made.append(Call(key, item.get("payload"), repeat, time.monotonic_ns()))
            new.add(key)
        with self._path.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(asdict(call)) + "\n" for call in made)
            file.flush()
            os.fdatasync(file.fileno())
        for call in made:
            self._add(call)
        return made


class Partners:
    """All three behind one port, each with its calls and its cancellations."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._memories = {
            (name, kind): Memory(folder / file.format(name))
            for name in PARTNERS
            for kind, file in FILES.items()
        }
        self._one_at_a_time = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await send_response(send, await self.respond(await read_request(scope, receive)))

    async def respond(self, request: Request) -> Response:
        if request.path == "/health":
            return json_response({"status": "pass"}, DIALECT)
        partner, _, kind = request.path.strip("/").partition("/")
        memory = self._memories.get((partner, kind))
        if memory is None:
            return html(404)
        if request.method == "GET":
            prefix = request.argument("prefix")
            told = [asdict(call) for call in memory.calls if call.key.startswith(prefix)]
            return json_response({kind: told}, DIALECT)
        try:
            batch = json.loads(request.body)
            items = [item for item in batch if isinstance(item, dict) and "key" in item]
        except (ValueError, TypeError):
            return html(400)
        if len(items) != len(batch):
            return html(400)
        async with self._one_at_a_time:
            made = await asyncio.to_thread(memory.remember, items)
        return json_response({"repeats": [call.repeat for call in made]}, DIALECT)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="shop.partners")
    parser.add_argument("config", type=Path)
    options = parser.parse_args(arguments)
    try:
        config = load_config(options.config)
    except ConfigError as error:
        print(f"shop.partners: {error}", file=sys.stderr)
        return 2
    url = urlsplit(config.partners_url)
    uvicorn.run(
        Partners(config.partners_memory),
        host=url.hostname or "127.0.0.1",
        port=url.port or 80,
        http="httptools",
        loop="uvloop",
        lifespan="off",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=2,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
