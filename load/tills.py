"""Point of sale: a till goes on selling while the platform is away, and syncs afterwards.

An order that was not acknowledged stays in its till under its own uuid. Every second a till
offers its oldest one again; when that is taken, the rest follow one by one. So a till's
backlog drains as a real one's does, and an outage of a minute is not a storm of retries.
"""

from __future__ import annotations

import datetime as dt
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import gevent
import gevent.event

from harness.core.operation import Detail, Flag, Kind, Outcome, Stage, Workload
from load.baskets import Basket, pos_method, pos_order
from load.classify import Answer
from load.desk import Arrival, ChainEnded, Desk
from load.recorder import What

TILLS = 4
RETRY_S = 1.0
_SYNC = Flag.IDEMPOTENT | Flag.FINAL
_FOR_EVER = frozenset(
    {Detail.USER_ERROR, Detail.VALIDATION_ERROR, Detail.ACCESS_ERROR, Detail.MISSING_ERROR}
)


@dataclass(frozen=True, slots=True)
class Kept:
    """An order that a till still has to hand over."""

    record: int
    basket: Basket
    send: Callable[[str], Answer]


class Tills:
    """The shops' tills of one worker."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._kept: tuple[deque[Kept], ...] = tuple(deque() for _ in range(TILLS))
        self._ending = gevent.event.Event()

    @property
    def backlog(self) -> int:
        """Orders that were not handed over yet."""
        return sum(len(till) for till in self._kept)

    def start(self) -> list[gevent.Greenlet]:
        return [gevent.spawn(self._hand_over, till) for till in self._kept]

    def end(self) -> None:
        """No more orders come; a till that is empty, or finds nobody, goes home."""
        self._ending.set()

    def sell(self, arrival: Arrival) -> None:
        """One sale: the arrival is its first sync; what fails stays in the till."""
        basket = arrival.basket()
        send = self._sync(arrival, basket)
        try:
            arrival.create(basket, send, flags=_SYNC)
        except ChainEnded:
            if not arrival.canary and arrival.record is not None:
                till = self._kept[arrival.number % TILLS]
                till.append(Kept(arrival.record, basket, send))
            raise

    def _sync(self, arrival: Arrival, basket: Basket) -> Callable[[str], Answer]:
        desk, catalogue = self._desk, self._desk.catalogue
        session = catalogue.sessions[arrival.number % len(catalogue.sessions)]
        if arrival.canary:
            session = catalogue.canary_session
        at = dt.datetime.now(dt.UTC)
        limit_s = desk.canary_limit_s if arrival.canary else None

        def send(key: str) -> Answer:
            order = pos_order(
                basket,
                key,
                session,
                version=desk.version,
                user_id=catalogue.uid,
                pricelist=catalogue.pricelist,
                at=at,
            )
            method = pos_method(desk.version)
            return desk.odoo.call("pos.order", method, [[order]], timeout_s=limit_s)

        return send

    def _hand_over(self, till: deque[Kept]) -> None:
        while True:
            self._ending.wait(RETRY_S)
            while till and self._taken(till[0]):
                till.popleft()
            if self._ending.is_set():
                return

    def _taken(self, kept: Kept) -> bool:
        what = What(Kind.RESYNC, Stage.CREATED, Flag.IDEMPOTENT, digest=kept.basket.digest)
        _, answer = self._desk.recorder.call(
            Workload.POINT_OF_SALE, what, kept.send, record=kept.record
        )
        refused = answer.outcome is Outcome.REFUSED and answer.detail in _FOR_EVER
        return answer.acked or refused  # what is refused by rule is refused for ever
