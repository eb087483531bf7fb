"""Does a store that was just started hand out what it lists? It answers a while before it does."""

from __future__ import annotations

from harness.platforms.embedded import backup_store, mirror, vault
from harness.platforms.embedded.s3_client import S3Client, S3Error

_LOOKS = 8  # spread over the documents


def gives(store: S3Client) -> bool:
    """Every base backup's record, and some of the documents; what was hidden on top counts too."""
    try:
        backups = vault.originals(store, backup_store.FOLDER)
        records = [key for key in backups if key.endswith(f"/{backup_store.RECORD}")]
        documents = sorted(vault.originals(store, mirror.FOLDER))
        for key in (*records, *documents[:: max(1, len(documents) // _LOOKS)]):
            store.get(key)
    except S3Error:
        return False
    return True
