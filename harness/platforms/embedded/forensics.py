"""What an intruder left, kept as it is: digests of volumes, WAL and logs; the queue's orders.

The old volumes stay where they are, on nodes that never start again; the manifest says what they
held. Logs go on growing on the perimeter, so those are copied.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import redis

from harness.errors import PlatformError
from harness.platforms.embedded.layout import (
    DATABASE_NODES,
    Layout,
    write_atomically,
    write_private,
)

FOLDER = "forensics"  # below the platform's directory
MANIFEST, QUEUE, SHUT = "manifest.txt", "queue.jsonl", "queue-shut.json"
ORDERS, SWITCHES = "marketplace:orders", "shop:shut"
_PAGE = 1000


def digest(old: Layout, into: Path) -> tuple[tuple[str, str], ...]:
    """(file, SHA-256) of everything that is kept; the same in `into`/manifest.txt."""
    copied = into / "logs"
    shutil.copytree(old.logs, copied, dirs_exist_ok=True)
    files = [*_volumes(old), *files_in(copied)]
    return listed(strictly(old.root, files), into)


def strictly(root: Path, files: Iterable[Path]) -> dict[str, str]:
    """Of every one of them. Raises PlatformError: what cannot be read is not kept."""
    named = list(files)
    found = digests(root, named)
    if lacking := [file for file in named if str(file.relative_to(root)) not in found]:
        raise PlatformError(f"{len(lacking)} files cannot be preserved, such as {lacking[0].name}")
    return found


def listed(found: Mapping[str, str], into: Path) -> tuple[tuple[str, str], ...]:
    """Write the manifest: who reads it finds all of it, or none."""
    rows = tuple(found.items())
    write_atomically(into / MANIFEST, "".join(f"{digest}  {name}\n" for name, digest in rows))
    return rows


def digests(root: Path, files: Iterable[Path]) -> dict[str, str]:
    """SHA-256 by the name below `root`; without those that are gone, or cannot be read."""
    named = list(files)
    with ThreadPoolExecutor(max_workers=2) as pool:
        found = list(pool.map(_sha256, named))
    return {
        str(file.relative_to(root)): digest
        for file, digest in zip(named, found, strict=True)
        if digest
    }


def files_in(folder: Path) -> list[Path]:
    return [file for file in sorted(folder.rglob("*")) if file.is_file()]


def _volumes(old: Layout) -> Iterator[Path]:
    for name in DATABASE_NODES:
        yield from files_in(old.pgdata(name))
    yield from files_in(old.filestore)


def _sha256(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return ""


def take_over_queue(port: int, password: str, into: Path) -> int:
    """Every entry of the marketplace's stream, with its id, and the switches that hold jobs back.

    What was taken over stays taken over.

    Raises PlatformError when the old queue cannot be read.
    """
    file = into / QUEUE
    if file.exists():
        return len(file.read_text(encoding="utf-8").splitlines())
    lines = []
    try:
        with closing(_client(port, password)) as queue:
            for entry_id, fields in _entries(queue):
                lines.append(json.dumps({"id": entry_id, "fields": fields}, sort_keys=True))
            shut = sorted(str(job) for job in queue.smembers(SWITCHES))
    except redis.RedisError as error:
        raise PlatformError(f"the old queue cannot be read: {type(error).__name__}") from error
    write_private(into / SHUT, json.dumps(shut))
    write_private(file, "".join(f"{line}\n" for line in lines))
    return len(lines)


def hand_over_queue(from_: Path, port: int, password: str) -> int:
    """Into the new queue, under the same ids. Repeating it adds nothing twice."""
    lines = (from_ / QUEUE).read_text(encoding="utf-8").splitlines()
    try:
        shut = json.loads((from_ / SHUT).read_text(encoding="utf-8"))
        with closing(_client(port, password)) as queue:
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
