"""A limit ends its own caller, once, in time and after its time, and no other."""

from __future__ import annotations

import gevent
import gevent.event
import pytest

from load.deadlines import Deadlines, Expired


def waits(deadlines: Deadlines, event: gevent.event.Event) -> str:
    limit = deadlines.begin()
    try:
        event.wait()
    except Expired as expired:
        return "expired" if expired.limit is limit else "another's"
    else:
        return "done"
    finally:
        limit.close()


@pytest.fixture
def quick():
    deadlines = Deadlines(0.02)
    yield deadlines
    deadlines.close()


def test_who_waits_for_ever_is_ended_and_who_does_not_is_not(quick):
    never, soon = gevent.event.Event(), gevent.event.Event()
    long = [gevent.spawn(waits, quick, never) for _ in range(20)]
    short = [gevent.spawn(waits, quick, soon) for _ in range(20)]
    gevent.sleep(0)
    soon.set()
    gevent.joinall(long + short)
    assert {g.value for g in long} == {"expired"}
    assert {g.value for g in short} == {"done"}


def test_it_comes_at_its_time_and_not_before(quick):
    begun = gevent.get_hub().loop.now()
    assert gevent.spawn(waits, quick, gevent.event.Event()).get() == "expired"
    assert gevent.get_hub().loop.now() - begun >= 0.019


def test_a_limit_that_was_closed_ends_nobody_later(quick):
    ended = []

    def calls_again_and_again() -> None:
        for _ in range(30):
            quick.begin().close()
            gevent.sleep(0.003)
        ended.append("well")

    gevent.spawn(calls_again_and_again).get()
    assert ended == ["well"]


def test_a_second_limit_of_the_same_greenlet_is_its_own(quick):
    never = gevent.event.Event()

    def twice() -> list[str]:
        return [waits(quick, never), waits(quick, never)]

    assert gevent.spawn(twice).get() == ["expired", "expired"]


def test_lengths_do_not_disturb_each_other(quick):
    slow, event = Deadlines(30.0), gevent.event.Event()
    patient = gevent.spawn(waits, slow, event)
    assert gevent.spawn(waits, quick, event).get() == "expired"
    event.set()
    assert patient.get() == "done"
    slow.close()


def test_what_happens_when_one_is_ended_may_begin_another(quick):
    never, seen = gevent.event.Event(), []

    def again() -> None:
        seen.append(waits(quick, never))
        seen.append(gevent.spawn(waits, quick, never).get())

    gevent.joinall([gevent.spawn(again) for _ in range(5)])
    assert seen == ["expired"] * 10


def test_what_was_closed_is_not_kept(quick):
    for _ in range(1000):
        quick.begin().close()
    assert len(quick._open) == 1


def test_it_is_no_exception_that_anybody_swallows():
    assert not issubclass(Expired, Exception)
