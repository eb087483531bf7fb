"""Free ports on loopback.

They come from below the kernel's ephemeral range: a port inside it can be taken by anybody's
outgoing connection while the node that owns it is dead.
"""

from __future__ import annotations

import random
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from harness.errors import Refused

HOST = "127.0.0.1"
NAMES = (
    "etcd", "etcd_peer", "pg_a", "pg_b", "patroni_a", "patroni_b", "app_a", "app_b", "ingress",
    "ingress_api", "queue_door", "s3", "s3_grpc", "weed_master", "weed_master_grpc", "weed_volume",
    "weed_volume_grpc", "weed_filer", "weed_filer_grpc", "valkey", "partners", "archive", "pg_seed",
)  # fmt: skip
# weed's own worker looks for its admin part at this distance, whatever it was told
_PAIR = ("weed_admin", "weed_admin_grpc", 10_000)
_LOWEST = 10_000
_TRIES = 2_000


@contextmanager
def reserved(ingress: int | None = None) -> Iterator[dict[str, int]]:
    """A port for every name, held until the block ends so that a neighbour chooses others."""
    asked = {} if ingress is None else {"ingress": ingress}
    with ExitStack() as stack:
        chosen = stack.enter_context(reserved_for(NAMES, asked))
        near, far, distance = _PAIR
        pair = _free_pair(distance)
        for bound, name in zip(pair, (near, far), strict=True):
            chosen[name] = stack.enter_context(bound).getsockname()[1]
        yield chosen


@contextmanager
def reserved_for(names: Sequence[str], asked: Mapping[str, int]) -> Iterator[dict[str, int]]:
    """The same for other names: a port that is asked for, else any free one."""
    with ExitStack() as stack:
        chosen: dict[str, int] = {}
        for name, port in asked.items():
            stack.enter_context(_bound_or_refused(port, name))
            chosen[name] = port
        for name in names:
            if name not in chosen:
                chosen[name] = stack.enter_context(_any_free()).getsockname()[1]
        yield chosen


def _any_free() -> socket.socket:
    low, high = _range()
    chance = random.SystemRandom()
    for _ in range(_TRIES):
        bound = _bind(chance.randrange(low, high))
        if bound is not None:
            return bound
    raise Refused(
        f"no free port between {low} and {high} on {HOST}",
        next_step="end what listens there (`ss -ltn` shows it)",
    )


def _free_pair(distance: int) -> tuple[socket.socket, socket.socket]:
    _, high = _range()
    for _ in range(_TRIES):
        near = _any_free()
        far_port = near.getsockname()[1] + distance
        far = _bind(far_port) if far_port < high else None
        if far is not None:
            return near, far
        near.close()
    raise Refused(f"no two free ports {distance} apart on {HOST}")


def _range() -> tuple[int, int]:
    try:
        text = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text(encoding="ascii")
        first_ephemeral = int(text.split()[0])
    except (OSError, ValueError):
        first_ephemeral = 32_768
    return (_LOWEST, first_ephemeral) if first_ephemeral > _LOWEST + 500 else (_LOWEST, 65_536)


def _bind(port: int) -> socket.socket | None:
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        bound.bind((HOST, port))
    except OSError:
        bound.close()
        return None
    return bound


def _bound_or_refused(port: int, name: str) -> socket.socket:
    bound = _bind(port)
    if bound is None:
        raise Refused(
            f"port {port} on {HOST} is in use, and the {name} was told to listen there",
            next_step="end what listens there, or choose another port",
        )
    return bound
