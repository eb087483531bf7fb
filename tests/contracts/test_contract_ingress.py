"""Contract: doors are closed and opened, and seen so by those who stand before them."""

from __future__ import annotations

from contextlib import closing

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from harness.platforms.capabilities import Platform
from harness.platforms.embedded.waiting import await_ready
from harness.platforms.having import having
from tests.contracts.stands import needs
from tests.contracts.test_contract_facts import asked

pytestmark = pytest.mark.timeout(900)
DOOR_S = 30.0


def queue_of(platform: Platform) -> redis.Redis:
    known = platform.endpoints()
    assert known.queue_password_file is not None
    return redis.Redis.from_url(
        known.queue_url, password=known.queue_password_file.read_text().strip(),
        retry=Retry(NoBackoff(), 0), socket_timeout=5,
    )  # fmt: skip


def test_the_customers_door_is_closed_and_the_queues_is_not(kept: Platform) -> None:
    needs(kept, "ingress", "cache")
    door, url = having(kept.ingress, "ingress"), kept.endpoints().application_url
    assert door.is_open()
    assert not door.is_closed()
    with closing(queue_of(kept)) as queue:
        try:
            door.close()
            await_ready("the closed door", door.is_closed, within_s=DOOR_S)
            door.close()  # harmless
            assert not door.is_open()
            assert {asked(url, "/web/login")[0] for _ in range(20)} == {503}
            assert queue.ping()
            assert not kept.whole().whole
        finally:
            door.open()
        await_ready("the open door", door.is_open, within_s=DOOR_S)
        door.open()  # harmless
    assert not door.is_closed()
    assert asked(url, "/web/health")[0] == 200


def test_who_stands_in_the_queues_door_is_sent_away(kept: Platform) -> None:
    needs(kept, "ingress", "cache")
    door = having(kept.ingress, "ingress")
    with closing(queue_of(kept)) as queue:
        assert queue.ping()
        try:
            door.close(queue=True)
            with pytest.raises(redis.RedisError):
                queue.ping()  # the connection from before
            with pytest.raises(redis.RedisError):
                queue.ping()  # and a new one
            await_ready("both doors closed", door.is_closed, within_s=DOOR_S)
        finally:
            door.open()
        await_ready("the open doors", door.is_open, within_s=DOOR_S)
        assert queue.ping()
