"""The capability `ingress`: two doors, closed and opened, and seen so from outside.

What the ingress was told is never believed: a door is closed when somebody who stands before it
is turned away by the door itself.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from typing import Protocol

from harness.platforms.embedded import credentials, ingress, web
from harness.platforms.embedded.ingress import CLOSED, HEALTH, SIGN
from harness.platforms.embedded.layout import Layout
from harness.platforms.embedded.waiting import await_ready

_TURN_S = 10.0
_NO_SERVER = b"no available server"


class Orders(Protocol):
    """How a platform's ingress is told. Raises PlatformError."""

    def tell(self, *, closed: bool, queue_closed: bool) -> None: ...
    def told(self) -> tuple[bool, bool]:
        """(closed, queue_closed)."""

    def hang_up(self) -> None:
        """End whoever talks to the queue, whichever way he came."""


@dataclass(frozen=True, slots=True)
class Doors:
    """The customers' door and the queue's own, at the ports `ingress` and `queue_door`."""

    ports: dict[str, int]
    orders: Orders
    health: str = HEALTH

    def close(self, *, queue: bool = False) -> None:
        """Close the customers' door. The queue's own is closed where `queue` says so, else opened.

        Returns when no connection through the queue's door is left. Raises NotReady.
        """
        self.orders.tell(closed=True, queue_closed=queue)
        if queue:
            await_ready(
                "the queue's closed door", lambda: queue_hangs_up(self.ports), within_s=_TURN_S
            )
            self.orders.hang_up()

    def open(self) -> None:
        """Both doors."""
        self.orders.tell(closed=False, queue_closed=False)

    def is_closed(self) -> bool:
        """Asked from outside: the door itself answered, and the routes say who else may."""
        closed, queue_closed = self.orders.told()
        return (
            closed and turns_away(self.ports) and (not queue_closed or queue_hangs_up(self.ports))
        )

    def is_open(self) -> bool:
        return serves(self.ports, self.health) and queue_answers(self.ports)


@dataclass(frozen=True, slots=True)
class RoutesFile:
    """Of the one Traefik there is on this machine."""

    layout: Layout

    def tell(self, *, closed: bool, queue_closed: bool) -> None:
        file = ingress.routes_file(self.layout)
        ingress.save(file, replace(ingress.load(file), closed=closed, queue_closed=queue_closed))

    def told(self) -> tuple[bool, bool]:
        now = ingress.load(ingress.routes_file(self.layout))
        return now.closed, now.queue_closed

    def hang_up(self) -> None:
        """The application's own connections end too; it opens new ones beside the door."""
        import redis

        queue = redis.Redis(
            port=ingress.load(ingress.routes_file(self.layout)).queue_port,
            password=credentials.load(self.layout).valkey,
            socket_timeout=2.0,
        )
        with suppress(redis.RedisError), closing(queue):  # a queue that is gone holds nobody
            queue.client_kill_filter(_type="normal", skipme=True)


def embedded(layout: Layout, ports: dict[str, int]) -> Doors:
    """Of the embedded platform."""
    return Doors(ports, RoutesFile(layout))


def point(layout: Layout, replicas: Sequence[str], queue_port: int) -> None:
    """Lead both doors to other servers from now on; a closed door stays closed."""
    file = ingress.routes_file(layout)
    now = ingress.load(file)
    ingress.save(file, replace(now, replicas=tuple(replicas), queue_port=queue_port))


def turns_away(ports: dict[str, int]) -> bool:
    """The customers' door itself answers 503: no replica was reached."""
    answer = web.ask(ports["ingress"], HEALTH, timeout_s=2.0)
    return (
        answer is not None
        and answer.status == 503
        and answer.header(SIGN) == CLOSED
        and answer.body.strip() == _NO_SERVER
    )


def serves(ports: dict[str, int], health: str = HEALTH) -> bool:
    """The door answers 200 on the application's own health page."""
    answer = web.ask(ports["ingress"], health, timeout_s=2.0)
    return answer is not None and answer.status == 200


def queue_answers(ports: dict[str, int]) -> bool:
    """Something that speaks the queue's protocol stands behind its door."""
    try:
        with socket.create_connection(("127.0.0.1", ports["queue_door"]), timeout=1.0) as door:
            door.settimeout(1.0)
            door.sendall(b"PING\r\n")
            return door.recv(100)[:1] in (b"+", b"-")  # without a password it is told so
    except OSError:
        return False


def queue_hangs_up(ports: dict[str, int]) -> bool:
    """Nobody stands behind its door. A queue that is only slow has not said so."""
    try:
        with socket.create_connection(("127.0.0.1", ports["queue_door"]), timeout=1.0) as door:
            door.settimeout(1.0)
            door.sendall(b"PING\r\n")
            return door.recv(100) == b""
    except TimeoutError:
        return False
    except OSError:
        return True
