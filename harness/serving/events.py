"""What the running drill tells, handed to every browser that listens.

One look at the state home every half second serves everybody. A listener that is slow gets the
newest state and misses those between: its queue holds one, and nobody waits for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from harness.watching.live_state import LiveState, read_live

_EVERY_S = 0.5
_BEAT_S = 10.0
_HISTORY = 360  # looks: three minutes
LISTENERS_MAX = 100
RETRY = b"retry: 1000\n\n"
BEAT = b": still here\n\n"


@dataclass(frozen=True, slots=True)
class Telling:
    """One state as it is sent."""

    identity: str
    body: str  # JSON on one line

    def encoded(self, kind: str) -> bytes:
        return encoded(kind, self.identity, self.body)


def encoded(kind: str, identity: str, body: str) -> bytes:
    """One server-sent event. JSON in ASCII holds no line end, so none can be smuggled in."""
    assert "\n" not in body, "a line end would begin another field"
    assert "\r" not in body, "a line end would begin another field"
    return f"event: {kind}\nid: {identity}\ndata: {body}\n\n".encode("ascii")


class Hub:
    """The last telling, the history for charts, and the queues of those who listen."""

    def __init__(self, folder: Path, *, now_ns: Callable[[], int]) -> None:
        self._folder, self._now_ns = folder, now_ns
        self._epoch = secrets.token_hex(4)  # another process, other identities
        self._number = 0
        self._last: Telling | None = None
        self._shown: tuple[str, int, bool] | None = None
        self._history: deque[object] = deque(maxlen=_HISTORY)
        self._history_of = ""
        self._queues: set[asyncio.Queue[Telling | None]] = set()

    @property
    def listeners(self) -> int:
        return len(self._queues)

    async def run(self, is_over: Callable[[], bool]) -> None:
        """Look, tell, wait; until the server is about to end, which the streams must not delay."""
        while not is_over():
            with contextlib.suppress(OSError, ValueError):
                self.publish(await asyncio.to_thread(current, self._folder))
            await asyncio.sleep(_EVERY_S)
        self._hand(None)

    def publish(self, state: LiveState | None) -> None:
        """Tell it to everybody, unless it is what they know."""
        shown = (state.run_id, state.number, state.is_alive) if state else ("", 0, False)
        if shown == self._shown:
            return
        self._shown = shown
        self._remember(state)
        self._number += 1
        body = told(state, self._now_ns()) if state else json.dumps({"run_id": ""})
        self._last = Telling(f"{self._epoch}-{self._number}", body)
        self._hand(self._last)

    def _hand(self, telling: Telling | None) -> None:
        """To every queue, in the place of what was not fetched. None: there will be no more."""
        for queue in self._queues:
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(telling)

    async def stream(self, last_seen: str) -> AsyncIterator[bytes]:
        """What one browser gets: the history, the state unless it knows it, then what comes."""
        queue: asyncio.Queue[Telling | None] = asyncio.Queue(maxsize=1)
        self._queues.add(queue)
        try:
            yield RETRY
            if self._last is None or self._last.identity != last_seen:
                history = json.dumps({"run_id": self._history_of, "looks": list(self._history)})
                yield encoded("history", last_seen if last_seen.isalnum() else "0", history)
                if self._last is not None:
                    yield self._last.encoded("state")
            while True:
                try:
                    telling = await asyncio.wait_for(queue.get(), _BEAT_S)
                except TimeoutError:
                    yield BEAT
                    continue
                if telling is None:
                    return
                yield telling.encoded("state")
        finally:
            self._queues.discard(queue)

    def _remember(self, state: LiveState | None) -> None:
        if state is None:
            return
        if state.run_id != self._history_of:
            self._history.clear()
            self._history_of = state.run_id
        if state.load_s is not None and state.rates:
            rates = [[r.workload, r.offered_per_s, r.good_per_s] for r in state.rates]
            self._history.append([state.load_s, rates])


def current(folder: Path) -> LiveState | None:
    """The drill in progress, else the one that ended last, else nothing."""
    states = read_live(folder)
    return next((s for s in states if s.is_alive), states[0] if states else None)


def told(state: LiveState, now_ns: int) -> str:
    """For the page: what it shows, and nothing that is only ours (a path, a pid)."""
    value = asdict(state)
    for ours in ("process", "directory", "schema"):
        del value[ours]
    value["alive"] = state.is_alive
    value["now_s"] = max(0, now_ns - state.begun_ns) / 1e9
    value["age_s"] = max(0, now_ns - state.told_ns) / 1e9
    value["phase_s"] = max(0, now_ns - state.phase_begun_ns) / 1e9
    value["rates_age_s"] = max(0, now_ns - state.rates_ns) / 1e9 if state.rates_ns else None
    return json.dumps(value)
