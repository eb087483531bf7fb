"""What an exec asks of any part: who answers from where it stands?

    python3 -m harness.platforms.reference.inside reached      {"addresses": ["HOST:PORT"]} by stdin

{"reached": [...], "store": true}: those that took a connection. The store takes one from everybody,
so whoever does not even reach it has not looked.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from harness.errors import PlatformError
from harness.platforms.reference.inside.settings import Address, Settings, address

_ANSWER_S = 2.0


def reached(
    settings: Settings, words: Sequence[str], asked: Mapping[str, object]
) -> dict[str, object]:
    named = asked.get("addresses")
    if words or not isinstance(named, list) or not named:
        raise PlatformError("reached wants addresses, from stdin")
    where = [settings.address("STORE"), *(address("addresses", str(word)) for word in named)]
    with ThreadPoolExecutor(max_workers=len(where)) as pool:
        store, *others = pool.map(_takes, where)
    told = [str(place) for place, taken in zip(where[1:], others, strict=True) if taken]
    return {"reached": told, "store": store}


def _takes(place: Address) -> bool:
    """A name that nobody knows is reached by nobody."""
    try:
        with socket.create_connection((place.host, place.port), timeout=_ANSWER_S):
            return True
    except OSError:
        return False
