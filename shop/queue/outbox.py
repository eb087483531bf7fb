"""Calls to partners: from the outbox to the queue, from the queue to the partner, then done.

The outbox alone says what is owed; the queue only reminds. An entry whose row is done, or is not
there (any more, after a restore), calls nobody; and a row is known by its number *and* its key,
for a restored database gives the numbers out again.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import orjson

from shop.database.session import Row, Session, run
from shop.errors import OdooError
from shop.queue.gate import CALLS, Gate
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
OWED = """
SELECT o.id, o.key FROM shop_outbox o
JOIN unnest(%s::int8[], %s::text[]) AS told (id, key) ON told.id = o.id AND told.key = o.key
WHERE o.partner = %s AND o.done_at IS NULL"""
DONE = """
UPDATE shop_outbox o SET done_at = coalesce(done_at, clock_timestamp())
FROM unnest(%s::int8[], %s::text[]) AS told (id, key)
WHERE told.id = o.id AND told.key = o.key AND o.partner = %s"""


async def publish(shop: Shop) -> None:
    """Until cancelled: put owed calls on the streams, in the transaction that marks them."""
    assert shop.config.queue is not None
    queue = Valkey(shop.config.queue)
    reminded_s = asyncio.get_running_loop().time()
    async with Gate(queue, CALLS, shop.config.name, "publish").kept() as gate:
        while True:
            try:
                await gate.passed()
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
    async with Gate(queue, CALLS, shop.config.name, "deliver").kept() as gate:
        while True:
            try:
                await gate.passed()
                by_partner: dict[str, list[Message]] = {}
                for stream, message in await member.read(AT_ONCE):
                    by_partner.setdefault(stream, []).append(message)
                for stream, batch in by_partner.items():
                    await _deliver_batch(shop, stream.partition(":")[2], batch)
                    await member.done(stream, [message_id for message_id, _ in batch])
            except (OdooError, QueueError, PartnerError) as error:
                log.info("%s", error)
                await asyncio.sleep(AGAIN_AFTER_S)


async def _deliver_batch(shop: Shop, partner: str, batch: list[Message]) -> None:
    told = [(int(fields["id"]), fields["key"].decode()) for _, fields in batch]
    owed = await _statement(shop, OWED, *_columns(told), partner)
    calls = {
        row: {"key": row[1], "payload": orjson.loads(fields["payload"])}
        for row, (_, fields) in zip(told, batch, strict=True)
        if row in owed
    }
    if calls:
        await call_partner(shop.config.partners_url, partner, list(calls.values()))
        await _statement(shop, DONE, *_columns(list(calls)), partner)


def _columns(rows: list[tuple[int, str]]) -> tuple[list[int], list[str]]:
    return [number for number, _ in rows], [key for _, key in rows]


async def _statement(shop: Shop, sql: str, *parameters: object) -> list[Row]:
    async def work(session: Session) -> list[Row]:
        return await session.rows(sql, parameters)

    return await run(shop.pool, work, atomic=False)
