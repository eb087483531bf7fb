"""The queue's password: like PostgreSQL it is asked for once, so old sessions must be ended too.

Sessions are numbered as they begin. All that began before the password was changed are ended;
those that came by the new one are left alone, so a marketplace loses nothing.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from harness.errors import NotReady
from harness.platforms.embedded.renewal import Renewal, pause_for_clients
from harness.platforms.embedded.waiting import await_ready

_QUEUE_S, _CONSUMERS_S = 20.0, 30.0
_CONSUMING = {"xreadgroup", "xautoclaim", "xack", "xgroup", "xgroup|create"}


def renew(renewal: Renewal) -> None:
    """Done when the old password is refused, its sessions are ended and consumers are back."""
    port, word = renewal.stack.queue_port, renewal.secrets.valkey
    await_ready(
        "the queue", lambda: _take(renewal), within_s=_QUEUE_S, next_step="see the queue's log"
    )
    renewal.stack.keep_queue(renewal.secrets)
    with _connected(port, word) as queue:
        first_new = int(queue.client_id())
        renewal.write_files()
        renewal.tell_replicas()
        pause_for_clients()
        await_ready("the end of old sessions", lambda: _end_before(queue, first_new),
                    within_s=_QUEUE_S)  # fmt: skip
        if _lets_in(port, renewal.old("valkey")):
            raise NotReady("the queue still takes the old password", next_step="rotate it again")
        await_ready(
            "the replicas' consumers, with the new password,",
            lambda: _consumers(queue) >= len(renewal.stack.live_replicas()),
            within_s=_CONSUMERS_S,
            next_step="see the logs of the application",
        )


def _take(renewal: Renewal) -> bool:
    """Set the new password by whichever is valid now; a rotation that was cut short set either."""
    word, port = renewal.secrets.valkey, renewal.stack.queue_port
    for known in (word, *reversed(renewal.former.get("valkey", ()))):
        with contextlib.suppress(redis.RedisError), _connected(port, known) as queue:
            queue.config_set("requirepass", word)
            return True
    return False


@contextlib.contextmanager
def _connected(port: int, password: str) -> Iterator[redis.Redis]:
    """One connection, greeted. Raises redis.RedisError."""
    queue = redis.Redis(
        port=port, password=password, socket_timeout=2.0, socket_connect_timeout=2.0,
        single_connection_client=True, retry=Retry(NoBackoff(), 0),  # a refusal is an answer
    )  # fmt: skip
    try:
        queue.ping()
        yield queue
    finally:
        queue.close()


def _lets_in(port: int, password: str) -> bool:
    try:
        with _connected(port, password):
            return bool(password)
    except redis.AuthenticationError:
        return False


def _end_before(queue: redis.Redis, first_new: int) -> bool:
    """End every older session; whether there was none left."""
    old = [row["id"] for row in _sessions(queue) if int(row["id"]) < first_new]
    for number in old:
        queue.client_kill_filter(_id=number)
    return not old


def _consumers(queue: redis.Redis) -> int:
    return sum(row.get("cmd") in _CONSUMING for row in _sessions(queue))


def _sessions(queue: redis.Redis) -> list[dict[str, str]]:
    found: list[dict[str, str]] = queue.client_list()
    return found
