"""What an intruder left, kept as it is: digests of volumes, WAL and logs; the queue's orders.

The old volumes stay where they are, on nodes that never start again; the manifest says what they
held. Logs go on growing on the perimeter, so those are copied.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import redis

from harness.errors import PlatformError
from harness.platforms.embedded import credentials
from harness.platforms.embedded.blueprint import Blueprint
from harness.platforms.embedded.layout import DATABASE_NODES, Layout, write_private

MANIFEST, QUEUE, SHUT = "manifest.txt", "queue.jsonl", "queue-shut.json"
ORDERS, SWITCHES = "marketplace:orders", "shop:shut"
_PAGE = 1000


def digest(old: Layout, into: Path) -> tuple[tuple[str, str], ...]:
    """(file, SHA-256) of everything that is kept; the same in `into`/manifest.txt."""
    copied = into / "logs"
    shutil.copytree(old.logs, copied, dirs_exist_ok=True)
    files = [*_volumes(old), *(file for file in sorted(copied.rglob("*")) if file.is_file())]
    with ThreadPoolExecutor(max_workers=2) as pool:
        digests = list(pool.map(_sha256, files))
    listed = tuple(
        (str(file.relative_to(old.root)), found) for file, found in zip(files, digests, strict=True)
    )
    write_private(into / MANIFEST, "".join(f"{found}  {name}\n" for name, found in listed))
    return listed


def _volumes(old: Layout) -> Iterator[Path]:
    for name in DATABASE_NODES:
        yield from sorted(file for file in old.pgdata(name).rglob("*") if file.is_file())
    yield from sorted(file for file in old.filestore.rglob("*") if file.is_file())


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def take_over_queue(old: Layout, ports: dict[str, int], into: Path) -> int:
    """Every entry of the marketplace's stream, with its id, and the switches that hold jobs back.

    What was taken over stays taken over.

    Raises PlatformError when the old queue cannot be read.
    """
    file = into / QUEUE
    if file.exists():
        return len(file.read_text(encoding="utf-8").splitlines())
    lines = []
    try:
        with closing(_client(ports["valkey"], credentials.load(old).valkey)) as queue:
            for entry_id, fields in _entries(queue):
                lines.append(json.dumps({"id": entry_id, "fields": fields}, sort_keys=True))
            shut = sorted(str(job) for job in queue.smembers(SWITCHES))
    except redis.RedisError as error:
        raise PlatformError(f"the old queue cannot be read: {type(error).__name__}") from error
    write_private(into / SHUT, json.dumps(shut))
    write_private(file, "".join(f"{line}\n" for line in lines))
    return len(lines)


def hand_over_queue(from_: Path, plan: Blueprint) -> int:
    """Into the new queue, under the same ids. Repeating it adds nothing twice."""
    lines = (from_ / QUEUE).read_text(encoding="utf-8").splitlines()
    try:
        shut = json.loads((from_ / SHUT).read_text(encoding="utf-8"))
        with closing(_client(plan.ports["valkey"], plan.secrets.valkey)) as queue:
            if shut:  # first of all: whoever serves here must find the jobs held back
                queue.sadd(SWITCHES, *shut)
            newest = [entry_id for entry_id, _ in _entries(queue)][-1:]
            known = _order(newest[0]) if newest else (-1, -1)
            for line in lines:
                entry = json.loads(line)
                if _order(entry["id"]) > known:
                    queue.xadd(ORDERS, entry["fields"], id=entry["id"])
    except redis.RedisError as error:
        raise PlatformError(f"the new queue does not take over: {type(error).__name__}") from error
    return len(lines)


def _entries(queue: redis.Redis) -> Iterator[tuple[str, dict[str, str]]]:
    after = "-"
    while page := queue.xrange(ORDERS, min=after, count=_PAGE):
        for entry_id, told in page:
            fields = {str(name): str(value) for name, value in (told or {}).items()}
            after = f"({entry_id!s}"
            yield str(entry_id), fields


def _order(entry_id: str) -> tuple[int, int]:
    milliseconds, _, number = entry_id.partition("-")
    return int(milliseconds), int(number)


def _client(port: int, password: str) -> redis.Redis:
    return redis.Redis(port=port, password=password, socket_timeout=10, decode_responses=True)
