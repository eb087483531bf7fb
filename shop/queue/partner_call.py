"""One POST to a partner, on a connection of its own: these calls are few and in batches."""

from __future__ import annotations

import asyncio
import contextlib
from urllib.parse import urlsplit

import orjson

WITHIN_S = 3.0


class PartnerError(OSError):
    """The partner did not confirm; the calls are to be repeated."""


async def call_partner(base_url: str, partner: str, calls: list[dict[str, object]]) -> None:
    """Returns when the partner has remembered every call."""
    url = urlsplit(base_url)
    body = orjson.dumps(calls)
    head = (
        f"POST /{partner}/calls HTTP/1.1\r\nhost: {url.netloc}\r\nconnection: close\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    try:
        async with asyncio.timeout(WITHIN_S):
            reader, writer = await asyncio.open_connection(url.hostname, url.port or 80)
            try:
                writer.write(head.encode() + body)
                await writer.drain()
                status = (await reader.readline()).split()
            finally:
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()
    except (OSError, TimeoutError) as error:
        raise PartnerError(f"partner {partner}: {error or type(error).__name__}") from error
    if len(status) < 2 or status[1] != b"200":
        raise PartnerError(f"partner {partner}: {status!r}")
