"""`python -m harness.attack ORDER.json`: wait for the word, then use what leaked, until let go."""

from __future__ import annotations

import os
import select
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from harness.attack import application, database, leaked, order, store, stream
from harness.attack.grid import Grid, Log
from harness.attack.leaked import Leaked
from harness.attack.order import Order

_STDIN = 0
_TICK_S = 0.1
_GRACE_S = 3.0  # for tries that are under way: longer than any of their time-outs


def main(words: list[str]) -> int:
    """0: ended by its standard input or at its limit. 1: it could not go on; stderr says why."""
    given = order.read(Path(words[0]))
    if not heard_the_word():
        return 0
    found = {kind: leaked.load(Path(given.leaked) / f"{kind}.json") for kind in given.per_s}
    return attack(given, {kind: way_in(held, given) for kind, held in found.items()})


def heard_the_word() -> bool:
    """True for a line on standard input, False at its end."""
    return os.read(_STDIN, 4096) != b""


def way_in(held: Leaked, given: Order) -> Callable[[int], str]:
    """How this class is used: a function of the try's number that returns, or raises."""
    ways: dict[str, Callable[[Leaked, str], Callable[[int], str]]] = {
        "database-role": database.database_role,
        "backup-writer": store.backup_writer,
        "application-password": application.application_password,
        "api-key": partial(application.api_key, version=given.version),
        "session-cookie": application.session_cookie,
        "queue": stream.queue,
    }
    return ways[held.kind](held, given.marker)


def attack(given: Order, ways: dict[str, Callable[[int], str]]) -> int:
    """A thread a class, so that one that hangs delays no other."""
    over, broken = threading.Event(), threading.Event()
    log, begin_ns = Log(Path(given.uses)), time.monotonic_ns()
    end_ns = begin_ns + round(given.max_s * 1e9)
    grids = [
        Grid(kind, way, given.per_s[kind], begin_ns, end_ns, given.max_tries)
        for kind, way in ways.items()
    ]

    def keep_on(grid: Grid) -> None:
        try:
            grid.run(log, over)
        except Exception as error:  # noqa: BLE001  its text could hold anything: the name must do
            print(f"{grid.credential}: the attack broke: {type(error).__name__}", file=sys.stderr)
            broken.set()

    threads = [threading.Thread(target=keep_on, args=(grid,), daemon=True) for grid in grids]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        if broken.is_set() or hung_up():
            break
    over.set()
    deadline = time.monotonic() + _GRACE_S
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    log.close()
    return 1 if broken.is_set() else 0


def hung_up() -> bool:
    """Whether standard input has ended, within a tick."""
    ready, _, _ = select.select([_STDIN], [], [], _TICK_S)
    return bool(ready) and os.read(_STDIN, 4096) == b""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
