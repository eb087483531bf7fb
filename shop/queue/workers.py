"""The background work of a replica: it may run in both, and dies with either."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from shop.queue import marketplace, outbox

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from shop.business.service import Shop

log = logging.getLogger("shop.workers")

RESTART_AFTER_S = 0.5


def start(shop: Shop) -> list[asyncio.Task[None]]:
    """Start what the configuration allows: without a queue nothing, without partners no calls."""
    if shop.config.queue is None:
        return []
    jobs = [marketplace.consume]
    if shop.config.partners_url:
        jobs += [outbox.publish, outbox.deliver]
    return [asyncio.create_task(_for_ever(job, shop)) for job in jobs]


async def stop(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _for_ever(job: Callable[[Shop], Awaitable[None]], shop: Shop) -> None:
    while True:
        try:
            await job(shop)
        except Exception:
            log.exception("%s failed, starting again", job.__name__)
            await asyncio.sleep(RESTART_AFTER_S)
