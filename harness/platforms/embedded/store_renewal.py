"""The backup writer's S3 key. Two keys are valid for a moment, so that no segment waits for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from harness.platforms.embedded.renewal import Key, Renewal
from harness.platforms.embedded.s3 import BUCKET
from harness.platforms.embedded.s3_client import S3Client, S3Error
from harness.platforms.embedded.waiting import await_ready

_TAKEN_S = 30.0
_POLL_S = 0.1


def renew(renewal: Renewal) -> None:
    """Done when the store takes the new key alone, and the archive was told of it."""
    new = (renewal.secrets.s3_archive_key, renewal.secrets.s3_archive_secret)
    old = (renewal.old("s3_archive_key"), renewal.old("s3_archive_secret"))
    port = renewal.stack.ports["s3"]
    both = [new, old] if all(old) else [new]
    _offer(renewal, both, lambda: _takes(port, new) is True)
    renewal.write_files()
    renewal.stack.tell_archive(renewal.secrets)
    _offer(
        renewal,
        [new],
        lambda: _takes(port, new) is True and (not all(old) or _takes(port, old) is False),
    )


def _offer(renewal: Renewal, keys: Sequence[Key], taken: Callable[[], bool]) -> None:
    """From now on these are the identity's keys, and no others. Raises NotReady."""

    def heard() -> bool:
        renewal.stack.offer_store_keys(keys)
        return taken()

    await_ready(
        f"the store, with {len(keys)} keys of the archive,",
        heard,
        within_s=_TAKEN_S,
        poll_s=_POLL_S,
        next_step="see the store's log",
    )


def _takes(port: int, key: Key) -> bool | None:
    """None when the store cannot be asked."""
    store = S3Client(port, *key, BUCKET)
    try:
        status = store.call("GET", "", query={"max-keys": "1"}, tries=1, timeout_s=2.0).status
    except S3Error:
        return None
    return {200: True, 403: False}.get(status)
