"""A restore inside a held database container: from the store, beside the data, then in their place.

The order is a JSON object, read from stdin because it carries secrets: `backup_id`, `before_xid`
or `until_utc`, the `backup_key`, and every password that the restored data shall know. What holds
for embedded's restore holds here, because it is the same code: nothing is half in place, and it
may be repeated after any death. One restore at a time: a second ends the first.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from harness.errors import PlatformError
from harness.platforms.capabilities import Restored, Wanted
from harness.platforms.embedded import process, restore
from harness.platforms.embedded.credentials import Secrets
from harness.platforms.embedded.layout import write_atomically
from harness.platforms.embedded.process import ProcessId
from harness.platforms.embedded.s3 import BUCKET
from harness.platforms.embedded.s3_client import S3Client
from harness.platforms.reference.inside import places, resident_archive
from harness.platforms.reference.inside.child_server import ChildServer
from harness.platforms.reference.inside.settings import Settings

_REMEMBERED = "patroni.dynamic.json"  # Patroni's own note of a configuration, in its data folder
_DEATH_S = 20.0


@dataclass(frozen=True, slots=True, repr=False)
class Order:
    """What is to be restored, with what."""

    backup_id: str
    wanted: Wanted
    key: bytes
    secrets: Secrets


def order_of(raw: bytes) -> Order:
    """Raises PlatformError for what is no order; nothing of it is told."""
    try:
        told = json.loads(raw)
        xid = told.get("before_xid")
        wanted = Wanted(int(xid) if xid is not None else None, str(told.get("until_utc", "")))
        secrets = Secrets(**told["secrets"])
        backup_id, word = str(told["backup_id"]), str(told["backup_key"])
    except (ValueError, TypeError, LookupError, AttributeError):
        problem = PlatformError("what came by stdin is no order to restore")
    else:
        return Order(backup_id, wanted, resident_archive.backup_key(word), secrets)
    raise problem  # not from the error: its text may show what was read


def run(settings: Settings, order: Order) -> Restored:
    """Raises PlatformError, also where Patroni does not stand still."""
    where, ours = settings.address("STORE"), order.secrets
    store = S3Client(
        where.port, ours.s3_archive_key, ours.s3_archive_secret, BUCKET, host=where.host
    )
    with _alone(settings.data):
        if not places.hold(settings.data).is_held():
            raise PlatformError(f"{settings.name} is not held", next_step="agent hold, then again")
        target = place(settings.data, order.secrets)
        restored = restore.build(target, store, order.key, order.backup_id, order.wanted)
        (target.pgdata / _REMEMBERED).unlink(missing_ok=True)
    return restored


def place(data: Path, secrets: Secrets) -> restore.Place:
    """Its database's log is kept: it says where it ended."""
    workshop = data / "restore"
    return restore.Place(
        pgdata=places.pgdata(data),
        workshop=workshop,
        log=places.log(data, "restore.log"),
        port=places.PG_PORT,
        secrets=secrets,
        server=ChildServer(workshop),
    )


def as_json(restored: Restored) -> Mapping[str, object]:
    return asdict(restored)


@contextmanager
def _alone(data: Path) -> Iterator[None]:
    """Whoever restores here already is ended: nobody waits for what he does any more."""
    note = data / "restore.who"
    with (data / "restore.lock").open("a", encoding="ascii") as lock:
        if not _taken(lock.fileno()):
            _end(note)
            fcntl.flock(lock, fcntl.LOCK_EX)
        us = process.identify(os.getpid())
        assert us is not None
        write_atomically(note, json.dumps(asdict(us)))
        yield


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _end(note: Path) -> None:
    try:
        holder = ProcessId(**json.loads(note.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise PlatformError("another restore runs here, and does not say who it is") from error
    with process.held([holder]) as descriptors:
        process.send(descriptors, signal.SIGKILL)
        if not process.await_death(descriptors, _DEATH_S):
            raise PlatformError("another restore runs here, and does not die")
