"""The role `store`: S3 with object lock.

SeaweedFS's own inner ports know no passwords, so they are bound to loopback; S3 alone is reached
from outside. The bucket is made here, under lock, as soon as S3 answers.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from harness.platforms.embedded import programs, s3
from harness.platforms.embedded.layout import write_private
from harness.platforms.embedded.s3_client import S3Client, S3Error
from harness.platforms.reference.inside import running
from harness.platforms.reference.inside.settings import Settings

PORT = 8333
_NEEDED = ("s3_admin_key", "s3_admin_secret", "s3_archive_key", "s3_archive_secret")
_PAUSE_S = 0.5


def main(settings: Settings) -> int:
    """Until it is told to end."""
    identities = running.private_folder() / "s3.json"
    secrets = settings.secrets_of(*_NEEDED)
    write_private(identities, json.dumps(s3.known_identities(secrets)))
    admin = S3Client(PORT, secrets.s3_admin_key, secrets.s3_admin_secret, s3.BUCKET)
    running.beside(lambda: _make_bucket(admin))
    folder = settings.data / "store"
    return running.run(command(folder, identities), home=folder)


def command(folder: Path, identities: Path) -> list[str]:
    """Of SeaweedFS's parts in one process, S3 alone listens to others."""
    return [
        programs.weed(), "-logtostderr=true", "server", f"-dir={folder}",
        "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-master.telemetry=false",
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
