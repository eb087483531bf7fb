"""The schedule is followed: nothing early, nothing left out, nobody waited for."""

from __future__ import annotations

import time
from types import SimpleNamespace

import gevent
import gevent.event
import numpy as np
import pytest

from harness.core.operation import Workload
from load import dispatcher as module
from load.dispatcher import _DUE, Dispatcher
from load.lag import LagHistogram

CODE = Workload.ORDER_CAPTURE.code


def schedule(due_ms: list[float]) -> np.ndarray:
    rows = np.zeros(len(due_ms), dtype=_DUE)
    rows["due_ns"] = np.array(due_ms) * 1e6
    rows["number"], rows["workload"], rows["canary"] = np.arange(len(due_ms)), CODE, True
    return rows


class Shop:
    """Notes what reaches it, and holds up those that it is told to."""

    def __init__(self, due_ms: list[float], *, max_s: float = 0.1, held: int = 0) -> None:
        self.seen: list[tuple[int, int, int]] = []
        self.held, self.gate, self.shed = held, gevent.event.Event(), 0
        recorder = SimpleNamespace(shed=self.sheds)
        plan = SimpleNamespace(begin_ns=time.monotonic_ns() + 5_000_000, max_s=max_s)
        desk = SimpleNamespace(plan=plan, recorder=recorder)
        chains = {(Workload.ORDER_CAPTURE, True): self.chain}
        self.lag = LagHistogram()
        self.dispatcher = Dispatcher(desk, schedule(due_ms), chains, self.lag)  # type: ignore[arg-type]

    def chain(self, arrival) -> None:
        self.seen.append((arrival.number, arrival.intended_ns, time.monotonic_ns()))
        if arrival.number < self.held:
            self.gate.wait()

    def sheds(self, *_words, **_more) -> None:
        self.shed += 1


BURSTS = [0.0] * 40 + [3.0] * 5 + [float(n) for n in range(4, 30)] + [31.0] * 100


def test_every_arrival_is_sent_in_order_and_none_before_it_is_due():
    shop = Shop(BURSTS)
    shop.dispatcher.run()
    assert shop.dispatcher.finish(30) == 0
    assert [number for number, _, _ in shop.seen] == list(range(len(BURSTS)))
    begin_ns = shop.dispatcher._begin_ns
    assert [due - begin_ns for _, due, _ in shop.seen] == [round(ms * 1e6) for ms in BURSTS]
    assert all(now >= due for _, due, now in shop.seen)
    assert shop.lag.summary()["count"] == len(BURSTS)
    assert shop.dispatcher.counts.canaries == len(BURSTS)


def test_nobody_is_waited_for():
    shop = Shop(BURSTS, held=60)
    shop.dispatcher.run()
    assert shop.dispatcher.finish(0.01) == 60
    assert len(shop.seen) == len(BURSTS)


def test_after_a_stop_nothing_is_sent_that_was_due_later():
    shop = Shop([float(n) for n in range(0, 20_000, 2)], max_s=60)
    gevent.spawn_later(0.05, shop.dispatcher.stop)
    shop.dispatcher.run()
    shop.dispatcher.finish(30)
    stopped_ns = shop.dispatcher.stopped_ns
    assert stopped_ns is not None
    assert 0 < len(shop.seen) < 10_000
    assert all(due <= stopped_ns for _, due, _ in shop.seen)
    due_ns = shop.dispatcher._begin_ns + np.arange(0, 20_000, 2) * 1_000_000
    assert len(shop.seen) == np.count_nonzero(due_ns <= stopped_ns)


def test_a_stop_wakes_the_one_who_sleeps():
    shop = Shop([0.0, 3_600_000.0], max_s=7200)
    running = gevent.spawn(shop.dispatcher.run)
    gevent.sleep(0.02)
    shop.dispatcher.stop()
    running.get(timeout=30)
    assert len(shop.seen) == 1


def test_what_cannot_be_sent_is_shed_and_counted(monkeypatch):
    monkeypatch.setattr(module, "MAX_IN_FLIGHT", 10)
    shop = Shop(BURSTS, held=10_000)
    shop.dispatcher.run()
    assert shop.shed == shop.dispatcher.counts.dropped == len(BURSTS) - 10
    assert shop.dispatcher.finish(0.01) == 10
    assert len(shop.seen) == 10


@pytest.mark.parametrize("trouble", [ValueError("a bug"), KeyError("x")])
def test_a_bug_of_ours_is_kept_and_the_others_go_on(trouble):
    shop = Shop(BURSTS)

    def chain(arrival) -> None:
        if arrival.number == 3:
            raise trouble
        shop.chain(arrival)

    shop.dispatcher._chains = {(CODE, True): (Workload.ORDER_CAPTURE, chain)}
    shop.dispatcher.run()
    shop.dispatcher.finish(30)
    assert len(shop.seen) == len(BURSTS) - 1
    assert len(shop.dispatcher.troubles) == 1
