"""Serve one replica of the shop.

    python -m shop.serve CONFIG.json [--dialect 14|18|19]

A test wraps it: build `application(config)`, put anything around it, and `serve` that.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn

from shop.business.service import Shop
from shop.config import DIALECTS, Config, ConfigError, load_config
from shop.upkeep import keep_up
from shop.web.application import Application

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Asgi = Callable[..., Awaitable[None]]

# Long enough for the ingress to see the 503, short enough for a rolling restart.
DRAIN_S = 1.0
LAST_REQUESTS_S = 5


def application(config: Config) -> Application:
    """The replica as an ASGI application, without a server around it."""
    return Application(Shop(config))


class Server(uvicorn.Server):
    """uvicorn, but SIGTERM first tells the ingress to look elsewhere."""

    def __init__(self, config: uvicorn.Config, drain: Callable[[], None]) -> None:
        super().__init__(config)
        self._drain = drain
        self._told = False

    def handle_exit(self, sig: int, frame: object) -> None:  # noqa: ARG002  uvicorn's
        if self._told or sig == signal.SIGINT:
            self.should_exit = True
            return
        self._told = True
        self._drain()
        loop = asyncio.get_running_loop()
        loop.call_later(DRAIN_S, self._leave)

    def _leave(self) -> None:
        self.should_exit = True


async def serve(config: Config, application_: Application, asgi: Asgi | None = None) -> None:
    """Serve until SIGTERM. `asgi` is what is served, where a test has wrapped the application."""
    settings = uvicorn.Config(
        asgi or application_,
        host=config.host,
        port=config.port,
        http="httptools",
        lifespan="off",
        log_config=None,
        access_log=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=LAST_REQUESTS_S,
        backlog=1024,
        server_header=False,
        date_header=False,
    )
    background = asyncio.create_task(keep_up(application_.shop))
    try:
        await Server(settings, application_.drain).serve()
    finally:
        background.cancel()
        await asyncio.gather(background, return_exceptions=True)
        await application_.shop.close()


def run(config: Config) -> None:
    import uvloop

    gc.freeze()
    uvloop.run(serve(config, application(config)))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="shop.serve", description=__doc__)
    parser.add_argument("config", type=Path)
    parser.add_argument("--dialect", type=int, choices=DIALECTS)
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")
    try:
        run(load_config(options.config, options.dialect))
    except ConfigError as error:
        print(f"shop.serve: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
