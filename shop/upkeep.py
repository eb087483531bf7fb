"""What a replica does beside serving: takes renewed secrets, and flushes the audit log.

The configuration file is looked at every tenth of a second, and whenever the database refuses a
connection: a replica takes new secrets without a restart, and without losing a request to it.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from shop.queue import workers

if TYPE_CHECKING:
    from shop.business.service import Shop

LOOK_EVERY_S = 0.1
FLUSH_EVERY = 3  # looks


async def keep_up(shop: Shop) -> None:
    """Until cancelled; the background work goes with it. A new queue password restarts that."""
    jobs = workers.start(shop)
    queue, looks = shop.config.queue, 0
    try:
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            shop.refresh()
            if shop.config.queue != queue:
                queue = shop.config.queue
                await workers.stop(jobs)
                jobs = workers.start(shop)
            looks += 1
            if looks % FLUSH_EVERY == 0:
                _flush(shop)
    finally:
        await workers.stop(jobs)
        _flush(shop)


def _flush(shop: Shop) -> None:
    """A full disk must not end the upkeep."""
    with contextlib.suppress(OSError):
        shop.audit.flush()
