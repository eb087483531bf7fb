"""Greenlets that are kept serve as new ones would."""

from __future__ import annotations

import gevent
import gevent.event
import pytest

from load.hands import Hands


def test_jobs_begin_in_order_and_none_waits_for_another():
    begun, gate = [], gevent.event.Event()

    def serve(job: int) -> None:
        begun.append(job)
        if job % 2:
            gate.wait()

    hands: Hands[int] = Hands(serve)
    for job in range(50):
        hands.give(job)
    assert begun == []  # not before the giver waits
    gevent.sleep(0)
    assert begun == list(range(50))
    assert len(hands) == 25
    gate.set()
    assert hands.finish(30) == 0


def test_a_hand_that_is_free_is_taken_again():
    who = []
    hands: Hands[int] = Hands(lambda _: who.append(gevent.getcurrent()))
    for job in range(20):
        hands.give(job)
        gevent.sleep(0)
    assert len(who) == 20
    assert len(set(who)) == 1
    hands.finish(30)
    assert who[0].dead


def test_what_does_not_end_is_cut_off_and_told():
    ended = []

    def serve(job: str) -> None:
        try:
            gevent.event.Event().wait()
        except gevent.GreenletExit:
            ended.append(job)
            raise

    hands: Hands[str] = Hands(serve)
    for job in ("a", "b", "c"):
        hands.give(job)
    gevent.sleep(0)
    assert hands.finish(0.01) == 3
    assert sorted(ended) == ["a", "b", "c"]
    assert len(hands) == 0


def test_finish_waits_for_what_ends_in_time():
    done = []

    def serve(job: int) -> None:
        gevent.sleep(0.005 * job)
        done.append(job)

    hands: Hands[int] = Hands(serve)
    for job in range(5):
        hands.give(job)
    assert hands.finish(60) == 0
    assert done == list(range(5))


@pytest.mark.parametrize("trouble", [gevent.GreenletExit])
def test_a_hand_that_dies_is_at_work_no_more(trouble):
    def serve(job: int) -> None:
        if job == 0:
            raise trouble
        done.append(job)

    done: list[int] = []
    hands: Hands[int] = Hands(serve)
    for job in range(3):
        hands.give(job)
        gevent.sleep(0)
    assert done == [1, 2]
    assert len(hands) == 0
    hands.finish(30)
