"""The integration queue, as a recovery sees it: shut its jobs, set them back, let them go.

The names are the application's own (shop/queue): a stream of the marketplace's orders and one a
partner, each with the group `shop`; a set of jobs that stand still; a key for each that is busy.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import redis

from harness.errors import PlatformError
from harness.json_text import parsed
from harness.platforms.capabilities import Endpoints

ORDERS, CALLS = "orders", "calls"  # the jobs
MARKETPLACE = "marketplace:orders"
_PARTNER = "partner:*"
_GROUP = "shop"
_SHUT = "shop:shut"
_SHUT_S = 3600  # nobody who forgets to open keeps an application still for ever
_BUSY = "shop:busy:{}:*"
_PAGE = 1000
_LOST = ("NOGROUP", "no such key", "requires the key to exist")


@dataclass(frozen=True, slots=True)
class Entry:
    """One order of the marketplace, as it lies in the stream."""

    entry_id: str
    key: str  # "" where the entry names none


@contextmanager
def connected(endpoints: Endpoints) -> Iterator[Streams]:
    """The queue, beside its door where there is such a way. Raises PlatformError."""
    if endpoints.queue_password_file is None:
        raise PlatformError("the platform names no queue: nothing can be replayed from it")
    client = redis.Redis.from_url(
        endpoints.queue_inside_url or endpoints.queue_url,
        password=endpoints.queue_password_file.read_text(encoding="utf-8").strip(),
        socket_timeout=10,
        decode_responses=True,
    )
    try:
        yield Streams(client)
    except redis.RedisError as error:
        raise PlatformError(
            f"the queue does not answer: {type(error).__name__}",
            next_step="see whether it runs; the replay may be repeated",
        ) from error
    finally:
        client.close()


class Streams:
    """One connection."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def shut(self, *jobs: str) -> None:
        """No further work of these jobs begins; what is under way goes on to its end."""
        self._client.sadd(_SHUT, *jobs)
        self._client.expire(_SHUT, _SHUT_S)

    def let_go(self, *jobs: str) -> None:
        self._client.srem(_SHUT, *jobs)

    def stand_still(self, *jobs: str) -> bool:
        """Shut, and nobody is busy any more."""
        return all(
            self._client.sismember(_SHUT, job)
            and next(self._client.scan_iter(_BUSY.format(job)), None) is None
            for job in jobs
        )

    def orders(self) -> Iterator[Entry]:
        """The marketplace's orders in their order, as far as the stream goes back."""
        start = "-"
        while True:
            page = self._client.xrange(MARKETPLACE, start, "+", count=_PAGE) or []
            for entry_id, fields in page:
                yield Entry(str(entry_id), _key(str((fields or {}).get("order", ""))))
            if len(page) < _PAGE:
                return
            start = f"({page[-1][0]!s}"

    def set_back(self, entry_id: str, taken: int) -> None:
        """The group reads on after this entry ("0-0": from the start); `taken` lie before it.

        Where the queue has lost the group, it is made: then nothing was read.
        """
        try:
            gone = self._added() - int(self._client.xlen(MARKETPLACE))
            self._client.xgroup_setid(MARKETPLACE, _GROUP, entry_id, entries_read=gone + taken)
        except redis.ResponseError as error:
            if not any(word in str(error) for word in _LOST):
                raise
            self._client.xgroup_create(MARKETPLACE, _GROUP, entry_id, mkstream=True)

    def _added(self) -> int:
        told = self._client.xinfo_stream(MARKETPLACE)
        return int(told["entries-added"])

    def forget_calls(self) -> int:
        """What lies on the partners' streams is nobody's to deliver any more. How much it was.

        The entries stay to be looked at; the groups begin behind them, with nothing pending. Only
        while the calls stand still: the outbox puts on the streams again what is owed.
        """
        forgotten = 0
        for stream in self._client.scan_iter(_PARTNER, _type="stream"):
            for group in self._client.xinfo_groups(stream):
                forgotten += int(group["pending"]) + int(group["lag"] or 0)
                with self._client.pipeline(transaction=True) as at_once:
                    at_once.xgroup_destroy(stream, group["name"])
                    at_once.xgroup_create(stream, group["name"], "$")
                    at_once.execute()
        return forgotten


def _key(order: str) -> str:
    try:
        return str(parsed(order)["client_order_ref"])
    except (ValueError, KeyError, TypeError):
        return ""
