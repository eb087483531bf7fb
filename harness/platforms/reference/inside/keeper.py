"""The role `keeper`: the documents' mirror, and a place for what an exec asks of the documents."""

from __future__ import annotations

from harness.platforms.embedded.mirror import Mirror
from harness.platforms.embedded.postgres import DATABASE
from harness.platforms.embedded.s3 import BUCKET
from harness.platforms.embedded.s3_client import S3Client
from harness.platforms.reference.inside.settings import Settings


def main(settings: Settings) -> int:
    """Until it is told to end."""
    archivist(settings)  # what is missing is said at once
    Mirror(settings.filestore / DATABASE, lambda: archivist(settings)).run()
    return 0


def archivist(settings: Settings) -> S3Client:
    """With the keys of now: they are renewed while the mirror runs."""
    store = settings.address("STORE")
    return S3Client(
        store.port,
        settings.secret("s3_archive_key"),
        settings.secret("s3_archive_secret"),
        BUCKET,
        host=store.host,
    )
