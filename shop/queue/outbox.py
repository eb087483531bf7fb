"""Calls to partners: from the outbox to the queue, from the queue to the partner, then done."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import orjson

from shop.database.session import Session, run
from shop.errors import OdooError
from shop.queue.group import Member
from shop.queue.partner_call import PartnerError, call_partner
from shop.queue.valkey import Message, QueueError, Valkey

if TYPE_CHECKING:
    from shop.business.service import Shop

log = logging.getLogger("shop.outbox")

PARTNERS = ("payment", "carrier", "marketplace")
STREAM = "partner:{}"
STREAM_MAX = 100_000
AT_ONCE = 200
LOOK_EVERY_S = 0.1
AGAIN_AFTER_S = 0.2
# A queue that lost its memory forgets what it was given: what is not done by then goes again.
FORGOTTEN_AFTER_S = 15
TAKE = """
UPDATE shop_outbox o SET published_at = clock_timestamp()
FROM (SELECT id FROM shop_outbox WHERE published_at IS NULL
      ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED) t
WHERE o.id = t.id RETURNING o.id, o.partner, o.key, o.payload::text"""
REMIND = """
UPDATE shop_outbox SET published_at = NULL
WHERE done_at IS NULL AND published_at < clock_timestamp() - %s * interval '1 second'"""
DONE = """
UPDATE shop_outbox SET done_at = coalesce(done_at, clock_timestamp())
WHERE id = ANY(%s::int8[])"""


async def publish(shop: Shop) -> None:
    """Until cancelled: put owed calls on the streams, in the transaction that marks them."""
    assert shop.config.queue is not None
    queue = Valkey(shop.config.queue)
    reminded_s = asyncio.get_running_loop().time()
    try:
        while True:
            try:
                published = await _publish_some(shop, queue)
                now_s = asyncio.get_running_loop().time()
                if now_s - reminded_s > FORGOTTEN_AFTER_S:
                    reminded_s = now_s
                    await _statement(shop, REMIND, FORGOTTEN_AFTER_S)
            except (OdooError, QueueError) as error:
                log.info("%s", error)
                await asyncio.sleep(AGAIN_AFTER_S)
                continue
            if published < AT_ONCE:
                await asyncio.sleep(LOOK_EVERY_S)
    finally:
        await queue.close()


async def _publish_some(shop: Shop, queue: Valkey) -> int:
    async def work(session: Session) -> int:
        rows = await session.rows(TAKE, [AT_ONCE])
        if rows:
            await queue.commands(
                [
                    ("XADD", STREAM.format(partner), "MAXLEN", "~", str(STREAM_MAX), "*",
                     "id", str(number), "key", str(key), "payload", str(payload))
                    for number, partner, key, payload in rows
                ]
            )  # fmt: skip
        return len(rows)

    return await run(shop.pool, work, atomic=True)


async def deliver(shop: Shop) -> None:
    """Until cancelled: call the partners with what is on their streams, then say it is done."""
    assert shop.config.queue is not None
    queue = Valkey(shop.config.queue)
    member = Member(queue, shop.config.name, tuple(STREAM.format(name) for name in PARTNERS))
    try:
        while True:
            try:
                by_partner: dict[str, list[Message]] = {}
                for stream, message in await member.read(AT_ONCE):
                    by_partner.setdefault(stream, []).append(message)
                for stream, batch in by_partner.items():
                    await _deliver_batch(shop, stream, batch)
                    await member.done(stream, [message_id for message_id, _ in batch])
            except (OdooError, QueueError, PartnerError) as error:
                log.info("%s", error)
                await asyncio.sleep(AGAIN_AFTER_S)
    finally:
        await queue.close()


async def _deliver_batch(shop: Shop, stream: str, batch: list[Message]) -> None:
    calls = [
        {"key": fields["key"].decode(), "payload": orjson.loads(fields["payload"])}
        for _, fields in batch
    ]
    await call_partner(shop.config.partners_url, stream.partition(":")[2], calls)
    await _statement(shop, DONE, [int(fields["id"]) for _, fields in batch])


async def _statement(shop: Shop, sql: str, *parameters: object) -> None:
    async def work(session: Session) -> object:
        return await session.rows(sql, parameters)

    await run(shop.pool, work, atomic=False)
