"""The role `store`: S3 with object lock.

SeaweedFS's own inner ports know no passwords, so they are bound to loopback; S3 alone is reached
from outside. The bucket is made here, under lock, as soon as S3 answers.
"""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.errors import PlatformError
from harness.platforms.embedded import process, programs, s3
from harness.platforms.embedded.layout import write_atomically, write_private
from harness.platforms.embedded.s3_client import S3Client, S3Error
from harness.platforms.reference.inside import running
from harness.platforms.reference.inside.settings import Settings

PORT = 8333
_NEEDED = ("s3_admin_key", "s3_admin_secret", "s3_archive_key", "s3_archive_secret")
_PAUSE_S = 0.5
_LEAVE_S = 3.0  # its filer listens to itself, and would wait for itself to hang up


def main(settings: Settings) -> int:
    """Until it is told to end."""
    identities = _identities()
    secrets = settings.secrets_of(*_NEEDED)
    write_private(identities, json.dumps(s3.known_identities(secrets)))
    admin = S3Client(PORT, secrets.s3_admin_key, secrets.s3_admin_secret, s3.BUCKET)
    running.beside(lambda: _make_bucket(admin))
    folder = _folder(settings)
    return running.run(command(folder, identities), home=folder, within_s=_LEAVE_S)


def keys(
    settings: Settings, words: Sequence[str], asked: Mapping[str, object]
) -> dict[str, object]:
    """The archive's keys from now on, and no others: {"keys": [[ID, SECRET], ...]}.

    The store reads its identities again on SIGHUP. Whoever did not hear is told again.
    """
    wanted = asked.get("keys")
    if words or not isinstance(wanted, list) or not wanted:
        raise PlatformError("keys wants the keys of the archive, from stdin")
    told = s3.known_identities(settings.secrets_of(*_NEEDED))
    known = s3.with_archive_keys(told, [(str(key), str(secret)) for key, secret in wanted])
    write_atomically(_identities(), json.dumps(known))
    found = [them for them in process.everybody() if process.works_in(them, _folder(settings))]
    with process.held(found) as descriptors:
        process.send(descriptors, signal.SIGHUP)
    return {}


def _identities() -> Path:
    return running.private_folder() / "s3.json"


def _folder(settings: Settings) -> Path:
    return settings.data / "store"


def command(folder: Path, identities: Path) -> list[str]:
    """Of SeaweedFS's parts in one process, S3 alone listens to others."""
    return [
        programs.weed(), "-logtostderr=true", "server", f"-dir={folder}",
        "-ip=127.0.0.1", "-ip.bind=127.0.0.1",
        "-master.telemetry=false", "-master.electionTimeout=1s",  # nobody else votes
        "-volume.max=0", "-volume.preStopSeconds=0", "-master.volumeSizeLimitMB=256",
        "-s3", f"-s3.port={PORT}", "-s3.ip.bind=0.0.0.0", f"-s3.config={identities}",
        "-s3.port.iceberg=0", "-s3.port.lance=0", "-s3.iam.readOnly=false",
    ]  # fmt: skip


def _make_bucket(admin: S3Client) -> None:
    """Harmless when it is there, and locked."""
    while True:
        try:
            admin.create_locked_bucket(s3.RETENTION_DAYS)
        except S3Error as error:
            print(f"store: no bucket yet: {error}", file=sys.stderr, flush=True)
            time.sleep(_PAUSE_S)
        else:
            print("store: the bucket is there, under lock", flush=True)
            return
