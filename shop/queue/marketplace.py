"""Orders of the marketplace: read from the queue, made once each, then acknowledged."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import orjson

from shop.database.session import Session, run
from shop.errors import ConnectionLost, DatabaseAiling, DatabaseDown, OdooError
from shop.queue.gate import ORDERS, Gate
from shop.queue.group import Member
from shop.queue.valkey import Message, QueueError, Valkey

if TYPE_CHECKING:
    from shop.business.service import Shop

log = logging.getLogger("shop.marketplace")

STREAM = "marketplace:orders"
FIELD = "order"
AT_ONCE = 16
AT_THE_SAME_TIME = 4
AGAIN_AFTER_S = 0.2
MARKETPLACE_UID = 2


class Refused(ValueError):
    """A message that will never become an order."""


def parse_order(fields: dict[str, bytes]) -> tuple[dict[str, object], list[dict[str, object]]]:
    """{"client_order_ref", "partner_id", "lines": [[product, quantity, price]]}."""
    try:
        body = orjson.loads(fields[FIELD])
        lines: list[dict[str, object]] = [
            {"product_id": int(product), "product_uom_qty": quantity, "price_unit": price}
            for product, quantity, price in body["lines"]
        ]
        reference = str(body["client_order_ref"])
        values: dict[str, object] = {
            "client_order_ref": reference,
            "partner_id": int(body["partner_id"]),
            "origin": "marketplace",
        }
    except (KeyError, TypeError, ValueError) as error:
        raise Refused(f"{type(error).__name__}: {error}") from error
    return values, lines


async def consume(shop: Shop) -> None:
    """Until cancelled. What fails for want of the database or the queue is tried again."""
    assert shop.config.queue is not None
    queue = Valkey(shop.config.queue)
    member = Member(queue, shop.config.name, (STREAM,))
    left: list[Message] = []  # read, and not made for want of a database
    async with Gate(queue, ORDERS, shop.config.name, "consume").kept() as gate:
        while True:
            try:
                await gate.passed()
                left = left or [message for _, message in await member.read(AT_ONCE)]
                made = await _make_all(shop, left)
                await member.done(STREAM, made)
                left = [message for message in left if message[0] not in made]
            except QueueError as error:
                log.warning("%s", error)
                await asyncio.sleep(AGAIN_AFTER_S)
            else:
                await asyncio.sleep(AGAIN_AFTER_S if left else 0)


async def _make_all(shop: Shop, read: list[Message]) -> list[str]:
    """The ids of those that need not be looked at again."""
    limit = asyncio.Semaphore(AT_THE_SAME_TIME)

    async def one(message: Message) -> str | None:
        async with limit:
            return message[0] if await _make(shop, message) else None

    made = await asyncio.gather(*(one(message) for message in read))
    return [message_id for message_id in made if message_id is not None]


async def _make(shop: Shop, message: Message) -> bool:
    """Make the order, and the inbox row keeps it to one. False: the database is away, or ails."""
    message_id, fields = message
    try:
        values, lines = parse_order(fields)
        await _insert(shop, message_id, values, lines)
    except (DatabaseDown, ConnectionLost, DatabaseAiling):
        return False
    except (OdooError, Refused) as error:
        return await _refuse(shop, message_id, fields, str(error))
    return True


async def _insert(
    shop: Shop, message_id: str, values: dict[str, object], lines: list[dict[str, object]]
) -> None:
    async def work(session: Session) -> object:
        return await session.value(
            "SELECT shop_market_order(%s, %s::jsonb, %s::jsonb, %s, %s)",
            [
                message_id,
                orjson.dumps(values).decode(),
                orjson.dumps(lines).decode(),
                shop.dialect,
                MARKETPLACE_UID,
            ],
        )

    await run(shop.pool, work, atomic=False)


async def _refuse(shop: Shop, message_id: str, fields: dict[str, bytes], reason: str) -> bool:
    """Keep what could not become an order where a person can find it."""

    async def work(session: Session) -> object:
        return await session.rows(
            "INSERT INTO shop_inbox_refused (message_id, body, reason) VALUES (%s, %s, %s)"
            " ON CONFLICT DO NOTHING",
            [message_id, fields.get(FIELD, b"").decode(errors="replace"), reason],
        )

    try:
        await run(shop.pool, work, atomic=False)
    except OdooError:
        return False
    return True
