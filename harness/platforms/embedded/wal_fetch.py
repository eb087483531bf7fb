"""WAL for a recovery: a resident fetcher beside it, asked by PostgreSQL's restore_command.

The store's credentials stay in this process; the recovering database knows a port and a token
alone. Only what opens with the backup key is replayed: bytes that somebody put on top, or under a
name that was still free, are not there for us.

"There is none" and "I could not look" are different answers: the first ends a recovery, the second
must abort it, or it would end early and call itself done.
"""

from __future__ import annotations

import gzip
import hmac
import re
import secrets
import threading
import zlib
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from harness.platforms.embedded import archive, strongbox
from harness.platforms.embedded.layout import write_private
from harness.platforms.embedded.line_server import LineServer
from harness.platforms.embedded.s3_client import S3Client, S3Error

_AHEAD = 2  # segments fetched while the one before is replayed
_ABORT = "200"  # an exit code above 125 ends the recovery instead of the archive
_INSIDE = re.compile(r"pg_wal/[A-Za-z0-9_]+")


class Wal:
    """What the archive holds, by name. Raises S3Error when the store cannot be listed."""

    def __init__(self, store: S3Client, key: bytes) -> None:
        self._store, self._key = store, key
        self._versions = {
            archive.name_of(place): versions
            for place, versions in strongbox.by_key(store, archive.FOLDER).items()
        }

    def names(self) -> tuple[str, ...]:
        return tuple(sorted(self._versions))

    def get(self, name: str) -> bytes | None:
        """The bytes as PostgreSQL wrote them; None when no sound ones are there. Raises S3Error."""
        packed = strongbox.open_oldest(self._store, self._key, self._versions.get(name, ()))
        return None if packed is None else gzip.decompress(packed)


class Fetcher:
    """Answers one recovery, and looks a few segments ahead."""

    def __init__(self, wal: Wal, pgdata: Path, pool: ThreadPoolExecutor) -> None:
        self._wal, self._pgdata, self._pool = wal, pgdata, pool
        self._coming: dict[str, Future[bytes | None]] = {}
        self._lock = threading.Lock()
        self.token = secrets.token_hex(16)

    def answer(self, line: str) -> str:
        words = line.split()
        if len(words) != 3 or not hmac.compare_digest(words[0], self.token):
            return "refused"
        _, place, name = words
        if not _INSIDE.fullmatch(place):
            return f"no place for WAL: {place}"
        try:
            content = self._get(name)
            if content is None:
                return "absent"
            (self._pgdata / place).write_bytes(content)
        except (OSError, S3Error, EOFError, zlib.error) as error:
            return f"failed: {error}"
        return "ok"

    def _get(self, name: str) -> bytes | None:
        with self._lock:
            mine = self._coming.pop(name, None) or self._pool.submit(self._wal.get, name)
            following = [other for other in self._wal.names() if other > name][:_AHEAD]
            for other in following:
                if other not in self._coming:
                    self._coming[other] = self._pool.submit(self._wal.get, other)
        return mine.result()


@contextmanager
def serving(wal: Wal, pgdata: Path, folder: Path) -> Iterator[str]:
    """While it lasts, the yielded restore_command works for a database in `pgdata`."""
    token_file = folder / "restore-token"
    with ThreadPoolExecutor(max_workers=_AHEAD) as pool:
        fetcher = Fetcher(wal, pgdata, pool)
        write_private(token_file, fetcher.token)
        with LineServer(0, fetcher.answer) as server:
            thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
            thread.start()
            try:
                asked = archive.asking(int(server.server_address[1]), token_file)
                yield f"{asked} %p %f {_ABORT}"
            finally:
                server.shutdown()
                thread.join()
                token_file.unlink(missing_ok=True)
