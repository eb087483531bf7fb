"""Is an object under a lock that nobody can lift? By the store's own word, asked as its admin."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from harness.platforms.capabilities import Wholeness
from harness.platforms.embedded.s3_client import S3Client, S3Error

_MODE = "COMPLIANCE"  # GOVERNANCE can be lifted by whoever has the right to


def locked(client: S3Client, key: str) -> Wholeness:
    """Retained in compliance mode beyond now, in a bucket that keeps every version."""
    try:
        headers = client.head(key)
        versioning = client.call("GET", "", query={"versioning": ""})
    except S3Error as error:
        return Wholeness(False, (f"the lock of {key} cannot be seen: {error}",))
    if headers is None:
        return Wholeness(False, (f"{key} is not there",))
    missing = []
    if not re.search(rb"<Status>Enabled</Status>", versioning.body):
        missing.append(f"bucket {client.bucket} does not keep versions: an overwrite destroys")
    mode, until = (headers.get(f"x-amz-object-lock-{n}", "") for n in ("mode", "retain-until-date"))
    if mode != _MODE:
        missing.append(f"{key} is not locked in {_MODE} mode: it has {mode or 'none'}")
    elif not _is_ahead(until):
        missing.append(f"the lock of {key} ends at {until or 'no time'}: it holds no longer")
    return Wholeness(not missing, tuple(missing))


def _is_ahead(until: str) -> bool:
    try:
        return datetime.fromisoformat(until) > datetime.now(UTC)
    except (ValueError, TypeError):
        return False
