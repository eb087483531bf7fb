"""How far a base backup and the archive carry: by what lies in the store, and no database's word.

A cluster's own word is held against it: the segments that its nodes mark as archived, read from
their data folders, so that it works when everything is down.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
import time
from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path

from harness.platforms.capabilities import Reach
from harness.platforms.embedded import archive_marks, programs, wal_names
from harness.platforms.embedded.backup_store import Record
from harness.platforms.embedded.layout import DATABASE_NODES, Layout
from harness.platforms.embedded.node import clean_environment
from harness.platforms.embedded.wal_fetch import Wal

_COMMIT = re.compile(r"desc: COMMIT(?:_PREPARED)? (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?) UTC")
_DUMP_S = 30.0


def measure(wal: Wal, record: Record, claimed: Collection[str], home: Path) -> Reach:
    """`claimed` are the segments that a cluster has finished; `home` is where to unpack some.

    Raises S3Error.
    """
    chain = wal_names.chain(record.first_segment, wal.names(), claimed, _line(wal, record))
    last = _last_commit(wal, chain.present, home) or record.last_commit
    return Reach(
        backup_id=record.backup_id,
        first_segment=record.first_segment,
        last_segment=chain.last,
        missing=chain.missing,
        last_commit_utc=last,
        last_commit_monotonic_ns=_monotonic_ns(last),
    )


def finished(layout: Layout, *, kinds: tuple[str, ...]) -> frozenset[str]:
    """Segments that wait for a leader's archiver (.ready), and that it believes archived (.done).

    Of the nodes that led last: a standby marks as done what it was copied with, archived or not.
    """
    folders = [layout.pgdata(node) for node in DATABASE_NODES]
    led = [folder for folder in folders if archive_marks.led(folder)]
    return frozenset().union(*(archive_marks.marked(one, kinds=kinds) for one in led or folders))


def _line(wal: Wal, record: Record) -> wal_names.Timelines:
    """By the history of the newest timeline that has a sound one."""
    for name in sorted((n for n in wal.names() if n.endswith(".history")), reverse=True):
        content = wal.get(name)
        if content is not None:
            return wal_names.timelines(name, content.decode("ascii", "replace"))
    return wal_names.Timelines(record.timeline)


def _last_commit(wal: Wal, segments: tuple[str, ...], home: Path) -> str:
    """The latest commit in a chain of segments, ISO 8601 with microseconds; "" without any."""
    with tempfile.TemporaryDirectory(prefix="wal-", dir=home) as folder:
        for name in reversed(segments):
            content = wal.get(name)
            if content is None:
                continue
            Path(folder, name).write_bytes(content)
            commits = _COMMIT.findall(_dumped(Path(folder), name))
            if commits:
                found = datetime.fromisoformat(max(commits)).replace(tzinfo=UTC)
                return found.isoformat(timespec="microseconds")
    return ""


def _dumped(folder: Path, name: str) -> str:
    """What pg_waldump reads; it ends with an error where a record runs into the next segment."""
    return subprocess.run(
        [programs.postgres("pg_waldump"), "--rmgr=Transaction", "-p", str(folder), name],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", check=False,
        timeout=_DUMP_S, env={**clean_environment(folder), "TZ": "UTC"},
    ).stdout  # fmt: skip


def _monotonic_ns(utc: str) -> int:
    """The same instant on the monotonic clock of this boot; 0 where there is none."""
    if not utc:
        return 0
    now_ns, wall = time.monotonic_ns(), datetime.now(UTC)
    ago = wall - datetime.fromisoformat(utc)
    microseconds = (ago.days * 86_400 + ago.seconds) * 1_000_000 + ago.microseconds
    return now_ns - microseconds * 1_000
