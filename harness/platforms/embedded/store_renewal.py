"""The backup writer's S3 key. Two keys are valid for a moment, so that no segment waits for it.

The store reads its identities again on SIGHUP. It belongs to the first environment in every case:
a clean one has a key of its own at the same store.
"""

from __future__ import annotations

import json
import signal
from collections.abc import Callable

from harness.platforms.embedded import archive, parts, process
from harness.platforms.embedded.credentials import files_of
from harness.platforms.embedded.layout import SUPPORT_NODE, Layout, write_atomically
from harness.platforms.embedded.renewal import Renewal
from harness.platforms.embedded.s3 import BUCKET
from harness.platforms.embedded.s3_client import S3Client, S3Error
from harness.platforms.embedded.waiting import await_ready

_IDENTITY = "archive"
_TAKEN_S = 30.0
_POLL_S = 0.1

Key = tuple[str, str]


def renew(renewal: Renewal) -> None:
    """Done when the store takes the new key alone, and the archive was told of it."""
    plan = renewal.plan
    new = (plan.secrets.s3_archive_key, plan.secrets.s3_archive_secret)
    old = (renewal.old("s3_archive_key"), renewal.old("s3_archive_secret"))
    port = plan.ports["s3"]
    both = [new, old] if all(old) else [new]
    _offer(renewal.base, both, lambda: _takes(port, new) is True)
    renewal.write_files()
    archive.part(plan.layout, plan.ports, plan.secrets)  # the running one reads its file again
    _offer(
        renewal.base,
        [new],
        lambda: _takes(port, new) is True and (not all(old) or _takes(port, old) is False),
    )


def _offer(base: Layout, keys: list[Key], taken: Callable[[], bool]) -> None:
    """From now on these are the identity's keys, and no others. Raises NotReady."""
    file = files_of(base).s3_identities
    told = json.loads(file.read_text(encoding="utf-8"))
    for identity in told["identities"]:
        if identity["name"] == _IDENTITY:
            identity["credentials"] = [{"accessKey": k, "secretKey": s} for k, s in keys]
    write_atomically(file, json.dumps(told))

    def heard() -> bool:
        _hang_up(base)
        return taken()

    await_ready(
        f"the store, with {len(keys)} keys of the archive,",
        heard,
        within_s=_TAKEN_S,
        poll_s=_POLL_S,
        next_step="see logs/s3.log",
    )


def _hang_up(base: Layout) -> None:
    """Have a running store read its identities; one that starts does so by itself."""
    pid = parts.node_of(base, SUPPORT_NODE).part_pids().get("s3")
    found = process.identify(pid) if pid else None
    if found is not None:
        with process.held([found]) as descriptors:
            process.send(descriptors, signal.SIGHUP)


def _takes(port: int, key: Key) -> bool | None:
    """None when the store cannot be asked."""
    store = S3Client(port, *key, BUCKET)
    try:
        status = store.call("GET", "", query={"max-keys": "1"}, tries=1, timeout_s=2.0).status
    except S3Error:
        return None
    return {200: True, 403: False}.get(status)
