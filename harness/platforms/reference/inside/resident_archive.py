"""The resident archive beside one member: its own finished WAL, sealed, to the store.

    python3 -m harness.platforms.reference.inside.resident_archive

As on the embedded platform, with one member's folder instead of two. Secrets are read at each
segment, so a renewed S3 key costs none. The backup key alone is remembered: its file may be lost
while an archive runs, and what is lost then is a copy, not the archive.

The member's heartbeat is here as well: what it makes up for is the switch of an idle segment.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from harness.errors import PlatformError
from harness.platforms.embedded import archive, heartbeat
from harness.platforms.embedded.line_server import LineServer
from harness.platforms.embedded.s3 import BUCKET
from harness.platforms.embedded.s3_client import S3Client
from harness.platforms.embedded.sealing import KEY_BYTES
from harness.platforms.reference.inside import archive_fault, places, running
from harness.platforms.reference.inside.settings import BACKUP_KEY, Settings


@dataclass
class Resident:
    """What the folder of secrets says at each line."""

    settings: Settings
    _remembered: bytes = field(default=b"", repr=False)

    def answer(self, line: str) -> str:
        if places.archive_shut(self.settings.data).exists():
            return "failed: this environment does not serve yet"
        try:
            return self.uploader().answer(line)
        except (OSError, ValueError, PlatformError) as error:
            return f"failed: {error}"

    def uploader(self) -> archive.Uploader:
        told = self.settings
        return archive.Uploader(
            store=store_of(told),
            key=self._key(),
            token=told.secret("archive_token"),
            folders={told.name: places.pgdata(told.data) / "pg_wal"},
            wrong_key=archive_fault.wrong_key_file(told.data),
        )

    def _key(self) -> bytes:
        try:
            found = backup_key(self.settings.secret(BACKUP_KEY))
        except PlatformError:
            if not self._remembered:
                raise
            return self._remembered
        self._remembered = found
        return found


def store_of(settings: Settings) -> S3Client:
    """As the archive's own identity, which cannot delete."""
    where = settings.address("STORE")
    access, secret = (settings.secret(f"s3_archive_{name}") for name in ("key", "secret"))
    return S3Client(where.port, access, secret, BUCKET, host=where.host)


def backup_key(word: str) -> bytes:
    """Raises PlatformError for what is no key."""
    try:
        key = bytes.fromhex(word)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise PlatformError("the backup key is damaged", next_step="put a copy of it back")
    return key


def heartbeat_of(settings: Settings) -> heartbeat.Heartbeat:
    """By the password that holds when it connects."""
    return heartbeat.Heartbeat(
        lambda: heartbeat.connected(places.PG_PORT, password=settings.secret("postgres"))
    )


def main(settings: Settings) -> None:
    """Serve until the container ends."""
    resident = Resident(settings)
    answer = resident.answer
    running.beside(heartbeat_of(settings).run)
    with LineServer(places.ARCHIVE_PORT, lambda line: archive.told(answer(line))) as server:
        server.serve_forever(poll_interval=60.0)


if __name__ == "__main__":
    main(Settings())
